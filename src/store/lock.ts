/**
 * One service per home: an exclusive transaction on a small SQLite file that nothing is ever written to.
 *
 * The operating system ends the lock with the process, however that ends, so there are no stale locks and nothing to
 * take over. A locked file cannot be read; so the holder's process id lies beside it, for the message and for nothing
 * else.
 */

import { closeSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { StoreError, isBusy } from './store-error.ts'

/** The lock, held until it is disposed or the process ends; keep it reachable, or it is collected and released. */
export type Lock = Disposable

/** Why the lock was not acquired. */
export interface LockRefusal {
  /** The process that holds it, as far as it is known. */
  readonly heldBy: number | undefined
}

/**
 * Tries to become the only holder; does not wait.
 *
 * @param path full; its folder exists. The process id goes to a file beside it, with `.pid` at the end
 * @throws {StoreError} `ERR_STORE_IO` when the file can be neither made nor locked for another reason than a holder
 */
export function acquireLock(path: string): Lock | LockRefusal {
  let database: DatabaseSync | undefined
  try {
    // Made before SQLite does: whoever could read it could hold it.
    closeSync(openSync(path, 'a', 0o600))
    database = new DatabaseSync(path, { timeout: 0 })
    database.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    database?.close()
    if (isBusy(error)) return { heldBy: readHolder(path) }
    const why = error instanceof Error ? error.message : String(error)
    throw new StoreError('ERR_STORE_IO', `Cannot lock ${path}: ${why}`, { cause: error })
  }
  const held = database
  writeHolder(path)
  return {
    [Symbol.dispose]() {
      if (!held.isOpen) return
      rmSync(`${path}.pid`, { force: true })
      held.close()
    },
  }
}

function writeHolder(path: string): void {
  try {
    writeFileSync(`${path}.pid.new`, `${process.pid}\n`, { mode: 0o600 })
    renameSync(`${path}.pid.new`, `${path}.pid`)
  } catch {
    // A full disk, most likely. The lock holds without it; only the sentence for a second service is poorer.
  }
}

/** The process id beside the lock; not that of a holder that is gone, whose successor has not written its own yet. */
function readHolder(path: string): number | undefined {
  try {
    const pid = Number(readFileSync(`${path}.pid`, 'utf8'))
    return Number.isSafeInteger(pid) && pid > 0 && isRunning(pid) ? pid : undefined
  } catch {
    return undefined
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
