/** Names and passwords as octets (RFC 7617 §2.1). */

/** Whether every octet is ASCII, where all encodings and normal forms agree. */
export function isAscii(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte < 0x80)
}

/** Whether there is a control character of ASCII among UTF-8 octets; RFC 7617 §2 forbids them. */
export function hasControls(bytes: Uint8Array): boolean {
  return bytes.some((byte) => byte < 0x20 || byte === 0x7f)
}

/**
 * UTF-8 in Normalization Form C, which RFC 7617 §2.1 and RFC 7616 §4 ask for.
 *
 * @returns a new array that belongs to the caller, who wipes it when it is secret
 */
export function normalizeUtf8(bytes: Uint8Array): Uint8Array {
  if (isAscii(bytes)) return bytes.slice()
  return new TextEncoder().encode(new TextDecoder().decode(bytes).normalize('NFC'))
}

/**
 * UTF-8 as ISO-8859-1.
 *
 * @returns a new array that belongs to the caller; `undefined` when a character does not fit
 */
export function encodeLatin1(utf8: Uint8Array): Uint8Array | undefined {
  const latin1 = new Uint8Array(utf8.length)
  let length = 0
  for (let index = 0; index < utf8.length; index++) {
    const byte = utf8[index] ?? 0
    if (byte < 0x80) latin1[length++] = byte
    // U+0080 to U+00FF are the two-octet sequences that begin with C2 or C3.
    else if (byte === 0xc2 || byte === 0xc3) {
      latin1[length++] = ((byte & 0x03) << 6) | ((utf8[++index] ?? 0) & 0x3f)
    } else return undefined
  }
  return latin1.subarray(0, length)
}
