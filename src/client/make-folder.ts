/** Makes a folder with what is above it. */

import { dirname } from 'node:path'
import { existsSync, mkdirSync, statSync } from './node-fs.ts'

/**
 * Makes a private folder (mode 0700) and every missing one above it; one that is there is left as it is.
 *
 * Not `mkdirSync` with `recursive`, which tries for ever where a file system says that the parent is missing when it
 * is not, as /proc does.
 *
 * @throws the system's error when it cannot be made, or is no folder
 */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return
    const parent = dirname(path)
    const isParentMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    if (!isParentMissing || parent === path || existsSync(parent)) throw error
    makeFolder(parent)
    makeFolder(path)
  }
}
