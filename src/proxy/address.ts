/** Hosts and networks as proxy settings write them: names, IPv4 and IPv6 addresses, prefixes. */

import { isIPv4, isIPv6 } from 'node:net'

/** The longest name that DNS knows, and longer than any address (RFC 1035 §2.3.4). */
const LONGEST_HOST = 253

/** What no host has: what separates the parts of a URL, wildcards, escapes, spaces, and control characters. */
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const notInHosts = /[\u0000-\u0020/?#@\\%*<>|^`{}"',;=]/u

/** The bytes of an address in network order: 4 of IPv4, 16 of IPv6. */
export type AddressBytes = Uint8Array<ArrayBuffer>

/** The addresses that begin with the same `bits` bits as `base`. */
export interface Prefix {
  readonly base: AddressBytes
  /** 0 to 32 or 128. */
  readonly bits: number
}

/**
 * A host as URLs have it: lower case, international names in their ASCII form (RFC 5891), addresses in their usual form,
 * IPv6 without brackets.
 *
 * @param text with or without brackets around IPv6
 * @returns undefined for what names no host
 */
export function parseHost(text: string): string | undefined {
  const bare = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text
  if (isIPv6(bare)) return bare.includes('%') ? undefined : hostnameOf(`[${bare}]`)?.slice(1, -1)
  if (bare !== text || bare === '' || bare.includes(':') || notInHosts.test(bare)) return undefined
  const host = hostnameOf(bare)
  return host === undefined || host.length > LONGEST_HOST ? undefined : host
}

function hostnameOf(text: string): string | undefined {
  const url = `http://${text}/`
  return URL.canParse(url) ? new URL(url).hostname : undefined
}

/** The bytes of an address; undefined for a name. IPv4 inside IPv6 (`::ffff:10.0.0.1`) stays IPv6. */
export function addressBytes(host: string): AddressBytes | undefined {
  if (isIPv4(host)) return Uint8Array.from(host.split('.'), Number)
  return isIPv6(host) && !host.includes('%') ? ipv6Bytes(host) : undefined
}

/** @param host valid; so there are eight groups, or fewer with one `::` (RFC 4291 §2.2) */
function ipv6Bytes(host: string): AddressBytes {
  const [head = '', tail] = host.split('::')
  const front = groupsOf(head)
  const back = tail === undefined ? [] : groupsOf(tail)
  const bytes = new Uint8Array(16)
  bytes.set(front, 0)
  bytes.set(back, 16 - back.length)
  return bytes
}

function groupsOf(text: string): readonly number[] {
  if (text === '') return []
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number)
    const value = Number.parseInt(group, 16)
    return [value >> 8, value & 0xff]
  })
}

const mappedPrefix = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]

/** The IPv4 address that an IPv6 one stands for (RFC 4291 §2.5.5.2), else the address itself. */
export function unmapped(address: AddressBytes): AddressBytes {
  const isMapped =
    address.length === 16 && mappedPrefix.every((byte, index) => address[index] === byte)
  return isMapped ? address.slice(12) : address
}

/** Whether an address begins as a prefix does; of different families none does. */
export function isInside(address: AddressBytes, { base, bits }: Prefix): boolean {
  if (address.length !== base.length) return false
  const whole = bits >> 3
  for (let index = 0; index < whole; index++) {
    if (address[index] !== base[index]) return false
  }
  const rest = bits & 7
  if (rest === 0) return true
  return (((address[whole] ?? 0) ^ (base[whole] ?? 0)) & (0xff << (8 - rest))) === 0
}

/**
 * A prefix such as `10.0.0.0/8` or `[2001:db8::]/32`.
 *
 * @returns undefined for anything else, also where there are more bits than the address has
 */
export function parsePrefix(text: string): Prefix | undefined {
  const [, address = '', digits = ''] = /^(.*)\/(\d{1,3})$/su.exec(text) ?? []
  const isBracketed = address.startsWith('[') && address.endsWith(']')
  const base = addressBytes(isBracketed ? address.slice(1, -1) : address)
  const bits = Number(digits)
  if (base === undefined || (isBracketed && base.length === 4)) return undefined
  return bits > base.length * 8 ? undefined : { base, bits }
}

/** A port from 1 to 65,535 in digits. */
export function parsePort(text: string): number | undefined {
  if (!/^\d{1,5}$/u.test(text)) return undefined
  const port = Number(text)
  return port >= 1 && port <= 65_535 ? port : undefined
}
