/**
 * Structured field values (RFC 9651), as much of them as integrity fields need: a dictionary of which the byte sequences
 * are kept, while items of other types, inner lists and parameters are checked and passed over.
 */

import { ProtocolError } from '../base/error.ts'
import { decodeBase64 } from './base64.ts'

/** The characters of one field, all its lines together. */
export const LONGEST_STRUCTURED_FIELD = 16 * 1024

/** The members of one dictionary. RFC 9651 §3.2 asks 1024 of a parser for any field; no digest field needs this many. */
export const DICTIONARY_MEMBERS = 64

/** Where a parser stands in a field. */
interface Cursor {
  readonly text: string
  at: number
}

const key = /[a-z*][a-z0-9_.*-]*/y
const byteSequence = /:([A-Za-z0-9+/]*=*):/y

/** The other bare items of RFC 9651 §4.2.3.1, each from its first character to its last. */
const otherItems = [
  /-?(?:\d{1,12}\.\d{1,3}|\d{1,15})(?![\d.])/y,
  /"(?:[ !#-[\]-~]|\\["\\])*"/y,
  /[A-Za-z*][A-Za-z0-9!#$%&'*+.^_`|~:/-]*/y,
  /\?[01]/y,
  /@-?\d{1,15}(?![\d.])/y,
  // A display string; it is dropped, so whether its bytes are UTF-8 does not matter.
  /%"(?:[ !#$&-~]|%[0-9a-f]{2})*"/y,
]

/**
 * Reads a dictionary.
 *
 * @param value all lines of the field, joined with `, `
 * @returns the members in order, a byte sequence as its bytes and anything else as `undefined`; of members with the
 *   same key the last counts (RFC 9651 §4.2.2)
 * @throws {ProtocolError} `ERR_WIRE_STRUCTURED_FIELD` when the field breaks the grammar: the whole of it is to be
 *   ignored then (RFC 9651 §4.2); `ERR_WIRE_STRUCTURED_FIELD_LENGTH` and `ERR_WIRE_STRUCTURED_FIELD_COUNT` when it is
 *   longer or has more members than the limits allow
 */
export function parseDictionary(
  value: string,
  {
    maxLength = LONGEST_STRUCTURED_FIELD,
    maxMembers = DICTIONARY_MEMBERS,
  }: { readonly maxLength?: number; readonly maxMembers?: number } = {},
): ReadonlyMap<string, Uint8Array | undefined> {
  if (value.length > maxLength) {
    throw new ProtocolError(
      'ERR_WIRE_STRUCTURED_FIELD_LENGTH',
      `Cannot read a structured field, ${maxLength} characters are the most: ${value.length}`,
    )
  }
  const cursor = { text: value, at: 0 }
  const members = new Map<string, Uint8Array | undefined>()
  take(cursor, / */y)
  for (let count = 1; cursor.at < value.length; count++) {
    if (count > maxMembers) {
      throw new ProtocolError(
        'ERR_WIRE_STRUCTURED_FIELD_COUNT',
        `Cannot read a structured field, ${maxMembers} members are the most: ${count} or more`,
      )
    }
    const name = expect(cursor, key, 'a key')
    members.set(name, skip(cursor, '=') ? readMember(cursor) : undefined)
    readParameters(cursor)
    readComma(cursor)
  }
  return members
}

/** The end of the field, or a comma with something behind it. */
function readComma(cursor: Cursor): void {
  take(cursor, /[ \t]*/y)
  if (cursor.at === cursor.text.length) return
  if (!skip(cursor, ',')) throw broken(cursor, 'a comma')
  take(cursor, /[ \t]*/y)
  if (cursor.at === cursor.text.length) throw broken(cursor, 'a key')
}

function readMember(cursor: Cursor): Uint8Array | undefined {
  if (!skip(cursor, '(')) return readBareItem(cursor)
  readInnerList(cursor)
  return undefined
}

/** The items of an inner list and its closing parenthesis (RFC 9651 §4.2.1.2). */
function readInnerList(cursor: Cursor): void {
  take(cursor, / */y)
  while (!skip(cursor, ')')) {
    readBareItem(cursor)
    readParameters(cursor)
    const hasSpace = take(cursor, / +/y) !== undefined
    if (!hasSpace && cursor.text[cursor.at] !== ')') throw broken(cursor, 'a space or )')
  }
}

function readParameters(cursor: Cursor): void {
  while (skip(cursor, ';')) {
    take(cursor, / */y)
    expect(cursor, key, 'a key')
    if (skip(cursor, '=')) readBareItem(cursor)
  }
}

function readBareItem(cursor: Cursor): Uint8Array | undefined {
  const base64 = take(cursor, byteSequence)?.[1]
  if (base64 !== undefined) {
    const bytes = decodeBase64(base64)
    if (bytes === undefined) throw broken(cursor, 'whole bytes before this')
    return bytes
  }
  if (!otherItems.some((item) => take(cursor, item) !== undefined)) throw broken(cursor, 'an item')
  return undefined
}

/** Moves over one character when it is the next. */
function skip(cursor: Cursor, character: string): boolean {
  if (cursor.text[cursor.at] !== character) return false
  cursor.at += 1
  return true
}

/** Moves over what a sticky pattern matches at the cursor. */
function take(cursor: Cursor, pattern: RegExp): RegExpExecArray | undefined {
  pattern.lastIndex = cursor.at
  const match = pattern.exec(cursor.text)
  if (match === null) return undefined
  cursor.at = pattern.lastIndex
  return match
}

function expect(cursor: Cursor, pattern: RegExp, what: string): string {
  const match = take(cursor, pattern)
  if (match === undefined) throw broken(cursor, what)
  return match[0]
}

function broken({ at }: Cursor, expected: string): ProtocolError {
  return new ProtocolError(
    'ERR_WIRE_STRUCTURED_FIELD',
    `Cannot read a structured field, ${expected} was expected: character ${at}`,
  )
}
