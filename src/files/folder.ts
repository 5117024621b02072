/** Makes names durable: a rename or a deletion is on disk when the folder is. */

import { close, fsync, open } from 'node:fs'
import { dirname } from 'node:path'
import { promisify } from 'node:util'

import { systemCode } from './failure.ts'
import type { DiskCalls } from './files.ts'

const openAsync = promisify(open)
const fsyncAsync = promisify(fsync)
const closeAsync = promisify(close)

/** How many folders are synced side by side. */
const SYNCS_AT_ONCE = 3

/** File systems that cannot sync a folder say so with one of these; they write names through, or promise nothing. */
const cannotSync: ReadonlySet<string> = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])

/**
 * Makes the names of these files durable, each folder once.
 *
 * @param paths files that were renamed into their folders, or deleted from them
 * @returns what went wrong, by folder; empty when every name is durable
 */
export async function syncFoldersOf(
  paths: readonly string[],
  calls: DiskCalls,
): Promise<ReadonlyMap<string, unknown>> {
  const failures = new Map<string, unknown>()
  // Windows opens no folder; NTFS keeps names in its journal.
  if (process.platform === 'win32') return failures
  const queue = foldersOf(paths).entries()
  const worker = async () => {
    for (const [folder, witness] of queue) {
      await syncFolder(folder, witness, calls).catch((error: unknown) =>
        failures.set(folder, error),
      )
    }
  }
  await Promise.all(Array.from({ length: SYNCS_AT_ONCE }, worker))
  return failures
}

/** Each folder, with the first of the files in it. */
function foldersOf(paths: readonly string[]): ReadonlyMap<string, string> {
  const folders = new Map<string, string>()
  for (const path of paths) {
    const folder = dirname(path)
    if (!folders.has(folder)) folders.set(folder, path)
  }
  return folders
}

async function syncFolder(folder: string, witness: string, calls: DiskCalls): Promise<void> {
  const descriptor = await openForSync(folder, witness)
  try {
    if (descriptor.isFolder || (await calls.syncFileSystem(descriptor.fd)) === 'unsupported') {
      await fsyncAsync(descriptor.fd)
    }
  } catch (error) {
    if (!cannotSync.has(systemCode(error) ?? '')) throw error
  } finally {
    await closeAsync(descriptor.fd)
  }
}

/** A folder that may be written to and not read cannot be opened: then a file in it stands for its file system. */
async function openForSync(
  folder: string,
  witness: string,
): Promise<{ fd: number; isFolder: boolean }> {
  try {
    return { fd: await openAsync(folder, 'r'), isFolder: true }
  } catch (error) {
    if (!['EACCES', 'EPERM'].includes(systemCode(error) ?? '')) throw error
    return { fd: await openAsync(witness, 'r'), isFolder: false }
  }
}
