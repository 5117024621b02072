/**
 * One service per home: an exclusive transaction on a small SQLite file that nothing is ever written to.
 *
 * The operating system ends the lock with the process, however that ends, so there are no stale locks and nothing to
 * take over. A locked file cannot be read; so the holder's process id lies beside it, for the message, and whether
 * somebody will answer who does not answer yet, for clients.
 */

import { closeSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { formatHolder, parseHolder } from '../base/holder.ts'
import { StoreError, isBusy } from './store-error.ts'

/** The lock, held until it is disposed or the process ends; keep it reachable, or it is collected and released. */
export interface Lock extends Disposable {
  /**
   * Says beside the lock whether the holder comes: it starts, or makes room for the next one, which will be the same
   * process. What says so then stays there when the lock is disposed.
   */
  announce(isComing: boolean): void
}

/** Why the lock was not acquired. */
export interface LockRefusal {
  /** The process that holds it, as far as it is known. */
  readonly heldBy: number | undefined
}

/**
 * Tries to become the only holder; does not wait.
 *
 * @param path full; its folder exists. The process id goes to a file beside it, with `.pid` at the end
 * @param isComing whether clients may wait for the holder to answer
 * @throws {StoreError} `ERR_STORE_IO` when the file can be neither made nor locked for another reason than a holder
 */
export function acquireLock(path: string, isComing = false): Lock | LockRefusal {
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
  let isAnnounced = isComing
  writeHolder(path, isComing)
  return {
    announce(comes) {
      if (!held.isOpen || comes === isAnnounced) return
      isAnnounced = comes
      writeHolder(path, comes)
    },
    [Symbol.dispose]() {
      if (!held.isOpen) return
      if (!isAnnounced) rmSync(`${path}.pid`, { force: true })
      held.close()
    },
  }
}

function writeHolder(path: string, isComing: boolean): void {
  try {
    const text = formatHolder({ pid: process.pid, isComing })
    writeFileSync(`${path}.pid.new`, text, { mode: 0o600 })
    renameSync(`${path}.pid.new`, `${path}.pid`)
  } catch {
    // A full disk, most likely. The lock holds without it; only what is said to others is poorer.
  }
}

/** The process id beside the lock; not that of a holder that is gone, whose successor has not written its own yet. */
function readHolder(path: string): number | undefined {
  try {
    const pid = parseHolder(readFileSync(`${path}.pid`, 'utf8'))?.pid
    return pid !== undefined && isRunning(pid) ? pid : undefined
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
