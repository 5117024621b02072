/** Scripts as bytes and as text. */

import { TextDecoder } from 'node:util'

/** Names of byte order marks by what they look like. */
const marks = [
  { label: 'utf-8', bytes: [0xef, 0xbb, 0xbf] },
  { label: 'utf-16le', bytes: [0xff, 0xfe] },
  { label: 'utf-16be', bytes: [0xfe, 0xff] },
] as const

/** What a script without a mark and without a word about it is written in (N61). */
const DEFAULT_CHARSET = 'iso-8859-1'

/**
 * The text of a script: in the charset that Content-Type names, else that of its byte order mark, else ISO-8859-1 (N61).
 * What is not a character in it is replaced; the mark is not part of the text.
 *
 * @param contentType the value of the field, where there is one; the media type in it does not matter
 */
export function scriptText(bytes: Uint8Array, contentType?: string): string {
  const marked = marks.find((mark) => mark.bytes.every((byte, index) => bytes[index] === byte))
  const named = decoderFor(charsetOf(contentType))
  return (named ?? new TextDecoder(marked?.label ?? DEFAULT_CHARSET)).decode(bytes)
}

function charsetOf(contentType: string | undefined): string | undefined {
  const [, quoted, token] =
    /;\s*charset\s*=\s*(?:"([^"]*)"|([^\s;"]+))/iu.exec(contentType ?? '') ?? []
  return quoted ?? token
}

/** @returns undefined where there is no such charset */
function decoderFor(charset: string | undefined): TextDecoder | undefined {
  if (charset === undefined) return undefined
  try {
    return new TextDecoder(charset)
  } catch {
    return undefined
  }
}
