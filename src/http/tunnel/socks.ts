/** SOCKS as bytes: version 4 with names (4a), and version 5 (RFC 1928) with user and password (RFC 1929). */

import { isIP, isIPv4 } from 'node:net'
import { domainToASCII } from 'node:url'
import type { Place } from './dial.ts'

/** Ways to prove who is asking (RFC 1928 §3). */
export const socksMethods = { none: 0, password: 2, unacceptable: 255 } as const

/** The longest name of a host, user, or password, in octets: its length is one octet. */
export const MAX_SOCKS_OCTETS = 255

const CONNECT = 1
const addressTypes = { ipv4: 1, name: 3, ipv6: 4 } as const

/** Says which methods we know: the first thing that is sent. */
export function encodeGreeting(methods: readonly number[]): Uint8Array {
  return Uint8Array.of(5, methods.length, ...methods)
}

/** User and password, 1 to 255 octets each (RFC 1929 §2). @returns what is as secret as the password */
export function encodeLogin(user: Uint8Array, password: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(3 + user.length + password.length)
  bytes.set([1, user.length])
  bytes.set(user, 2)
  bytes[2 + user.length] = password.length
  bytes.set(password, 3 + user.length)
  return bytes
}

/** Asks for a connection; a name stays a name, for the proxy to resolve (N101). */
export function encodeRequest({ host, port }: Place): Uint8Array {
  return Uint8Array.of(5, CONNECT, 0, ...encodeAddress(host), port >> 8, port & 0xff)
}

/**
 * As {@link encodeRequest}, in version 4: an IPv4 address as such, everything else as a name behind an address that
 * cannot be one (SOCKS 4a).
 *
 * @param user without a zero octet
 */
export function encodeRequest4({ host, port }: Place, user: Uint8Array): Uint8Array {
  const isAddress = isIPv4(host)
  const address = isAddress ? parseIPv4(host) : [0, 0, 0, 1]
  const name = isAddress ? [] : [...Buffer.from(host, 'latin1'), 0]
  return Uint8Array.from([4, CONNECT, port >> 8, port & 0xff, ...address, ...user, 0, ...name])
}

/** How many octets of a reply (RFC 1928 §6) follow its first five. */
export function replyRest(head: Uint8Array): number | undefined {
  const [, , , type = 0, length = 0] = head
  switch (type) {
    case addressTypes.ipv4:
      return 3 + 2
    case addressTypes.ipv6:
      return 15 + 2
    case addressTypes.name:
      return length + 2
    default:
      return undefined
  }
}

function encodeAddress(host: string): readonly number[] {
  switch (isIP(host)) {
    case 4:
      return [addressTypes.ipv4, ...parseIPv4(host)]
    case 6:
      return [addressTypes.ipv6, ...parseIPv6(host)]
    default:
      return [addressTypes.name, host.length, ...Buffer.from(host, 'latin1')]
  }
}

function parseIPv4(address: string): readonly number[] {
  return address.split('.').map(Number)
}

/** @param address with at most one `::` and perhaps an IPv4 address at its end */
function parseIPv6(address: string): readonly number[] {
  const [before = '', after] = canonical(address).split('::')
  const first = parseGroups(before)
  const last = parseGroups(after ?? '')
  const gap = Array.from({ length: 16 - first.length - last.length }, () => 0)
  return [...first, ...gap, ...last]
}

function parseGroups(text: string): readonly number[] {
  if (text === '') return []
  return text.split(':').flatMap((group) => {
    const value = Number.parseInt(group, 16)
    return [value >> 8, value & 0xff]
  })
}

/** As in a URL: lower case, groups of hexadecimal digits only. */
function canonical(address: string): string {
  return new URL(`http://[${address}]/`).hostname.slice(1, -1)
}

/** A host as it is sent: ASCII, without a dot at its end; `undefined` when it is too long. */
export function socksHost(host: string): string | undefined {
  const name = isIP(host) === 0 ? (domainToASCII(host) || host).replace(/\.$/, '') : host
  return name.length <= MAX_SOCKS_OCTETS ? name : undefined
}
