/** Deletes partial files that nobody wants any more. */

import { lstatSync, unlinkSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'

import { systemCode } from './failure.ts'
import type { DiskCalls } from './files.ts'
import { syncFoldersOf } from './folder.ts'
import { nativeDiskCalls } from './native-disk-calls.ts'

/** How deleting went. */
export interface DiscardOutcome {
  /** Full paths of what could not be deleted. */
  readonly leftovers: readonly string[]
}

/** So many files are deleted in a row before the event loop has its turn: about 6 ms, to give back blocks takes time. */
const FILES_PER_BREATH = 64

/**
 * Deletes partial files, whatever is in them; one that is not there is deleted already. Tries every one.
 *
 * The folders are synced as well, though no byte depends on it: the job forgets these names next, and what a power cut
 * brought back after that, nobody would ever delete. A folder that cannot be synced is no leftover.
 */
export async function discardAll(
  partialNames: readonly string[],
  { calls = nativeDiskCalls }: { readonly calls?: DiskCalls } = {},
): Promise<DiscardOutcome> {
  const leftovers: string[] = []
  for (const [index, path] of partialNames.entries()) {
    if (!isDeleted(path)) leftovers.push(path)
    if (index % FILES_PER_BREATH === FILES_PER_BREATH - 1) await setImmediate()
  }
  await syncFoldersOf(partialNames, calls)
  return { leftovers }
}

/** Deletes one file. Asks first, because to be told that nothing is there costs far less than an error. */
function isDeleted(path: string): boolean {
  try {
    if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) unlinkSync(path)
    return true
  } catch (error) {
    return ['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')
  }
}
