/** What the file system refuses, as the failure of a job: code, whether to try again, and a sentence. */

import { statfsSync } from 'node:fs'
import { dirname } from 'node:path'

import { failure, FailureError, type Failure, type FailureDetails } from '../job/failure.ts'
import type { HresultSymbol } from '../job/hresult.ts'

/** What stood in the way, besides the error itself. */
export interface FileFacts {
  /** What was attempted: `Cannot write`, the default. The path follows. */
  readonly attempt?: string
  /** How many more bytes the file wants, where that is known. */
  readonly needs?: number | undefined
  /** How many bytes may be written to the file system; found out when it is full and nobody says. */
  readonly free?: number | undefined
}

interface Meaning extends FailureDetails {
  readonly symbol: HresultSymbol
  readonly reason: string
}

const unreachable: Meaning = {
  symbol: 'ERROR_NETNAME_DELETED',
  reason: 'the file system does not answer',
  severity: 'transient',
}
const inUse: Meaning = { symbol: 'ERROR_SHARING_VIOLATION', reason: 'another program uses it' }
/** The table knows no ERROR_TOO_MANY_OPEN_FILES; what all codes of this kind say is that the machine is short of something. */
const outOfFiles: Meaning = {
  symbol: 'E_OUTOFMEMORY',
  reason: 'too many files are open',
  severity: 'transient',
}
const denied: Meaning = { symbol: 'E_ACCESSDENIED', reason: 'permission denied' }
const unsupported: Meaning = {
  symbol: 'ERROR_NOT_SUPPORTED',
  reason: 'the file system cannot do this',
}

/** What the system's codes mean for a job (bits-errors.md §6). */
const meanings: ReadonlyMap<string, Meaning> = new Map([
  ['ENOSPC', { symbol: 'ERROR_DISK_FULL', reason: 'the disk is full', waitsFor: 'space' }],
  [
    'EDQUOT',
    {
      symbol: 'ERROR_DISK_QUOTA_EXCEEDED',
      reason: 'the quota of this user is used up',
      waitsFor: 'space',
    },
  ],
  ['EACCES', denied],
  ['EPERM', denied],
  ['EROFS', { symbol: 'ERROR_WRITE_PROTECT', reason: 'the file system is read-only' }],
  ['ENOENT', { symbol: 'ERROR_PATH_NOT_FOUND', reason: 'the folder does not exist' }],
  [
    'ENOTDIR',
    { symbol: 'ERROR_PATH_NOT_FOUND', reason: 'a part of the path is a file, not a folder' },
  ],
  ['ELOOP', { symbol: 'ERROR_PATH_NOT_FOUND', reason: 'symbolic links lead in a circle' }],
  ['EISDIR', { symbol: 'ERROR_ALREADY_EXISTS', reason: 'a folder has this name' }],
  ['EEXIST', { symbol: 'ERROR_FILE_EXISTS', reason: 'the file exists already' }],
  ['ENOTEMPTY', { symbol: 'ERROR_ALREADY_EXISTS', reason: 'a folder has this name' }],
  ['ENAMETOOLONG', { symbol: 'ERROR_FILENAME_EXCED_RANGE', reason: 'the name is too long' }],
  ['EILSEQ', { symbol: 'ERROR_INVALID_NAME', reason: 'the file system does not take this name' }],
  [
    'EXDEV',
    {
      symbol: 'ERROR_NOT_SUPPORTED',
      reason: 'the finished file cannot be renamed within this folder: it spans file systems',
    },
  ],
  ['ENOTSUP', unsupported],
  ['EOPNOTSUPP', unsupported],
  ['ENOSYS', unsupported],
  [
    'EFBIG',
    { symbol: 'ERROR_NOT_SUPPORTED', reason: 'the file is larger than the file system can hold' },
  ],
  ['EIO', { symbol: 'E_FAIL', reason: 'the disk reported an input/output error' }],
  ['EMFILE', outOfFiles],
  ['ENFILE', outOfFiles],
  ['ENOMEM', { symbol: 'E_OUTOFMEMORY', reason: 'memory is short', severity: 'transient' }],
  ['EBUSY', inUse],
  ['ETXTBSY', inUse],
  ['EAGAIN', inUse],
  ['ESTALE', unreachable],
  ['ENOTCONN', unreachable],
  ['ETIMEDOUT', unreachable],
  ['EHOSTDOWN', unreachable],
  ['EHOSTUNREACH', unreachable],
  ['ENODEV', unreachable],
  ['ENXIO', unreachable],
])

/**
 * The failure that a system error is, in the context LOCAL_FILE.
 *
 * @param path the target, as people know it; the partial name says nothing to them
 * @returns `undefined` when `error` is not a system error: a mistake of our own, which nobody should try again
 */
export function fileFailure(
  error: unknown,
  path: string | undefined,
  facts: FileFacts = {},
): Failure | undefined {
  if (error instanceof FailureError) return error.failure
  const code = systemCode(error)
  return code === undefined ? undefined : codeFailure(code, path, facts)
}

/** The same as an error to throw; `error` itself when it is not a system error. */
export function fileError(error: unknown, path: string, facts: FileFacts = {}): Error {
  if (error instanceof FailureError) return error
  const reason = fileFailure(error, path, facts)
  if (reason !== undefined) return new FailureError(reason, { cause: error })
  return error instanceof Error ? error : new Error(String(error))
}

/** The failure of a full disk that was found out by asking. */
export function diskFullError(path: string, facts: FileFacts): FailureError {
  return new FailureError(codeFailure('ENOSPC', path, facts))
}

function codeFailure(
  code: string,
  path: string | undefined,
  { attempt = 'Cannot write', needs, free }: FileFacts,
): Failure {
  const { symbol, reason, ...details } = meanings.get(code) ?? {
    symbol: 'E_FAIL' as const,
    reason: `the system answers ${code}`,
  }
  const figures = code === 'ENOSPC' ? spaceFigures(needs, free, path) : ''
  const sentence = `${attempt} ${path ?? 'the file'}: ${reason}${figures}`
  return failure(symbol, 'LOCAL_FILE', sentence, details)
}

/** The system's code for what went wrong: `ENOENT`; `undefined` for any other error. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') {
    return undefined
  }
  return /^E[A-Z0-9]+$/u.test(error.code) ? error.code : undefined
}

/** What a file system has left for this user. */
export interface FreeSpace {
  readonly bytes: number
  /** Whether it can take another file, however small. */
  readonly takesFiles: boolean
}

/**
 * Asks the file system of the folder that holds `path` what it has left.
 *
 * @returns `undefined` where it does not say
 */
export function freeSpace(path: string): FreeSpace | undefined {
  try {
    const { bavail, bsize, blocks, ffree, files } = statfsSync(dirname(path))
    if (blocks === 0) return undefined
    // File systems without a table of fixed size answer 0 of 0.
    return { bytes: bavail * bsize, takesFiles: files === 0 || ffree > 0 }
  } catch {
    return undefined
  }
}

function spaceFigures(
  needs: number | undefined,
  free: number | undefined,
  path: string | undefined,
): string {
  const space = free === undefined && path !== undefined ? freeSpace(path) : undefined
  if (space?.takesFiles === false) return ' (it has no room for another file, however small)'
  const bytes = free ?? space?.bytes
  const figures = [
    ...(needs === undefined ? [] : [`needs ${formatSize(needs)}`]),
    ...(bytes === undefined ? [] : [`${formatSize(bytes)} free`]),
  ]
  return figures.length === 0 ? '' : ` (${figures.join(', ')})`
}

const units = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB'] as const

/** Decimal units with one digit: `3.2 GB`. */
function formatSize(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 999.95 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`
}
