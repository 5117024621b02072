/** Looks at a target before anything is fetched: what cannot end well is refused at once. */

import { accessSync, constants, lstatSync, statSync, type Stats } from 'node:fs'
import { basename, dirname, join } from 'node:path'

import { assert } from '../base/error.ts'
import { failure, FailureError } from '../job/failure.ts'
import type { HresultSymbol } from '../job/hresult.ts'
import { fileError } from './failure.ts'

/** What may be done to a target. */
export interface TargetOptions {
  /** Whether a file that has the name may be replaced. */
  readonly overwrite: boolean
}

/**
 * Checks that a file can be made under this name: the folder is there and may be written to, the name is free or may be
 * replaced, and it is not too long. Two system calls where all is well.
 *
 * Symbolic links on the way to the folder are followed. A symbolic link that has the name itself is not: it is what
 * exists, wherever it points, and it is what a rename replaces.
 *
 * @param localName full path
 * @throws {FailureError} context LOCAL_FILE: `ERROR_FILE_EXISTS`, `ERROR_ALREADY_EXISTS` for a folder,
 *   `ERROR_NOT_SUPPORTED` for a device or a pipe, `ERROR_PATH_NOT_FOUND`, `E_ACCESSDENIED`, `ERROR_WRITE_PROTECT`,
 *   `ERROR_FILENAME_EXCED_RANGE`
 */
export function checkTarget(localName: string, { overwrite }: TargetOptions): void {
  try {
    checkFolder(localName)
    const found = lstatSync(localName, { throwIfNoEntry: false })
    if (found !== undefined) checkReplaceable(found, localName)
    if (found !== undefined && !overwrite) {
      throw refusal('ERROR_FILE_EXISTS', localName, 'the file exists already')
    }
  } catch (error) {
    throw fileError(error, localName)
  }
}

/**
 * Checks that what has a name may be replaced by a file: a file or a symbolic link, never a folder, and never what only
 * looks like a file. `/dev/null` is the name that such a mistake is made with.
 *
 * @throws {FailureError}
 */
export function checkReplaceable(found: Pick<Stats, Kinds>, localName: string): void {
  if (found.isDirectory())
    throw refusal('ERROR_ALREADY_EXISTS', localName, 'a folder has this name')
  if (!found.isFile() && !found.isSymbolicLink()) {
    throw refusal('ERROR_NOT_SUPPORTED', localName, 'a device or a pipe has this name')
  }
}

type Kinds = 'isDirectory' | 'isFile' | 'isSymbolicLink'

/**
 * The target beside `localName` that has another name.
 *
 * @param name one that `safeFileName` of `wire` has made
 */
export function siblingTarget(localName: string, name: string): string {
  assert(
    name === basename(name) && name !== '' && name !== '.' && name !== '..',
    'a name is no path',
  )
  return join(dirname(localName), name)
}

/** One call where all is well; what exactly is wrong is found out when something is. */
function checkFolder(localName: string): void {
  const folder = dirname(localName)
  try {
    accessSync(`${folder}/.`, constants.W_OK | constants.X_OK)
  } catch (error) {
    const found = statSync(folder, { throwIfNoEntry: false })
    if (found?.isDirectory() === true) throw error
    const reason =
      found === undefined
        ? `the folder ${folder} does not exist`
        : `${folder} is a file, not a folder`
    throw refusal('ERROR_PATH_NOT_FOUND', localName, reason)
  }
}

function refusal(symbol: HresultSymbol, localName: string, reason: string): FailureError {
  return new FailureError(failure(symbol, 'LOCAL_FILE', `Cannot write ${localName}: ${reason}`))
}
