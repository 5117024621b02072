/**
 * Reads rows, each the list of its values. An object for a row would cost as much as reading it: SQLite's names become a
 * dictionary every time.
 */

import { Fields, isCount, isObject } from './fields.ts'
import { DamagedRow } from './store-error.ts'

/** A row: its values in the order of the columns that were asked for. */
export type RowList = readonly unknown[]

/** What a row belongs to, for people: `job 7f3a…`. */
export type OwnerOf = (row: RowList) => string

/** The columns of a statement by their names, in the order of `names`. */
export function columns<const Name extends string>(
  names: readonly Name[],
  ownerOf: OwnerOf,
): { readonly [Each in Name]: Column } {
  const entries = names.map((name, place) => [name, new Column(name, place, ownerOf)])
  // Each name has its column.
  return Object.fromEntries(entries) as { readonly [Each in Name]: Column }
}

/** One column. Every reader throws {@link DamagedRow} for what does not fit. */
export class Column {
  readonly #name: string
  readonly #place: number
  readonly #ownerOf: OwnerOf

  constructor(name: string, place: number, ownerOf: OwnerOf) {
    this.#name = name
    this.#place = place
    this.#ownerOf = ownerOf
  }

  /** Whether there is a value in this row. */
  isIn(row: RowList): boolean {
    return row[this.#place] !== null
  }

  text(row: RowList): string {
    const value = row[this.#place]
    if (typeof value !== 'string') throw this.#damaged(row, 'a text')
    return value
  }

  /** Any finite number. */
  number(row: RowList): number {
    const value = row[this.#place]
    if (typeof value !== 'number' || !Number.isFinite(value)) throw this.#damaged(row, 'a number')
    return value
  }

  /** A whole number, 0 or more. */
  count(row: RowList): number {
    const value = row[this.#place]
    if (!isCount(value)) throw this.#damaged(row, 'a count')
    return value
  }

  /** One of a few words. @returns the one of `words`, so that the row's own copy is garbage at once */
  word<const Word extends string>(row: RowList, words: readonly Word[]): Word {
    const value = row[this.#place]
    for (const word of words) if (word === value) return word
    throw this.#damaged(row, `one of ${words.join(', ')}`)
  }

  /** The object that a JSON text says. */
  object(row: RowList): Fields {
    const value = this.#json(row)
    if (!isObject(value)) throw this.#damaged(row, 'an object')
    return new Fields(`${this.#ownerOf(row)}, ${this.#name}`, value)
  }

  /** The list that a JSON text says. */
  list(row: RowList): readonly unknown[] {
    const value = this.#json(row)
    if (!Array.isArray(value)) throw this.#damaged(row, 'a list')
    return value
  }

  /** The list of objects that a JSON text says. */
  objects(row: RowList): readonly Fields[] {
    return this.list(row).map((item) => {
      if (!isObject(item)) throw this.#damaged(row, 'a list of objects')
      return new Fields(`${this.#ownerOf(row)}, ${this.#name}`, item)
    })
  }

  #json(row: RowList): unknown {
    try {
      return JSON.parse(this.text(row))
    } catch {
      // The parser's own message quotes the text, which may hold a header that is a secret.
      throw this.#damaged(row, 'JSON')
    }
  }

  /** Says that a value is not what was expected. */
  #damaged(row: RowList, expected: string): DamagedRow {
    return new DamagedRow(`${this.#ownerOf(row)}: ${this.#name} is not ${expected}`)
  }
}
