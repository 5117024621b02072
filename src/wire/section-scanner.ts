/** Finds the lines of a head or of a trailer section, however its bytes come. */

import type { ProtocolError } from '../base/error.ts'
import { Carry } from './carry.ts'
import { type Field, Fields } from './fields.ts'
import type { Input } from './input.ts'
import {
  COLON,
  CR,
  decodeOctets,
  HTAB,
  isTokenOctet,
  LF,
  octetAt,
  skipText,
  skipToken,
  SP,
  trimBlanks,
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

/** What a section says. */
export interface Section {
  /** Without its line end; empty where the rules want none. */
  readonly startLine: string
  readonly fields: Fields
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

/**
 * A resumable scanner for one section after another.
 *
 * Theory of operation. Every octet is looked at once, in the array it was pushed in, by a machine that may stop
 * between any two octets. So a head that comes byte by byte costs what it costs in one piece, and an error is thrown
 * at the first octet that is wrong, not at the end of the head, and the same one wherever the pieces were cut. The
 * machine keeps no text: it marks where lines, names and values end, counted from the section's first octet. When
 * the empty line is there, the section is decoded in one call and cut at the marks; only if it came in several pieces
 * have its octets been copied, each once, to make it whole. The alternatives: to look for the empty line first and
 * parse afterwards leaves a peer that speaks something else waiting for ever; to decode line by line costs a call
 * into the decoder for each.
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
  /** The end of the start line; for each line after it the beginning, then the ends of the name and of the value. */
  #marks: number[] = []
  #fieldCount = 0
  readonly #carry = new Carry()

  constructor(rules: SectionRules) {
    this.#rules = rules
    this.#reset()
  }

  /** Whether nothing was seen of the section but, at most, the empty line before it. */
  get isBlank(): boolean {
    return this.#length === this.#start
  }

  /**
   * Uses up the section, or all there is of it.
   *
   * @returns the section when its empty line is there; the scanner then stands before the next one
   * @throws {ProtocolError} at the first octet that cannot be there, and at the first one past a limit
   */
  scan(input: Input): Section | undefined {
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
    const section = this.#cut(decodeOctets(this.#carry.complete(part)))
    this.#reset()
    return section
  }

  /** Moves on to the next state. @returns the first octet it stands before, or `stop` if the state goes on there */
  #step(bytes: Uint8Array, at: number, stop: number): number {
    switch (this.#state) {
      case 'beginning':
        return this.#beginning(octetAt(bytes, at), at)
      case 'startLine':
        return this.#startLine(bytes, at, stop)
      case 'line':
        return this.#line(octetAt(bytes, at), at)
      case 'name':
        return this.#name(bytes, at, stop)
      case 'value':
        return this.#value(bytes, at, stop)
      case 'beginningLf':
        return this.#beginStartLine(afterLf(octetAt(bytes, at), at))
      case 'startLineLf':
      case 'valueLf':
        return this.#beginLine(afterLf(octetAt(bytes, at), at))
      case 'lastLf':
        return this.#endSection(afterLf(octetAt(bytes, at), at))
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
    this.#marks.push(end - this.#origin)
    return this.#endLine(octetAt(bytes, end), end, 'startLineLf')
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

  #line(octet: number, at: number): number {
    if (isTokenOctet(octet)) return this.#beginField(at)
    if (octet === CR) {
      this.#state = 'lastLf'
      return at + 1
    }
    if (octet === LF && this.#rules.forgivesBareLf) return this.#endSection(at + 1)
    if (octet === SP || octet === HTAB) {
      // RFC 9112 §5.2 (and §2.2 for the first line): a peer that folds lines may be hiding one.
      throw wireError('ERR_WIRE_OBS_FOLD', 'Cannot read a field: its line begins with white space')
    }
    throw octet === LF ? lineEndError('LF without CR') : this.#nameError(octet, at)
  }

  #beginField(at: number): number {
    const { maxFields } = this.#rules
    if (this.#fieldCount === maxFields) {
      throw wireError('ERR_WIRE_TOO_MANY_FIELDS', `Cannot read a field: the limit is ${maxFields}`)
    }
    this.#fieldCount++
    this.#state = 'name'
    return at
  }

  #name(bytes: Uint8Array, at: number, stop: number): number {
    const end = skipToken(bytes, at, stop)
    if (end === stop) return end
    // RFC 9112 §5.1: no white space before the colon, where peers disagree on what the name is.
    if (octetAt(bytes, end) !== COLON) throw this.#nameError(octetAt(bytes, end), end)
    this.#marks.push(end - this.#origin)
    this.#state = 'value'
    return end + 1
  }

  #value(bytes: Uint8Array, at: number, stop: number): number {
    const end = skipText(bytes, at, stop)
    if (end === stop) return end
    this.#marks.push(end - this.#origin)
    return this.#endLine(octetAt(bytes, end), end, 'valueLf')
  }

  #endLine(octet: number, at: number, afterCr: 'startLineLf' | 'valueLf'): number {
    if (octet === CR) {
      this.#state = afterCr
      return at + 1
    }
    if (octet === LF && this.#rules.forgivesBareLf) return this.#beginLine(at + 1)
    if (octet === LF) throw lineEndError('LF without CR')
    throw wireError(
      afterCr === 'valueLf' ? 'ERR_WIRE_FIELD_VALUE' : 'ERR_WIRE_START_LINE',
      `Cannot read a line: ${this.#place(octet, at)}`,
    )
  }

  #beginLine(at: number): number {
    const begin = at - this.#origin
    this.#marks.push(begin)
    this.#state = 'line'
    this.#limit = Math.min(begin + this.#rules.maxFieldBytes, this.#rules.maxBytes)
    return at
  }

  #endSection(at: number): number {
    this.#state = 'done'
    return at
  }

  #cut(text: string): Section {
    const marks = this.#marks
    const mark = (index: number) => marks[index] as number // within the marks of whole lines
    const fields: Field[] = []
    for (let index = 1; index + 2 < marks.length; index += 3) {
      const nameEnd = mark(index + 1)
      fields.push([
        text.slice(mark(index), nameEnd),
        trimBlanks(text, nameEnd + 1, mark(index + 2)),
      ])
    }
    return { startLine: text.slice(this.#start, mark(0)), fields: new Fields(fields) }
  }

  #tooLong(): ProtocolError {
    const { maxBytes, tooLong, maxStartLineBytes, maxFieldBytes } = this.#rules
    if (this.#limit === maxBytes) {
      return wireError(tooLong, `Cannot read a section: the limit is ${maxBytes} bytes`)
    }
    return this.#marks.length === 0 || this.#state === 'startLineLf'
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
    this.#marks = hasStartLine ? [] : [0, 0]
    this.#fieldCount = 0
  }
}

/** What follows a CR is LF; a CR alone ends nothing (RFC 9112 §2.2). @returns the place after it */
function afterLf(octet: number, at: number): number {
  if (octet !== LF) throw lineEndError('CR without LF')
  return at + 1
}

function lineEndError(what: string): ProtocolError {
  return wireError('ERR_WIRE_LINE_END', `Cannot read a line: it ends with ${what}`)
}
