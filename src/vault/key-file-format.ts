/**
 * Master keys as the bytes of a file.
 *
 * ```
 *  0   magic       8 bytes, `LULLKEYS`
 *  8   version     1 byte, 1
 *  9   count       1 byte, 1 to 16
 * 10   keys        32 bytes each, oldest first
 *  …   checksum    SHA-256 of everything before: tells a damaged key from a lost one
 * ```
 */

import { createHash } from 'node:crypto'
import { KEY_BYTES, MasterKey } from './master-key.ts'

const MAGIC = new TextEncoder().encode('LULLKEYS')
const VERSION = 1
const HEADER_BYTES = MAGIC.length + 2
const CHECKSUM_BYTES = 32

/** The most keys of one file. Two are there while a rotation is under way; more were put there by hand. */
export const MOST_KEYS = 16

/** The length of the longest file; one byte more is no key file. */
export const LONGEST_KEY_FILE = fileBytes(MOST_KEYS)

/** What a file holds, or why it is not to be used: a sentence without capital and full stop. */
export type DecodedKeys =
  | { readonly kind: 'keys'; readonly keys: readonly MasterKey[] }
  | { readonly kind: 'newer'; readonly version: number }
  | { readonly kind: 'damaged'; readonly reason: string }

/** @param keys 1 to {@link MOST_KEYS}, oldest first @returns bytes that the caller wipes */
export function encodeKeys(keys: readonly MasterKey[]): Uint8Array {
  const bytes = new Uint8Array(fileBytes(keys.length))
  bytes.set(MAGIC)
  bytes.set([VERSION, keys.length], MAGIC.length)
  for (const [index, key] of keys.entries()) {
    key.use((keyBytes) => bytes.set(keyBytes, HEADER_BYTES + index * KEY_BYTES))
  }
  bytes.set(checksum(bytes), bytes.length - CHECKSUM_BYTES)
  return bytes
}

/** @param bytes stay the caller's; the keys are copied out of them, and are the caller's, too */
export function decodeKeys(bytes: Uint8Array): DecodedKeys {
  if (MAGIC.some((byte, at) => byte !== bytes[at])) return damaged('it is no key file')
  const [version = 0, count = 0] = bytes.subarray(MAGIC.length, HEADER_BYTES)
  if (version > VERSION) return { kind: 'newer', version }
  if (version < VERSION || count < 1 || count > MOST_KEYS) return damaged('its header is damaged')
  const expected = fileBytes(count)
  if (bytes.length !== expected) {
    return damaged(`it is ${bytes.length} bytes long, not ${expected}`)
  }
  if (!checksum(bytes).equals(bytes.subarray(-CHECKSUM_BYTES)))
    return damaged('its checksum is wrong')
  const keys = Array.from({ length: count }, (_, index) => {
    const at = HEADER_BYTES + index * KEY_BYTES
    return new MasterKey(bytes.slice(at, at + KEY_BYTES))
  })
  return { kind: 'keys', keys }
}

function damaged(reason: string): DecodedKeys {
  return { kind: 'damaged', reason }
}

function fileBytes(count: number): number {
  return HEADER_BYTES + count * KEY_BYTES + CHECKSUM_BYTES
}

function checksum(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes.subarray(0, -CHECKSUM_BYTES)).digest()
}
