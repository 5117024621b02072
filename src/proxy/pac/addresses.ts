/** Addresses as scripts compare and sort them. */

import { addressBytes, isInside, parsePrefix, type AddressBytes } from '../address.ts'

/** Longer than any address or prefix in text. */
const LONGEST_ADDRESS = 64

/** More than any machine has. */
const LONGEST_LIST = 65_536

/**
 * `isInNetEx` (N70): whether an address lies in a prefix.
 *
 * @param address an address and not a name; of another family than the prefix, it does not lie in it
 */
export function isInPrefix(address: string, prefix: string): boolean {
  if (address.length > LONGEST_ADDRESS || prefix.length > LONGEST_ADDRESS) return false
  const bytes = addressBytes(address)
  const range = parsePrefix(prefix)
  return bytes !== undefined && range !== undefined && isInside(bytes, range)
}

/**
 * `sortIpAddressList` (N70): IPv6 before IPv4, ascending, each as it was written.
 *
 * @returns empty when the list is, or one of it is no address
 */
export function sortAddresses(list: string): string {
  if (list.length > LONGEST_LIST) return ''
  const entries: { readonly text: string; readonly bytes: AddressBytes }[] = []
  for (const text of list.replaceAll(/[ \t]/gu, '').split(';')) {
    const bytes = text.length > LONGEST_ADDRESS ? undefined : addressBytes(text)
    if (bytes === undefined) return ''
    entries.push({ text, bytes })
  }
  return entries
    .sort((a, b) => b.bytes.length - a.bytes.length || Buffer.compare(a.bytes, b.bytes))
    .map(({ text }) => text)
    .join(';')
}
