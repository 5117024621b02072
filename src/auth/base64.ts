/** Base64 as headers carry it: RFC 4648 §4, with padding. */

export { decodeBase64 } from '../wire/base64.ts'

/** Bytes turned to text at a time, so that no call has more arguments than an engine takes. */
const stretch = 8192

/** Bytes as base64. */
export function encodeBase64(bytes: Uint8Array): string {
  let binary = ''
  for (let start = 0; start < bytes.length; start += stretch) {
    binary += String.fromCharCode(...bytes.subarray(start, start + stretch))
  }
  return btoa(binary)
}
