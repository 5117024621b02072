/** A new name for a file, and never over another file. */

import type { BigIntStats } from 'node:fs'
import { linkSync, lstatSync, readdirSync, renameSync, statSync, unlinkSync } from 'node:fs'
import { constants } from 'node:os'
import { basename, dirname } from 'node:path'
import { systemCalls } from './system.ts'
import type { SystemCalls } from './system-calls.ts'
import { SystemError } from './system-error.ts'

/**
 * What kept the target from being overwritten. `kernel`: renameat2 or renamex_np, one step. `link`: a hard link under
 * the new name, which fails when the name is taken, then the old name removed. `check`: a look, then a plain rename;
 * whoever takes the name in between is overwritten.
 */
export type RenameGuard = 'kernel' | 'link' | 'check'

/** How a file is renamed. */
export interface RenameOptions {
  /** The operating system's calls, chosen by default. */
  readonly calls?: SystemCalls
  /** Makes a hard link; throws where the file system has none. Node's own by default. */
  readonly link?: (from: string, to: string) => void
}

/**
 * Renames a file or folder within its file system, unless something has the new name.
 *
 * The kernel does it in one step where platform and file system know how. Otherwise a hard link takes the new name
 * (without koffi, on Windows, on older file systems), and where there are none (FAT, folders) a look and a rename. A
 * crash between link and removal leaves both names on one file; the same call again finishes that move. Neither folder
 * is synced.
 *
 * @param from no trailing separator
 * @param to in an existing folder
 * @returns what kept the target safe
 * @throws {NodeJS.ErrnoException} `EEXIST` when `to` exists, a dangling symbolic link included; `ENOENT`, `EXDEV`,
 *   `EACCES`, … as rename(2)
 * @throws {TypeError} when a path is empty or holds a NUL
 */
export function renameNoReplace(
  from: string,
  to: string,
  { calls = systemCalls(), link = linkSync }: RenameOptions = {},
): RenameGuard {
  for (const path of [from, to]) {
    // C would end the path at the NUL, and rename another file.
    if (path === '' || path.includes('\0')) {
      throw new TypeError(`Cannot rename without a valid path: ${JSON.stringify(path)}`)
    }
  }
  try {
    return move(from, to, calls, link)
  } catch (error) {
    if (!hasCode(error, 'EEXIST') || !isHalfMoved(from, to)) throw error
    unlinkSync(from)
    return 'link'
  }
}

function move(
  from: string,
  to: string,
  { renameNoReplace }: SystemCalls,
  link: (from: string, to: string) => void,
): RenameGuard {
  if (renameNoReplace.kind === 'available' && renameNoReplace.value(from, to) === 'renamed') {
    return 'kernel'
  }
  try {
    link(from, to)
  } catch (error) {
    if (hasCode(error, 'EEXIST')) throw error
    // No hard links here, or something worse, which the rename then says in its own words.
    moveAfterLook(from, to)
    return 'check'
  }
  unlinkSync(from)
  return 'link'
}

function moveAfterLook(from: string, to: string): void {
  if (lstatSync(to, { throwIfNoEntry: false }) !== undefined) {
    throw new SystemError(`rename ${from} to ${to}`, 'rename', -constants.errno.EEXIST)
  }
  renameSync(from, to)
}

/**
 * Whether both names stand for one file, as two entries: what a crash between link and removal leaves. Two names may
 * also lead to a single entry, and removing one would remove the file: where upper and lower case are one, which the
 * folder's list tells, and where a file is mounted over another, which the number of its links tells.
 */
function isHalfMoved(from: string, to: string): boolean {
  const options = { bigint: true, throwIfNoEntry: false } as const
  const source = lstatSync(from, options)
  if (!source?.isFile() || source.nlink < 2n) return false
  if (!isSame(source, lstatSync(to, options))) return false
  if (!isSame(statSync(dirname(from), options), statSync(dirname(to), options))) return true
  const names = readdirSync(dirname(from))
  const [old, fresh] = [basename(from), basename(to)]
  return old !== fresh && names.includes(old) && names.includes(fresh)
}

function isSame(one: BigIntStats | undefined, other: BigIntStats | undefined): boolean {
  return one?.dev === other?.dev && one?.ino === other?.ino
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
