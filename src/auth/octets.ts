/** Text of header fields as octets and back: one character is one octet (ISO-8859-1). */

/** The octets of a field's text. Characters above U+00FF do not occur there; they would lose their upper bits. */
export function encodeOctets(text: string): Uint8Array {
  const octets = new Uint8Array(text.length)
  for (let index = 0; index < text.length; index++) octets[index] = text.charCodeAt(index)
  return octets
}

/** Octets as a field's text. */
export function decodeOctets(octets: Uint8Array): string {
  let text = ''
  for (const octet of octets) text += String.fromCharCode(octet)
  return text
}
