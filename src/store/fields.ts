/** Reads what lies in a row or in a JSON text: unknown input, parsed once, trusted after. */

import { DamagedRow } from './store-error.ts'

/**
 * The named values of one row or one JSON object. Every reader throws {@link DamagedRow} for what does not fit; some take
 * what a value is when it is not there.
 */
export class Fields {
  /** What they belong to, for people: `job 7f3a…`. */
  readonly #owner: string
  readonly #values: Readonly<Record<string, unknown>>

  constructor(owner: string, values: Readonly<Record<string, unknown>>) {
    this.#owner = owner
    this.#values = values
  }

  has(name: string): boolean {
    return this.#values[name] !== undefined && this.#values[name] !== null
  }

  /** Whether any of these is there. Looks at what there is, so it costs nothing to ask for many of which none is. */
  hasAny(names: ReadonlySet<string>): boolean {
    for (const name in this.#values) if (names.has(name)) return true
    return false
  }

  text(name: string, absent?: string): string {
    const value = this.#values[name] ?? absent
    if (typeof value !== 'string') throw this.#damaged(name, 'a text')
    return value
  }

  bytes(name: string): Uint8Array {
    const value = this.#values[name]
    if (!(value instanceof Uint8Array)) throw this.#damaged(name, 'bytes')
    return value
  }

  /** Any finite number. */
  number(name: string, absent?: number): number {
    const value = this.#values[name] ?? absent
    if (typeof value !== 'number' || !Number.isFinite(value)) throw this.#damaged(name, 'a number')
    return value
  }

  /** A whole number, 0 or more. */
  count(name: string, absent?: number): number {
    const value = this.#values[name] ?? absent
    if (!isCount(value)) throw this.#damaged(name, 'a count')
    return value
  }

  boolean(name: string, absent?: boolean): boolean {
    const value = this.#values[name] ?? absent
    if (typeof value !== 'boolean') throw this.#damaged(name, 'true or false')
    return value
  }

  /** One of a few words. */
  word<const Word extends string>(name: string, words: readonly Word[], absent?: Word): Word {
    const value = this.#values[name] ?? absent
    const word = words.find((candidate) => candidate === value)
    if (word === undefined) throw this.#damaged(name, `one of ${words.join(', ')}`)
    return word
  }

  /** An object within a JSON text. */
  object(name: string, absent?: Readonly<Record<string, unknown>>): Fields {
    const value = this.#values[name] ?? absent
    if (!isObject(value)) throw this.#damaged(name, 'an object')
    return new Fields(`${this.#owner}, ${name}`, value)
  }

  list(name: string): readonly unknown[] {
    const value = this.#values[name]
    if (!Array.isArray(value)) throw this.#damaged(name, 'a list')
    return value
  }

  /** A list of texts within a JSON text. */
  texts(name: string): readonly string[] {
    return this.list(name).map((item) => {
      if (typeof item !== 'string') throw this.#damaged(name, 'a list of texts')
      return item
    })
  }

  /** Says that a field is not what was expected. */
  #damaged(name: string, expected: string): DamagedRow {
    return new DamagedRow(`${this.#owner}: ${name} is not ${expected}`)
  }
}

/** Whether `value` is a whole number, 0 or more, that a number holds exactly. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0
}

/** Whether `value` is the object of a JSON text, and no list. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * The JSON text of a value of ours. JSON has no word for NaN and the infinities and would write `null`, a row that
 * could never be read again: so such a number is refused while its origin is still on the stack.
 */
export function formatJson(value: unknown): string {
  assertFinite(value)
  return JSON.stringify(value)
}

function assertFinite(value: unknown): void {
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new RangeError(`Cannot store a number: it is ${value}`)
  } else if (Array.isArray(value)) {
    for (const item of value) assertFinite(item)
  } else if (isObject(value)) {
    // A list of the values of each of thousands would be garbage at once.
    for (const name in value) assertFinite(value[name])
  }
}
