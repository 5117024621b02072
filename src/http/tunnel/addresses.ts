/** From the name of a host to the addresses that are tried, in their order (RFC 8305 §4). */

import { ADDRCONFIG, lookup } from 'node:dns'
import { isIP } from 'node:net'
import { domainToASCII } from 'node:url'

/** RFC 6761 §6.3: `localhost` and every name below it. */
const localNames = /^(?:.+\.)?localhost\.?$/i

/** What `localhost` is, whatever a name server says. */
const loopback = ['::1', '127.0.0.1'] as const

/**
 * Finds the addresses of a host.
 *
 * One call of the system's resolver asks for both families, follows the machine's own sources (hosts file, mDNS for
 * `.local`), and sorts what it finds by which of them can be reached from here (RFC 6724).
 *
 * @param host a name, also an internationalised one, or an address; IPv6 without brackets
 * @returns at least one, the families taking turns; at once where nobody has to be asked
 * @throws what the resolver says (`ENOTFOUND`, `EAI_AGAIN`), or the signal's reason
 */
export function findAddresses(
  host: string,
  signal: AbortSignal,
): readonly string[] | Promise<readonly string[]> {
  if (isIP(host) !== 0) return [host]
  return localNames.test(host) ? loopback : resolveName(asciiName(host), signal)
}

/** Whether an address of a socket is one of this machine's own, whatever name led there; IPv4 also inside IPv6. */
export function isLoopbackAddress(address: string | undefined): boolean {
  return address !== undefined && /^(?:::1|(?:::ffff:)?127(?:\.\d+){3})$/i.test(address)
}

/** A name as DNS and TLS know it (RFC 5891); other names, and addresses, as they are. */
export function asciiName(host: string): string {
  // What is ASCII already may hold an underscore, which is nothing for URLs but resolves.
  return /^[\x20-\x7e]*$/.test(host) ? host : domainToASCII(host)
}

function resolveName(name: string, signal: AbortSignal): Promise<readonly string[]> {
  signal.throwIfAborted()
  const { promise, resolve, reject } = Promise.withResolvers<readonly string[]>()
  const leave = (): void => reject(signal.reason as Error) // A journey is broken off with an error.
  signal.addEventListener('abort', leave)
  // The call itself cannot be broken off.
  lookup(name, { all: true, order: 'verbatim', hints: ADDRCONFIG }, (error, found) => {
    signal.removeEventListener('abort', leave)
    if (error === null) resolve(takeTurns(found.map(({ address }) => address)))
    else reject(error)
  })
  return promise
}

/** Has the families take turns, beginning with that of the first address. */
export function takeTurns(addresses: readonly string[]): readonly string[] {
  const [first = ''] = addresses
  const family = isIP(first)
  const same = addresses.filter((address) => isIP(address) === family)
  const other = addresses.filter((address) => isIP(address) !== family)
  const turns: string[] = []
  for (let place = 0; turns.length < addresses.length; place++) {
    turns.push(...same.slice(place, place + 1), ...other.slice(place, place + 1))
  }
  return turns
}
