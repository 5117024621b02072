/** Header and trailer fields: an ordered list whose names are compared without case. */

import { type FieldMarks, MARKS_PER_FIELD as STEP } from './field-marks.ts'
import { COMMA, cutText, isWord, skipBlanks, skipBlanksBack, trimBlanks } from './octet.ts'

/** One field as it stands on the wire: the name as sent, the value without the white space around it. */
export type Field = readonly [name: string, value: string]

/**
 * The fields of one section, in wire order and with the names as sent. Never changes.
 *
 * Of the many that thousands of responses bring, few are asked for: they are kept as they came, in one text, and cut out
 * of it when somebody asks.
 *
 * @see RFC 9110 §5
 */
export class Fields implements Iterable<Field> {
  /** No fields. */
  static readonly empty: Fields = new Fields([])

  readonly #text: string
  readonly #marks: FieldMarks

  /** @param fields nothing in them is checked; white space around a value is no part of it */
  constructor(fields: readonly Field[])
  /** @param marks kept, not copied: whoever gives them away does not change them any more */
  constructor(text: string, marks: FieldMarks)
  constructor(given: string | readonly Field[], marks: FieldMarks = []) {
    const isText = typeof given === 'string'
    this.#text = isText ? given : given.map((field) => field.join(':')).join('')
    this.#marks = isText ? marks : marksOf(given)
  }

  /** How many fields (lines) there are. */
  get size(): number {
    return this.#marks.length / STEP
  }

  /**
   * The value of a field, any case; several lines of it are joined by `, ` in their order (RFC 9110 §5.3).
   *
   * `Set-Cookie` is the one field that must not be joined: ask for {@link all} of it.
   */
  get(name: string): string | undefined {
    let joined: string | undefined
    for (let at = this.#find(name, 0); at >= 0; at = this.#find(name, at + STEP)) {
      joined = joined === undefined ? this.#value(at) : `${joined}, ${this.#value(at)}`
    }
    return joined
  }

  /** The values of a field, any case, one for each line. */
  all(name: string): readonly string[] {
    const values: string[] = []
    for (let at = this.#find(name, 0); at >= 0; at = this.#find(name, at + STEP)) {
      values.push(this.#value(at))
    }
    return values
  }

  /** Whether a field is there, any case; also when its value is empty. */
  has(name: string): boolean {
    return this.#find(name, 0) >= 0
  }

  /** Whether a word, any case, is a member of the list that a field is, any case (RFC 9110 §5.6.1). */
  lists(name: string, word: string): boolean {
    for (let at = this.#find(name, 0); at >= 0; at = this.#find(name, at + STEP)) {
      if (isMember(this.#text, this.#mark(at + 1) + 1, this.#mark(at + 2), word)) return true
    }
    return false
  }

  /** Every field in wire order. */
  entries(): IterableIterator<Field> {
    return this[Symbol.iterator]()
  }

  *[Symbol.iterator](): IterableIterator<Field> {
    for (let at = 0; at < this.#marks.length; at += STEP) yield [this.#name(at), this.#value(at)]
  }

  /** The marks of the next field of a name, any case, from those at `from` on; -1 when there is none. */
  #find(name: string, from: number): number {
    for (let at = from; at < this.#marks.length; at += STEP) {
      if (isWord(this.#text, this.#mark(at), this.#mark(at + 1), name)) return at
    }
    return -1
  }

  #name(at: number): string {
    return cutText(this.#text, this.#mark(at), this.#mark(at + 1))
  }

  #value(at: number): string {
    return trimBlanks(this.#text, this.#mark(at + 1) + 1, this.#mark(at + 2))
  }

  #mark(at: number): number {
    return this.#marks[at] as number // of a field that is there
  }
}

/** Where fields stand that are written one after the other, with a colon between name and value. */
function marksOf(fields: readonly Field[]): FieldMarks {
  let end = 0
  return fields.flatMap(([name, value]) => {
    const begin = end
    const colon = begin + name.length
    end = colon + 1 + value.length
    return [begin, colon, end]
  })
}

function isMember(text: string, from: number, to: number, word: string): boolean {
  let begin = from
  for (let at = from; at <= to; at++) {
    if (at < to && text.charCodeAt(at) !== COMMA) continue
    const start = skipBlanks(text, begin, at)
    if (isWord(text, start, skipBlanksBack(text, start, at), word)) return true
    begin = at + 1
  }
  return false
}
