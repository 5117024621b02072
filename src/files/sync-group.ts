/**
 * Many files made durable together. To sync one file takes the disk about as long as to sync the whole file system it is
 * on, so for many small files it is done once for all of them:
 *
 * ```
 *  commit(1…500)   ── sync of the file system ──►
 *       commit(501…800) ┐
 *       commit(801…900) ┴ wait ──────────────────  ── one sync for both ──►
 * ```
 *
 * While one sync runs, files go on being written, and everything that is to be committed meanwhile shares the next.
 */

import type { Answer } from './files.ts'
import { syncsWhole } from './file-system.ts'
import type { PartialFile } from './partial-file.ts'

/** Up to so many files are synced one by one: that leaves alone what other programs have written. */
const FEW_FILES = 8

/** How many files are synced side by side; the thread pool of Node has four threads, and looks up names as well. */
const SYNCS_AT_ONCE = 3

/** One sync of a file system that has not begun yet. */
interface Round {
  /**
   * The file that was opened first. A descriptor hears of what the file system has lost since it was opened (syncfs(2)),
   * so this one hears of everything that could concern any of them.
   */
  earliest: PartialFile
  readonly done: Promise<Answer>
}

/** Makes files durable; one for all files of a process, so that their syncs are shared. */
export class SyncGroup {
  /** By device: the round that runs or was last, and the one that waits for it. */
  readonly #last = new Map<string, Promise<unknown>>()
  readonly #waiting = new Map<string, Round>()

  /**
   * Makes durable what was flushed to these files before the call. They stay open, and must until this settles.
   *
   * @param files those that are finished are synced together, file system by file system
   * @throws {FailureError} the first file that could not be synced; every file was tried, and none is promised
   */
  async commit(files: readonly PartialFile[]): Promise<void> {
    const device = files[0]?.identity?.device
    if (files.every(({ identity }) => identity?.device === device)) {
      return this.#commitPart(device, files)
    }
    const byDevice = Map.groupBy(files, ({ identity }) => identity?.device)
    const parts = await Promise.allSettled(
      Array.from(byDevice, ([device, files]) => this.#commitPart(device, files)),
    )
    for (const part of parts) if (part.status === 'rejected') throw part.reason
  }

  async #commitPart(device: string | undefined, files: readonly PartialFile[]): Promise<void> {
    const [first] = files
    const isWhole =
      device !== undefined &&
      first !== undefined &&
      files.length > FEW_FILES &&
      syncsWhole(first.path) &&
      (await this.#join(device, files)) === 'done'
    if (!isWhole) return syncEach(files)
    for (const file of files) {
      const settled = file.settled()
      if (settled !== undefined) await settled
    }
  }

  /**
   * A sync of the whole file system that begins after this call.
   *
   * @returns `unsupported` also when it failed: that may be about anybody's file, so each of ours is asked by itself
   */
  #join(device: string, files: readonly PartialFile[]): Promise<Answer> {
    const waiting = this.#waiting.get(device)
    if (waiting !== undefined) {
      waiting.earliest = files.reduce(earlier, waiting.earliest)
      return waiting.done
    }
    const before = this.#last.get(device) ?? Promise.resolve()
    const round: Round = {
      earliest: files.reduce(earlier),
      done: before
        .then(() => {
          this.#waiting.delete(device)
          return round.earliest.syncFileSystem()
        })
        .catch((): Answer => 'unsupported'),
    }
    this.#waiting.set(device, round)
    this.#last.set(device, round.done)
    return round.done
  }
}

function earlier(one: PartialFile, other: PartialFile): PartialFile {
  return other.place < one.place ? other : one
}

/** Syncs files one by one, a few at a time. @throws the first failure, after every file was tried */
async function syncEach(files: readonly PartialFile[]): Promise<void> {
  const failures: unknown[] = []
  const queue = files.values()
  const worker = async () => {
    for (const file of queue) await file.sync().catch((error: unknown) => failures.push(error))
  }
  await Promise.all(Array.from({ length: SYNCS_AT_ONCE }, worker))
  if (failures.length > 0) throw failures[0]
}
