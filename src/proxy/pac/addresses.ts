/** Addresses as scripts compare and sort them. */

import { addressBytes, isInside, parsePrefix, type AddressBytes, type Prefix } from '../address.ts'

/** Longer than any address or prefix in text. */
const LONGEST_ADDRESS = 64

/** More than any machine has. */
const LONGEST_LIST = 65_536

/** Where IPv4 stands in IPv6 (RFC 4291 §2.5.5.2), before its own four bytes. */
const mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]

/**
 * `isInNetEx` (N70): whether an address lies in a prefix. Where only one of them is IPv4, it is taken as the IPv6 address
 * that stands for it, as Chromium does.
 *
 * @param address an address and not a name
 */
export function isInPrefix(address: string, prefix: string): boolean {
  if (address.length > LONGEST_ADDRESS || prefix.length > LONGEST_ADDRESS) return false
  const bytes = addressBytes(address)
  const range = parsePrefix(prefix)
  if (bytes === undefined || range === undefined) return false
  if (bytes.length === range.base.length) return isInside(bytes, range)
  return isInside(toIpv6(bytes), { base: toIpv6(range.base), bits: bitsInIpv6(range) })
}

function toIpv6(bytes: AddressBytes): AddressBytes {
  return bytes.length === 4 ? Uint8Array.from([...mapped, ...bytes]) : bytes
}

function bitsInIpv6({ base, bits }: Prefix): number {
  return base.length === 4 ? mapped.length * 8 + bits : bits
}

/**
 * `sortIpAddressList` (N70): IPv6 before IPv4, ascending, each as it was written.
 *
 * @returns empty when there is none, or one of them is no address
 */
export function sortAddresses(list: string): string {
  if (list.length > LONGEST_LIST) return ''
  const entries: { readonly text: string; readonly bytes: AddressBytes }[] = []
  for (const text of list.replaceAll(/[ \t]/gu, '').split(';')) {
    if (text === '') continue
    const bytes = text.length > LONGEST_ADDRESS ? undefined : addressBytes(text)
    if (bytes === undefined) return ''
    entries.push({ text, bytes })
  }
  return entries
    .sort((a, b) => b.bytes.length - a.bytes.length || Buffer.compare(a.bytes, b.bytes))
    .map(({ text }) => text)
    .join(';')
}
