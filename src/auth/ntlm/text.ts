/** Names and passwords as NTLM writes them: UTF-16LE, or an OEM character set with servers that know no better. */

import { MisuseError, ProtocolError } from '../../base/error.ts'
import { decodeOctets } from '../octets.ts'
import { isAscii } from '../utf8.ts'
import { hasFlag } from './flags.ts'

/** Text as UTF-16LE, without byte order mark and terminator. */
export function encodeUtf16(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length * 2)
  const view = new DataView(bytes.buffer)
  for (let index = 0; index < text.length; index++) {
    view.setUint16(index * 2, text.charCodeAt(index), true)
  }
  return bytes
}

/**
 * UTF-16LE as text; lone surrogates are kept, so that encoding the text again gives the same bytes.
 *
 * @throws {ProtocolError} `ERR_NTLM_TEXT` when the number of bytes is odd
 */
export function decodeUtf16(bytes: Uint8Array): string {
  if (bytes.length % 2 !== 0) {
    throw new ProtocolError('ERR_NTLM_TEXT', `Cannot read UTF-16: odd length ${bytes.length}`)
  }
  let text = ''
  for (let index = 0; index < bytes.length; index += 2) {
    text += String.fromCharCode((bytes[index] ?? 0) | ((bytes[index + 1] ?? 0) << 8))
  }
  return text
}

/**
 * Text in the character set that the flags agree on (A238): UTF-16LE with `unicode`, otherwise OEM, of which only
 * ASCII is the same everywhere.
 *
 * @throws {MisuseError} `ERR_NTLM_OEM_TEXT` when the set is OEM and the text is not ASCII
 */
export function encodeText(text: string, flags: number): Uint8Array {
  if (hasFlag(flags, 'unicode')) return encodeUtf16(text)
  const bytes = new TextEncoder().encode(text)
  if (isAscii(bytes)) return bytes
  throw new MisuseError(
    'ERR_NTLM_OEM_TEXT',
    'Cannot write a name: the server knows no Unicode, and the name is not ASCII',
  )
}

/**
 * What {@link encodeText} wrote; octets of OEM beyond ASCII are read as ISO-8859-1, for people to look at.
 *
 * @throws {ProtocolError} as {@link decodeUtf16}
 */
export function decodeText(bytes: Uint8Array, flags: number): string {
  return hasFlag(flags, 'unicode') ? decodeUtf16(bytes) : decodeOctets(bytes)
}

/**
 * UTF-8 as UTF-16LE without a string on the way, because a string cannot be wiped (A163).
 *
 * @returns a new array that belongs to the caller, who wipes it; every octet that is not part of a well-formed
 *   sequence becomes U+FFFD
 */
export function utf16OfUtf8(utf8: Uint8Array): Uint8Array {
  // No sequence becomes longer than twice its octets.
  const scratch = new Uint8Array(utf8.length * 2)
  const view = new DataView(scratch.buffer)
  let length = 0
  const append = (unit: number): void => {
    view.setUint16(length, unit, true)
    length += 2
  }
  for (let index = 0; index < utf8.length;) {
    const { codePoint, octets } = readCodePoint(utf8, index)
    index += octets
    if (codePoint < 0x1_0000) append(codePoint)
    else {
      append(0xd800 | ((codePoint - 0x1_0000) >> 10))
      append(0xdc00 | ((codePoint - 0x1_0000) & 0x3ff))
    }
  }
  const result = scratch.slice(0, length)
  scratch.fill(0)
  return result
}

const replacement = { codePoint: 0xfffd, octets: 1 }

/** The well-formed sequence at `index` (RFC 3629 §4), or the replacement of one octet. */
function readCodePoint(utf8: Uint8Array, index: number): typeof replacement {
  const first = utf8[index] ?? 0
  if (first < 0x80) return { codePoint: first, octets: 1 }
  const octets = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2
  if (first < 0xc2 || first > 0xf4) return replacement
  let codePoint = first & (0x7f >> octets)
  for (let next = 1; next < octets; next++) {
    const octet = utf8[index + next] ?? 0
    if ((octet & 0xc0) !== 0x80) return replacement
    codePoint = (codePoint << 6) | (octet & 0x3f)
  }
  const isSurrogate = codePoint >= 0xd800 && codePoint <= 0xdfff
  const isOverlong = codePoint < (octets === 4 ? 0x1_0000 : octets === 3 ? 0x800 : 0x80)
  return isSurrogate || isOverlong || codePoint > 0x10_ffff ? replacement : { codePoint, octets }
}

/**
 * Upper case as Windows makes it: each UTF-16 unit by itself and independent of the language; a unit whose upper case
 * is longer than one unit stays (A239).
 */
export function upperCase(text: string): string {
  let upper = ''
  for (let index = 0; index < text.length; index++) {
    const unit = text.charAt(index)
    const mapped = unit.toUpperCase()
    upper += mapped.length === 1 ? mapped : unit
  }
  return upper
}
