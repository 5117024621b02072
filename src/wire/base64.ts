/** Base64 as integrity fields carry it (RFC 4648 §4). */

const alphabet = /^[A-Za-z0-9+/]*$/

/**
 * Decodes base64, whatever its padding says.
 *
 * Padding may be missing, and it may be too long: RFC 9651 §4.2.7 asks to forgive the first together with non-zero pad
 * bits, and RFC 9530 §B.5 itself does the second. Anything outside the alphabet is not forgiven, line feeds
 * included.
 *
 * @returns the bytes, a copy of their own; `undefined` when `text` is not base64
 */
export function decodeBase64(text: string): Uint8Array | undefined {
  let end = text.length
  while (end > 0 && text[end - 1] === '=') end -= 1
  const body = text.slice(0, end)
  // One character left over is six bits, which make no byte.
  if (!alphabet.test(body) || body.length % 4 === 1) return undefined
  return Uint8Array.from(atob(body), (character) => character.charCodeAt(0))
}
