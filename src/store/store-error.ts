/** What can be wrong with the queue, and how SQLite says it. */

import { LullError } from '../base/error.ts'

/** One of the conditions of the queue that somebody can act on. */
export type StoreErrorCode =
  /** The file is no queue any more; nothing is written to it. */
  | 'ERR_STORE_DAMAGED'
  /** The file is a database of another program. */
  | 'ERR_STORE_FOREIGN'
  /** The file was written by a newer version. */
  | 'ERR_STORE_NEWER'
  /** No room on the disk; nothing was changed, and it works again once there is room. */
  | 'ERR_STORE_FULL'
  /** Another process has the file open. */
  | 'ERR_STORE_BUSY'
  /** The operating system refused: the message says what. */
  | 'ERR_STORE_IO'

/** A condition of the queue. */
export class StoreError extends LullError {
  declare readonly code: StoreErrorCode
}

/** A row that no version of ours wrote. Carries a sentence on what is wrong, never the value. */
export class DamagedRow extends Error {
  override readonly name = 'DamagedRow'
}

/** Primary result codes of SQLite (sqlite.org/rescode.html). */
const SQLITE_BUSY = 5
const SQLITE_LOCKED = 6
const SQLITE_IOERR = 10
const SQLITE_CORRUPT = 11
const SQLITE_FULL = 13
const SQLITE_CANTOPEN = 14
const SQLITE_CONSTRAINT = 19
const SQLITE_NOTADB = 26

/** The queue does not fit the statements of this version. */
const SQLITE_ERROR = 1

/** The kernel had no room for the shared part of the log, which SQLite does not count as a full disk. */
const SQLITE_IOERR_SHMSIZE = 4874

/** The SQLite error as Node throws it. */
interface SqliteError extends Error {
  /** Extended result code; its low byte is the primary one. */
  readonly errcode: number
}

/** Whether `error` is one of Node's SQLite module, with a result code. */
export function isSqliteError(error: unknown): error is SqliteError {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number'
}

/** Whether `error` comes from a call into the operating system. */
function isSystemError(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && 'syscall' in error && 'code' in error
}

/** Whether somebody else holds the lock that was asked for. */
export function isBusy(error: unknown): boolean {
  return isSqliteError(error) && [SQLITE_BUSY, SQLITE_LOCKED].includes(error.errcode & 0xff)
}

/** Whether the operating system refused what SQLite asked of it. */
export function isIoError(error: unknown): boolean {
  const codes = [SQLITE_IOERR, SQLITE_FULL, SQLITE_CANTOPEN]
  return isSqliteError(error) && codes.includes(error.errcode & 0xff)
}

/**
 * What was thrown, in the terms of this room: SQLite's errors become {@link StoreError}s, everything else stays.
 *
 * @param attempt what was attempted: `open`, `use`
 */
export function asStoreError(error: unknown, attempt: string, path: string): unknown {
  if (error instanceof DamagedRow) return damaged(attempt, path, error.message, error)
  const refuse = (code: StoreErrorCode, why: string) =>
    new StoreError(code, `Cannot ${attempt} the queue ${path}: ${why}`, { cause: error })
  if (isSystemError(error)) {
    return ['ENOSPC', 'EDQUOT'].includes(error.code)
      ? refuse('ERR_STORE_FULL', 'the disk is full')
      : refuse('ERR_STORE_IO', error.message)
  }
  if (!isSqliteError(error)) return error
  if (error.errcode === SQLITE_IOERR_SHMSIZE) return refuse('ERR_STORE_FULL', 'the disk is full')
  switch (error.errcode & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return damaged(attempt, path, error.message, error)
    case SQLITE_ERROR:
      return damaged(attempt, path, `its tables are not those of a queue: ${error.message}`, error)
    case SQLITE_FULL:
      return refuse('ERR_STORE_FULL', 'the disk is full')
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return refuse('ERR_STORE_BUSY', 'another process has it open')
    case SQLITE_CONSTRAINT:
      return new Error(`Broken invariant: ${error.message}`, { cause: error })
    default:
      return refuse('ERR_STORE_IO', error.message)
  }
}

/** The error of a damaged queue (BG_E_DATABASE_CORRUPT, bits-jobs.md §21). BITS clears such a list; we never do. */
export function damaged(attempt: string, path: string, why: string, cause?: unknown): StoreError {
  return new StoreError(
    'ERR_STORE_DAMAGED',
    `Cannot ${attempt} the queue ${path}: it is damaged (BG_E_DATABASE_CORRUPT): ${why}; restore a copy of it or move it away to begin with an empty queue`,
    { cause },
  )
}
