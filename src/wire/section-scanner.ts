/** Finds the lines of a head or of a trailer section, however its bytes come. */

import type { ProtocolError } from '../base/error.ts'
import { Carry } from './carry.ts'
import { FieldMarker } from './field-marks.ts'
import { Fields } from './fields.ts'
import type { Input } from './input.ts'
import {
  COLON,
  CR,
  cutText,
  decodeOctets,
  HTAB,
  isTokenOctet,
  LF,
  octetAt,
  skipText,
  skipToken,
  SP,
} from './octet.ts'
import { wireError, type WireLimitCode } from './wire-error.ts'

/** What one kind of section is like. */
export interface SectionRules {
  readonly hasStartLine: boolean
  /** What the start line begins with; anything else is `ERR_WIRE_NOT_HTTP` at its first wrong octet. */
  readonly prefix: string
  /** Whether LF alone ends a line too, as a recipient may have it (RFC 9112 §2.2). CR alone never does. */
  readonly forgivesBareLf: boolean
  readonly maxStartLineBytes: number
  readonly maxFieldBytes: number
  readonly maxFields: number
  /** The whole section, with its empty line. */
  readonly maxBytes: number
  /** The error when `maxBytes` is exceeded. */
  readonly tooLong: WireLimitCode
}

/** What the scanner stands before. The `…Lf` states have seen a CR. */
type State =
  | 'beginning'
  | 'beginningLf'
  | 'startLine'
  | 'startLineLf'
  | 'line'
  | 'name'
  | 'value'
  | 'valueLf'
  | 'lastLf'
  | 'done'

const statesOfStartLine: readonly State[] = ['beginning', 'beginningLf', 'startLine', 'startLineLf']

/**
 * A resumable scanner for one section after another.
 *
 * Theory of operation. Every octet is looked at once, in the array it was pushed in, by a machine that may stop
 * between any two octets. So a head that comes byte by byte costs what it costs in one piece, and an error is thrown
 * at the first octet that is wrong, not at the end of the head, and the same one wherever the pieces were cut. The
 * machine keeps no text: it marks where the start line ends and where names and values stand, counted from the
 * section's first octet. When the empty line is there, the section is decoded in one call, and its fields are cut at
 * the marks when somebody asks for them; only if it came in several pieces have its octets been copied, each once, to
 * make it whole. The alternatives: to look for the empty line first and parse afterwards leaves a peer that speaks
 * something else waiting for ever; to decode line by line costs a call into the decoder for each.
 *
 * A state hands on to the next one as long as there are octets; the outermost loop is gone round once for each line.
 */
export class SectionScanner {
  readonly #rules: SectionRules
  #state: State = 'done'
  /** The index, in the array being scanned, of the section's first octet; negative if that came in an earlier one. */
  #origin = 0
  /** How many octets of the section were used up before this array. */
  #length = 0
  /** Where the start line begins: after an empty line, if one came first. */
  #start = 0
  /** Where the line, or the section, is too long. */
  #limit = 0
  #startLineEnd = 0
  readonly #marker = new FieldMarker()
  #lastStartLine = ''
  readonly #carry = new Carry()

  constructor(rules: SectionRules) {
    this.#rules = rules
    this.#reset()
  }

  /** Whether nothing was seen of the section but, at most, the empty line before it. */
  get isBlank(): boolean {
    return this.#length === this.#start
  }

  /** The start line of the section that was whole last, without its line end; empty where the rules want none. */
  get startLine(): string {
    return this.#lastStartLine
  }

  /**
   * Uses up the section, or all there is of it.
   *
   * @returns its fields when its empty line is there; the scanner then stands before the next one
   * @throws {ProtocolError} at the first octet that cannot be there, and at the first one past a limit
   */
  scan(input: Input): Fields | undefined {
    const { bytes } = input
    let at = input.at
    this.#origin = at - this.#length
    while (at < bytes.length && this.#state !== 'done') {
      const stop = Math.min(bytes.length, this.#origin + this.#limit)
      if (at >= stop) throw this.#tooLong()
      at = this.#step(bytes, at, stop)
    }
    this.#length = at - this.#origin
    const part = input.take(at - input.at)
    if (this.#state !== 'done') {
      this.#carry.add(part)
      return undefined
    }
    const text = decodeOctets(this.#carry.complete(part))
    this.#giveStartLine(text)
    const fields = new Fields(text, this.#marker.give())
    this.#reset()
    return fields
  }

  /** Goes on from the state. @returns the first octet that was not used up; `stop`, or one before which a line begins */
  #step(bytes: Uint8Array, at: number, stop: number): number {
    switch (this.#state) {
      case 'beginning':
        return this.#beginning(octetAt(bytes, at), at)
      case 'startLine':
        return this.#startLine(bytes, at, stop)
      case 'line':
        return this.#line(bytes, at, stop)
      case 'name':
        return this.#name(bytes, at, stop)
      case 'value':
        return this.#value(bytes, at, stop)
      case 'beginningLf':
        return this.#beginStartLine(afterLf(bytes, at))
      case 'startLineLf':
      case 'valueLf':
        return this.#beginLine(afterLf(bytes, at))
      case 'lastLf':
        return this.#endSection(afterLf(bytes, at))
      case 'done':
        return at
      default:
        return this.#state satisfies never
    }
  }

  /** One empty line may come before a start line: some peers end their bodies with it (RFC 9112 §2.2). */
  #beginning(octet: number, at: number): number {
    if (octet === CR) {
      this.#state = 'beginningLf'
      return at + 1
    }
    return this.#beginStartLine(octet === LF && this.#rules.forgivesBareLf ? at + 1 : at)
  }

  #beginStartLine(at: number): number {
    this.#start = at - this.#origin
    this.#state = 'startLine'
    this.#limit = Math.min(this.#start + this.#rules.maxStartLineBytes, this.#rules.maxBytes)
    return at
  }

  #startLine(bytes: Uint8Array, at: number, stop: number): number {
    const end = skipText(bytes, this.#prefix(bytes, at, stop), stop)
    if (end === stop) return end
    if (end - this.#origin === this.#start) {
      throw wireError('ERR_WIRE_START_LINE', 'Cannot read a start line: it is empty')
    }
    this.#startLineEnd = end - this.#origin
    return this.#endLine(bytes, end, stop, 'startLineLf')
  }

  #prefix(bytes: Uint8Array, at: number, stop: number): number {
    const { prefix } = this.#rules
    const begin = this.#origin + this.#start
    let end = at
    for (; end < stop && end - begin < prefix.length; end++) {
      if (octetAt(bytes, end) !== prefix.charCodeAt(end - begin)) {
        throw wireError('ERR_WIRE_NOT_HTTP', `Cannot read a head: it does not begin with ${prefix}`)
      }
    }
    return end
  }

  #line(bytes: Uint8Array, at: number, stop: number): number {
    const octet = octetAt(bytes, at)
    if (isTokenOctet(octet)) return this.#beginField(bytes, at, stop)
    if (octet === CR) {
      if (at + 1 === stop) return this.#pause('lastLf', stop)
      return this.#endSection(afterLf(bytes, at + 1))
    }
    if (octet === LF && this.#rules.forgivesBareLf) return this.#endSection(at + 1)
    if (octet === SP || octet === HTAB) {
      // RFC 9112 §5.2 (and §2.2 for the first line): a peer that folds lines may be hiding one.
      throw wireError('ERR_WIRE_OBS_FOLD', 'Cannot read a field: its line begins with white space')
    }
    throw octet === LF ? lineEndError('LF without CR') : this.#nameError(octet, at)
  }

  #beginField(bytes: Uint8Array, at: number, stop: number): number {
    const { maxFields } = this.#rules
    if (this.#marker.begun === maxFields) {
      throw wireError('ERR_WIRE_TOO_MANY_FIELDS', `Cannot read a field: the limit is ${maxFields}`)
    }
    this.#marker.note(at - this.#origin)
    return this.#name(bytes, at, stop)
  }

  #name(bytes: Uint8Array, at: number, stop: number): number {
    const end = skipToken(bytes, at, stop)
    if (end === stop) return this.#pause('name', stop)
    // RFC 9112 §5.1: no white space before the colon, where peers disagree on what the name is.
    if (octetAt(bytes, end) !== COLON) throw this.#nameError(octetAt(bytes, end), end)
    this.#marker.note(end - this.#origin)
    return this.#value(bytes, end + 1, stop)
  }

  #value(bytes: Uint8Array, at: number, stop: number): number {
    const end = skipText(bytes, at, stop)
    if (end === stop) return this.#pause('value', stop)
    this.#marker.note(end - this.#origin)
    return this.#endLine(bytes, end, stop, 'valueLf')
  }

  #endLine(
    bytes: Uint8Array,
    at: number,
    stop: number,
    afterCr: 'startLineLf' | 'valueLf',
  ): number {
    const octet = octetAt(bytes, at)
    if (octet === CR) {
      if (at + 1 === stop) return this.#pause(afterCr, stop)
      return this.#beginLine(afterLf(bytes, at + 1))
    }
    if (octet === LF && this.#rules.forgivesBareLf) return this.#beginLine(at + 1)
    if (octet === LF) throw lineEndError('LF without CR')
    throw wireError(
      afterCr === 'valueLf' ? 'ERR_WIRE_FIELD_VALUE' : 'ERR_WIRE_START_LINE',
      `Cannot read a line: ${this.#place(octet, at)}`,
    )
  }

  #pause(state: State, at: number): number {
    this.#state = state
    return at
  }

  #beginLine(at: number): number {
    this.#state = 'line'
    this.#limit = Math.min(at - this.#origin + this.#rules.maxFieldBytes, this.#rules.maxBytes)
    return at
  }

  #endSection(at: number): number {
    this.#state = 'done'
    return at
  }

  /** Most heads of one connection begin alike: what is said again is not cut out again. */
  #giveStartLine(text: string): void {
    const last = this.#lastStartLine
    const isLast =
      last.length === this.#startLineEnd - this.#start && text.startsWith(last, this.#start)
    if (!isLast) this.#lastStartLine = cutText(text, this.#start, this.#startLineEnd)
  }

  #tooLong(): ProtocolError {
    const { maxBytes, tooLong, maxStartLineBytes, maxFieldBytes } = this.#rules
    if (this.#limit === maxBytes) {
      return wireError(tooLong, `Cannot read a section: the limit is ${maxBytes} bytes`)
    }
    return statesOfStartLine.includes(this.#state)
      ? wireError(
          'ERR_WIRE_START_LINE_TOO_LONG',
          `Cannot read a start line: the limit is ${maxStartLineBytes} bytes`,
        )
      : wireError(
          'ERR_WIRE_FIELD_TOO_LONG',
          `Cannot read a field: the limit is ${maxFieldBytes} bytes`,
        )
  }

  #nameError(octet: number, at: number): ProtocolError {
    return wireError('ERR_WIRE_FIELD_NAME', `Cannot read a field name: ${this.#place(octet, at)}`)
  }

  #place(octet: number, at: number): string {
    return `octet 0x${octet.toString(16).padStart(2, '0')} at ${at - this.#origin}`
  }

  #reset(): void {
    const { hasStartLine, maxStartLineBytes, maxFieldBytes, maxBytes } = this.#rules
    this.#state = hasStartLine ? 'beginning' : 'line'
    this.#length = 0
    this.#start = 0
    this.#limit = Math.min(hasStartLine ? maxStartLineBytes : maxFieldBytes, maxBytes)
    this.#startLineEnd = 0
  }
}

/** What follows a CR is LF; a CR alone ends nothing (RFC 9112 §2.2). @returns the place after it */
function afterLf(bytes: Uint8Array, at: number): number {
  if (octetAt(bytes, at) !== LF) throw lineEndError('CR without LF')
  return at + 1
}

function lineEndError(what: string): ProtocolError {
  return wireError('ERR_WIRE_LINE_END', `Cannot read a line: it ends with ${what}`)
}
