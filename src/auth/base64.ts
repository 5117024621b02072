/** Base64 as headers carry it: RFC 4648 §4, with padding. */

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

const wellFormed = /^[A-Za-z0-9+/]*={0,2}$/

/**
 * Base64 as bytes; missing padding is forgiven, because some servers leave it out.
 *
 * @returns `undefined` when it is not base64; white space inside is not either
 */
export function decodeBase64(text: string): Uint8Array | undefined {
  if (!wellFormed.test(text)) return undefined
  const body = text.replace(/=+$/, '')
  if (body.length % 4 === 1 || (body !== text && text.length % 4 !== 0)) return undefined
  const binary = atob(body)
  const bytes = new Uint8Array(binary.length)
  for (let index = 0; index < binary.length; index++) bytes[index] = binary.charCodeAt(index)
  return bytes
}
