/** One open queue: statements that stay prepared, commits, and SQLite's errors in the terms of this room. */

import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { assert } from '../base/error.ts'
import type { RowList } from './columns.ts'
import type { Value } from './job-row.ts'
import { asStoreError } from './store-error.ts'

/** A row as SQLite gives it by itself. */
export type Row = Readonly<Record<string, unknown>>

/** Owns the database: closing this closes it. */
export class Connection {
  readonly #database: DatabaseSync
  readonly #path: string
  /** By their text; the texts are few and fixed. */
  readonly #statements = new Map<string, StatementSync>()
  /** How many {@link transact} are running, one within the other. */
  #depth = 0
  /** Why SQLite undid the whole transaction by itself, if it did. */
  #undone: unknown

  constructor(database: DatabaseSync, path: string) {
    this.#database = database
    this.#path = path
  }

  /**
   * Runs `work` as one commit; within another one, as a part of it that is undone alone when it throws.
   *
   * @throws what `work` throws, and {@link StoreError} when the commit fails; nothing was changed then
   */
  transact<T>(work: () => T): T {
    return this.#depth === 0
      ? this.#span('BEGIN IMMEDIATE', 'COMMIT', ['ROLLBACK'], work)
      : this.#span('SAVEPOINT part', 'RELEASE part', ['ROLLBACK TO part', 'RELEASE part'], work)
  }

  /** Runs a statement that writes. @returns how many rows it touched */
  write(sql: string, ...values: Value[]): number {
    return this.#guard(() => Number(this.#prepared(sql).run(...values).changes))
  }

  /** Runs a statement that writes for each of these; within a commit. @returns how many rows were touched in all */
  writeEach<T>(sql: string, items: readonly T[], encode: (item: T) => Value[]): number {
    return this.#guard(() => {
      const statement = this.#prepared(sql)
      const run = (item: T): number => Number(statement.run(...encode(item)).changes)
      return items.reduce((changes, item) => changes + run(item), 0)
    })
  }

  /** Inserts one row. @returns its rowid */
  insert(sql: string, ...values: Value[]): number {
    return this.#guard(() => Number(this.#prepared(sql).run(...values).lastInsertRowid))
  }

  /** The first row, if there is one. */
  row(sql: string, ...values: Value[]): Row | undefined {
    return this.#guard(() => this.#prepared(sql).get(...values))
  }

  /** The first row, decoded, if there is one. */
  first<T>(decode: (row: Row) => T, sql: string, ...values: Value[]): T | undefined {
    return this.#guard(() => {
      const row = this.#prepared(sql).get(...values)
      return row === undefined ? undefined : decode(row)
    })
  }

  /** Every row, decoded. */
  rows<T>(decode: (row: Row) => T, sql: string, ...values: Value[]): T[] {
    return this.#guard(() =>
      this.#prepared(sql)
        .all(...values)
        .map(decode),
    )
  }

  /** Every row as the list of its values, decoded; for statements that give many rows. */
  lists<T>(decode: (row: RowList) => T, sql: string, ...values: Value[]): T[] {
    return this.#guard(() => {
      const statement = this.#prepared(sql)
      statement.setReturnArrays(true)
      // Lists are what was asked for.
      const rows: readonly unknown[] = statement.all(...values)
      return rows.map((row) => decode(row as RowList))
    })
  }

  /** Closes the database; once is enough. */
  close(): void {
    assert(this.#depth === 0, 'the queue is not closed within a commit')
    this.#statements.clear()
    if (this.#database.isOpen) this.#guard(() => this.#database.close())
  }

  #span<T>(begin: string, end: string, undo: readonly string[], work: () => T): T {
    this.write(begin)
    this.#depth += 1
    try {
      const result = work()
      assert(!(result instanceof Promise), 'a commit does not wait for a promise')
      this.write(end)
      return result
    } catch (error) {
      if (this.#database.isTransaction) for (const step of undo) this.write(step)
      throw error
    } finally {
      this.#depth -= 1
      if (this.#depth === 0) this.#undone = undefined
    }
  }

  #prepared(sql: string): StatementSync {
    if (this.#undone !== undefined) throw this.#undone
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    const statement = this.#database.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }

  /** Runs one call into SQLite. */
  #guard<T>(call: () => T): T {
    try {
      return call()
    } catch (error) {
      throw this.#known(error)
    }
  }

  /**
   * What was thrown, in the terms of this room. Some failures (a full disk, say) make SQLite undo the whole transaction by
   * itself. What the work did next would then be committed alone, statement by statement; so it fails like the first
   * failure.
   */
  #known(error: unknown): unknown {
    const known = asStoreError(error, 'use', this.#path)
    if (this.#depth > 0 && !this.#database.isTransaction) this.#undone ??= known
    return known
  }
}
