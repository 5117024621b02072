/** Gives finished partial files their names. */

import { linkSync, lstatSync, renameSync, unlinkSync, type BigIntStats } from 'node:fs'
import { dirname } from 'node:path'
import { setImmediate } from 'node:timers/promises'

import type { RenameFile } from '../engine/order.ts'
import { failure, FailureError, type Failure } from '../job/failure.ts'
import type { HresultSymbol } from '../job/hresult.ts'
import type { FileIdentity } from '../job/job.ts'
import { fileFailure, systemCode } from './failure.ts'
import type { DiskCalls } from './files.ts'
import { syncFoldersOf } from './folder.ts'
import { nativeDiskCalls } from './native-disk-calls.ts'
import { checkReplaceable } from './target.ts'

/** How renaming is done. */
export interface RenameOptions {
  /** Whether what has a name already is replaced. */
  readonly overwrite: boolean
  /** What the platform can do. Default: this one's. */
  readonly calls?: DiskCalls
}

/** How renaming went. */
export interface RenameOutcome {
  /** Ordinals of the files that have their names, durably. */
  readonly renamed: readonly number[]
  /** Why the first of the others has not. */
  readonly failure?: Failure
}

/** So many files are renamed in a row before the event loop has its turn: about 5 ms. */
const FILES_PER_BREATH = 256

const ATTEMPT = 'Cannot complete'

/** Files that have their names, which a crash may still take away. */
export interface Named {
  readonly files: readonly RenameFile[]
  /** Why the next one has not. */
  readonly refused: Failure | undefined
}

/**
 * Renames finished files to their targets. The first file that cannot be renamed is the last that is tried. May be called
 * again with the same files: a file that bears its name already, which its identity proves, is renamed.
 *
 * Each target appears in one step: whole, or not at all. A symbolic link that has the name is replaced itself, and not
 * what it points to.
 */
export async function nameAll(
  files: readonly RenameFile[],
  { overwrite, calls = nativeDiskCalls }: RenameOptions,
): Promise<Named> {
  const named: RenameFile[] = []
  for (const file of files) {
    const refused = tryRename(file, overwrite, calls)
    if (refused !== undefined) return { files: named, refused }
    named.push(file)
    if (named.length % FILES_PER_BREATH === 0) await setImmediate()
  }
  return { files: named, refused: undefined }
}

/** Syncs the folders of files that were renamed, each once; only then is anything called renamed. */
export async function keepNames(
  { files, refused }: Named,
  calls: DiskCalls = nativeDiskCalls,
): Promise<RenameOutcome> {
  const names = files.map(({ localName }) => localName)
  const unsynced = await syncFoldersOf(names, calls)
  const isLost = ({ localName }: RenameFile): boolean => unsynced.has(dirname(localName))
  const lost = unsynced.size === 0 ? undefined : files.find(isLost)
  const durable = lost === undefined ? files : files.filter((file) => !isLost(file))
  const reason =
    lost === undefined ? refused : asFailure(unsynced.get(dirname(lost.localName)), lost)
  return {
    renamed: durable.map(({ ordinal }) => ordinal),
    ...(reason === undefined ? {} : { failure: reason }),
  }
}

/** {@link nameAll} and {@link keepNames}. */
export async function renameAll(
  files: readonly RenameFile[],
  options: RenameOptions,
): Promise<RenameOutcome> {
  return keepNames(await nameAll(files, options), options.calls)
}

function tryRename(file: RenameFile, overwrite: boolean, calls: DiskCalls): Failure | undefined {
  try {
    renameOne(file, overwrite, calls)
    return undefined
  } catch (error) {
    return asFailure(error, file)
  }
}

/** @throws what is not the file system's: a mistake of our own */
function asFailure(error: unknown, { localName, ordinal }: RenameFile): Failure {
  const reason = fileFailure(error, localName, { attempt: ATTEMPT })
  if (reason === undefined) throw error
  return { ...reason, file: ordinal }
}

function renameOne(file: RenameFile, overwrite: boolean, calls: DiskCalls): void {
  const { partialName, localName, identity } = file
  const partial = lstatSync(partialName, { throwIfNoEntry: false })
  if (partial === undefined) return checkRenamed(file)
  if (identity !== undefined && (!partial.isFile() || partial.size !== identity.size)) {
    throw refusal('ERROR_INVALID_DATA', localName, `${partialName} was changed by somebody else`)
  }
  // Both names at once: a crash between the two steps of `linkThenUnlink`.
  if (partial.nlink > 1 && isSame(look(localName), look(partialName))) {
    return unlinkSync(partialName)
  }
  if (overwrite) replace(partialName, localName)
  else if (calls.renameNoReplace(partialName, localName) === 'unsupported') {
    linkThenUnlink(partialName, localName)
  }
}

/** The partial file is gone: it must be what has the name now. */
function checkRenamed({ partialName, localName, identity }: RenameFile): void {
  const target = look(localName)
  if (identity !== undefined && target !== undefined && isIdentical(target, identity)) return
  const reason = `the data is gone: somebody deleted ${partialName}`
  throw refusal('ERROR_FILE_NOT_FOUND', localName, reason)
}

function replace(partialName: string, localName: string): void {
  const target = look(localName)
  if (target !== undefined) checkReplaceable(target, localName)
  renameSync(partialName, localName)
}

/** No replacing without a call for it: a second name is refused where there is one already. */
function linkThenUnlink(partialName: string, localName: string): void {
  try {
    linkSync(partialName, localName)
  } catch (error) {
    if (!cannotLink.has(systemCode(error) ?? '')) throw error
    return renameIfFree(partialName, localName)
  }
  unlinkSync(partialName)
}

/** What a file system without hard links answers. */
const cannotLink: ReadonlySet<string> = new Set([
  'EPERM',
  'EACCES',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
  'EMLINK',
])

/** The last resort (FAT without renameat2): a file that appears between the two calls is replaced. */
function renameIfFree(partialName: string, localName: string): void {
  if (look(localName) !== undefined) {
    throw refusal('ERROR_FILE_EXISTS', localName, 'the file exists already')
  }
  renameSync(partialName, localName)
}

function look(path: string): BigIntStats | undefined {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false })
}

function isSame(one: BigIntStats | undefined, other: BigIntStats | undefined): boolean {
  if (one === undefined || other === undefined) return false
  return one.ino === other.ino && one.dev === other.dev
}

/**
 * Whether a file is the one that was finished. Its device is not asked for: Btrfs, NFS and others number theirs anew
 * with each mount, and the file is in the folder it was finished in.
 */
function isIdentical(found: BigIntStats, { inode, size }: FileIdentity): boolean {
  return found.isFile() && `${found.ino}` === inode && found.size === BigInt(size)
}

function refusal(symbol: HresultSymbol, localName: string, reason: string): FailureError {
  return new FailureError(failure(symbol, 'LOCAL_FILE', `${ATTEMPT} ${localName}: ${reason}`))
}
