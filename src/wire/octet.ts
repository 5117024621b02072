/** The octets of HTTP/1.1: which may stand where, and text that is one octet for each character. */

export const HTAB = 0x09
export const LF = 0x0a
export const CR = 0x0d
export const SP = 0x20
export const COMMA = 0x2c
/** The other digits follow it. */
export const DIGIT_0 = 0x30
export const COLON = 0x3a
export const SEMICOLON = 0x3b

/** The octet at a place that the caller knows to be inside: the cast spares the hot loops a second check. */
export function octetAt(bytes: Uint8Array, at: number): number {
  return bytes[at] as number
}

const tokenOctets = octetsIn(/[!#$%&'*+\-.^_`|~0-9A-Za-z]/)
const textOctets = octetsIn(/[\t\x20-\x7e\x80-\xff]/)

/** A class of octets: 1 for each that is in it. @param characters what one of them looks like as text */
export function octetsIn(characters: RegExp): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, octet) =>
    characters.test(String.fromCharCode(octet)) ? 1 : 0,
  )
}

/** Whether an octet may stand in a token (RFC 9110 §5.6.2). */
export function isTokenOctet(octet: number): boolean {
  return tokenOctets[octet] === 1
}

/** The first place, from `at` on and before `stop`, of an octet that may not stand in a token; else `stop`. */
export function skipToken(bytes: Uint8Array, at: number, stop: number): number {
  let end = at
  while (end < stop && tokenOctets[octetAt(bytes, end)] === 1) end++
  return end
}

/**
 * The first place, from `at` on and before `stop`, of an octet that may not stand inside a line; else `stop`.
 *
 * What may: HTAB, SP, visible ASCII and everything past it (RFC 9110 §5.5, RFC 9112 §4).
 */
export function skipText(bytes: Uint8Array, at: number, stop: number): number {
  let end = at
  while (end < stop && textOctets[octetAt(bytes, end)] === 1) end++
  return end
}

/** The first place, from `from` on and before `to`, that is not SP or HTAB; else `to`. */
export function skipBlanks(text: string, from: number, to: number): number {
  let start = from
  while (start < to && isBlank(text.charCodeAt(start))) start++
  return start
}

/** The place after the last one, from `from` on and before `to`, that is not SP or HTAB; else `from`. */
export function skipBlanksBack(text: string, from: number, to: number): number {
  let end = to
  while (end > from && isBlank(text.charCodeAt(end - 1))) end--
  return end
}

/** A part of a text without the SP and HTAB around it (OWS), which is no part of a value (RFC 9112 §5.1). */
export function trimBlanks(text: string, from: number, to: number): string {
  const start = skipBlanks(text, from, to)
  return cutText(text, start, skipBlanksBack(text, start, to))
}

function isBlank(code: number): boolean {
  return code === SP || code === HTAB
}

/** Whether a part of a text is this word, whatever the case of the ASCII letters in both. */
export function isWord(text: string, from: number, to: number, word: string): boolean {
  if (to - from !== word.length) return false
  for (let at = 0; at < word.length; at++) {
    if (lowerCase(text.charCodeAt(from + at)) !== lowerCase(word.charCodeAt(at))) return false
  }
  return true
}

function lowerCase(code: number): number {
  return code >= 0x41 && code <= 0x5a ? code | 0x20 : code
}

/** Keeps a byte order mark: to drop three octets would move every mark in a head. */
const utf8Decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const utf8Encoder = new TextEncoder()
/** What UTF-8 is decoded to where it is none. */
const noCharacter = '\ufffd'

/**
 * Octets as text, each a character of the same number (ISO-8859-1).
 *
 * `TextDecoder` has no such thing (its `latin1` is windows-1252); but where all is ASCII, and it nearly always is, its
 * UTF-8 is the same and eight times as fast as anything written here.
 */
export function decodeOctets(bytes: Uint8Array): string {
  const text = utf8Decoder.decode(bytes)
  // Where an octet is not ASCII, it was one of several that made a character, or made none.
  if (text.length === bytes.length && !text.includes(noCharacter)) return text
  let exact = ''
  for (const octet of bytes) exact += String.fromCharCode(octet)
  return exact
}

/**
 * Text as octets: the inverse of {@link decodeOctets}.
 *
 * @param text characters up to U+00FF; what is past it must have been refused before
 */
export function encodeOctets(text: string): Uint8Array {
  const bytes = utf8Encoder.encode(text)
  if (bytes.length === text.length) return bytes
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}

/** What is cut out of a text may keep all of it alive: not where the text is longer than this. */
const LONGEST_SHARED_TEXT = 4096

/** A part of a text; of a long one in memory of its own. */
export function cutText(text: string, from: number, to: number): string {
  const part = text.slice(from, to)
  return text.length > LONGEST_SHARED_TEXT ? utf8Decoder.decode(utf8Encoder.encode(part)) : part
}
