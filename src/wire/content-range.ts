/** Which bytes: the fields Range and Content-Range with the unit `bytes` (RFC 9110 §14.1, §14.2, §14.4). */

import type { ByteRange } from '../base/byte-range.ts'
import { ProtocolError } from '../base/error.ts'
import { excerpt } from './excerpt.ts'

/** The largest offset and the largest length that are exact as a number: 2^53 - 1. */
const LARGEST = Number.MAX_SAFE_INTEGER

/** What a Content-Range field says. */
export type ContentRange =
  /** The content is bytes `start` (inclusive) to `end` (exclusive) of `total`; an unknown total was sent as `*`. */
  | {
      readonly kind: 'range'
      readonly start: number
      readonly end: number
      readonly total: number | undefined
    }
  /** None of the bytes asked for exist; the whole is `total` bytes long (status 416). */
  | { readonly kind: 'unsatisfied'; readonly total: number }

/** One range a client asks for. */
export type RangeSpec =
  /** From `start` (inclusive) to `end` (exclusive), or to the end of the file. */
  | { readonly kind: 'from'; readonly start: number; readonly end: number | undefined }
  /** The last `length` bytes, or the whole file when it is shorter. */
  | { readonly kind: 'suffix'; readonly length: number }

/** Ranges that one request may ask for; many small ones cost a server more than they bring (RFC 9110 §17.15). */
export const RANGES_PER_REQUEST = 100

const contentRange = /^bytes (?:(\d+)-(\d+)\/(?:(\d+)|\*)|\*\/(\d+))$/i

/**
 * Reads a Content-Range field, to the letter: content that is put at a guessed place makes a mixed file.
 *
 * @param value as received; `undefined` when the field was absent
 * @throws {ProtocolError} `ERR_WIRE_CONTENT_RANGE` when the field is absent, has another unit than `bytes` (in any
 *   case), breaks the grammar, holds a number above 2^53 - 1, ends before it starts, or ends past its total
 * @see RFC 9110 §14.4
 */
export function parseContentRange(value: string | undefined): ContentRange {
  if (value === undefined) throw contentRangeError('the field is absent')
  const match = contentRange.exec(value)
  if (match === null) throw contentRangeError(`this is no byte range: ${excerpt(value)}`)
  const [, first, last, length, unsatisfiedLength] = match
  if (unsatisfiedLength !== undefined) {
    return { kind: 'unsatisfied', total: readOffset(unsatisfiedLength, value) }
  }
  const start = readOffset(first, value)
  const end = readOffset(last, value) + 1
  const total = length === undefined ? undefined : readOffset(length, value)
  if (end <= start) throw contentRangeError(`it ends before it starts: ${excerpt(value)}`)
  if (end > (total ?? LARGEST)) throw contentRangeError(`it ends past the end: ${excerpt(value)}`)
  return { kind: 'range', start, end, total }
}

/**
 * Writes a Content-Range field.
 *
 * @throws {RangeError} when the range is empty, ends past its total, or has offsets that are no integers from 0
 */
export function formatContentRange(range: ContentRange): string {
  if (range.kind === 'unsatisfied') {
    checkOffset(range.total)
    return `bytes */${range.total}`
  }
  const { start, end, total } = range
  checkRange(start, end)
  if (total !== undefined) checkRange(end - 1, total)
  return `bytes ${start}-${end - 1}/${total ?? '*'}`
}

/**
 * Writes a Range field for one range.
 *
 * @param start the first byte
 * @param end the byte after the last one; `undefined` for all that follow
 * @throws {RangeError} when the range is empty or has offsets that are no integers from 0
 */
export function formatRange(start: number, end?: number): string {
  if (end === undefined) {
    checkOffset(start)
    return `bytes=${start}-`
  }
  checkRange(start, end)
  return `bytes=${start}-${end - 1}`
}

/**
 * Reads a Range field.
 *
 * Numbers above 2^53 - 1 are taken as 2^53 - 1, which no file reaches: RFC 9110 §14.1.2 forbids to fail on them.
 *
 * @param value as received; `undefined` when the field was absent
 * @param limit how many ranges may be asked for
 * @returns the ranges in the client's order, one or more, overlaps as sent; `undefined` when the field is absent or has
 *   another unit than `bytes`: it must be ignored then (RFC 9110 §14.2)
 * @throws {ProtocolError} `ERR_WIRE_RANGE` when the ranges break the grammar or one ends before it starts, and
 *   `ERR_WIRE_RANGE_COUNT` when there are more than `limit`; a server may ignore such a field or answer 400 or 416
 */
export function parseRange(
  value: string | undefined,
  { limit = RANGES_PER_REQUEST }: { readonly limit?: number } = {},
): readonly RangeSpec[] | undefined {
  if (value === undefined || !/^bytes=/i.test(value)) return undefined
  const members = value
    .slice('bytes='.length)
    .split(',')
    .map((member) => member.replaceAll('\t', ' ').trim())
    // A recipient ignores empty list elements (RFC 9110 §5.6.1.2).
    .filter((member) => member !== '')
  if (members.length === 0) throw rangeError(`it asks for nothing: ${excerpt(value)}`)
  if (members.length > limit) {
    throw new ProtocolError(
      'ERR_WIRE_RANGE_COUNT',
      `Cannot read Range, ${limit} ranges are the most: ${members.length}`,
    )
  }
  return members.map(readRangeSpec)
}

/**
 * Turns what a client asks for into bytes of a file.
 *
 * @param size the length of the file, 1 or more; no range of an empty file can be expressed, so a server that has one
 *   answers 200
 * @returns the ranges that exist, in the client's order, overlaps as sent; none when the answer is 416
 * @see RFC 9110 §14.1.2
 */
export function satisfyRanges(specs: readonly RangeSpec[], size: number): readonly ByteRange[] {
  return specs
    .map((spec) =>
      spec.kind === 'suffix'
        ? { start: Math.max(size - spec.length, 0), end: size }
        : { start: spec.start, end: Math.min(spec.end ?? size, size) },
    )
    .filter(({ start, end }) => start < end)
}

function readRangeSpec(member: string): RangeSpec {
  const match = /^(\d*)-(\d*)$/.exec(member)
  const [, first = '', last = ''] = match ?? []
  if (first === '' && last === '') throw rangeError(`this is no range: ${excerpt(member)}`)
  if (first === '') return { kind: 'suffix', length: Math.min(Number(last), LARGEST) }
  const start = Math.min(Number(first), LARGEST)
  if (last === '') return { kind: 'from', start, end: undefined }
  // Compared before anything is rounded: the field is invalid or it is not, however large its numbers are.
  if (BigInt(last) < BigInt(first)) throw rangeError(`it ends before it starts: ${excerpt(member)}`)
  return { kind: 'from', start, end: Math.min(Number(last) + 1, LARGEST) }
}

function readOffset(digits: string | undefined, value: string): number {
  const offset = Number(digits)
  if (!Number.isSafeInteger(offset)) {
    throw contentRangeError(`a number is above 2^53 - 1: ${excerpt(value)}`)
  }
  return offset
}

function checkOffset(offset: number): void {
  if (!Number.isSafeInteger(offset) || offset < 0) {
    throw new RangeError(`Cannot write a byte offset: ${offset}`)
  }
}

function checkRange(start: number, end: number): void {
  checkOffset(start)
  checkOffset(end)
  if (end <= start) throw new RangeError(`Cannot write an empty byte range: ${start} to ${end}`)
}

function contentRangeError(reason: string): ProtocolError {
  return new ProtocolError('ERR_WIRE_CONTENT_RANGE', `Cannot read Content-Range, ${reason}`)
}

function rangeError(reason: string): ProtocolError {
  return new ProtocolError('ERR_WIRE_RANGE', `Cannot read Range, ${reason}`)
}
