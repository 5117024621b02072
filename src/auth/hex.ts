/** Bytes as hexadecimal text. */

/**
 * Whether two texts are equal, with the digits of the second in any case, in a time that tells nothing but their lengths
 * (A432).
 *
 * @param lower with lower-case digits
 */
export function equalHex(lower: string, any: string): boolean {
  const other = any.toLowerCase()
  if (lower.length !== other.length) return false
  let difference = 0
  for (let at = 0; at < lower.length; at++)
    difference |= lower.charCodeAt(at) ^ other.charCodeAt(at)
  return difference === 0
}

/** Two lower-case digits for each byte. */
export function formatHex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0')
  return text
}
