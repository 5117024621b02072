/** Looks at a target before anything is fetched: what cannot end well is refused at once. */

import { accessSync, constants, lstatSync, opendirSync, statSync, type Stats } from 'node:fs'
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
export function checkTarget(localName: string, options: TargetOptions): void {
  try {
    checkFolder(localName)
    checkName(localName, options)
  } catch (error) {
    throw fileError(error, localName)
  }
}

/** Names of at most so many UTF-16 code units are too long for no file system: they have three bytes each, at most. */
const SHORT_NAME = 85

/**
 * Checks targets of which thousands are in one folder: it is looked at once as long as they follow each other.
 *
 * In a folder that was empty then, no name is looked for. Whatever appears there later is met where it decides: a rename
 * replaces nothing unless it may.
 */
export class TargetChecks {
  #folder: string | undefined
  #wasEmpty = false

  /** @throws {FailureError} as {@link checkTarget} */
  check(localName: string, options: TargetOptions): void {
    try {
      const folder = dirname(localName)
      if (folder !== this.#folder) this.#enter(folder, localName)
      const isShort = localName.length - folder.length <= SHORT_NAME
      if (!this.#wasEmpty || !isShort) checkName(localName, options)
    } catch (error) {
      throw fileError(error, localName)
    }
  }

  #enter(folder: string, localName: string): void {
    checkFolder(localName)
    this.#folder = folder
    this.#wasEmpty = isEmpty(folder)
  }
}

function checkName(localName: string, { overwrite }: TargetOptions): void {
  const found = lstatSync(localName, { throwIfNoEntry: false })
  if (found === undefined) return
  checkReplaceable(found, localName)
  if (!overwrite) throw refusal('ERROR_FILE_EXISTS', localName, 'the file exists already')
}

/** A folder that may be written to and not read is none that is known to be empty. */
function isEmpty(folder: string): boolean {
  try {
    using entries = opendirSync(folder)
    return entries.readSync() === null
  } catch {
    return false
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
