/** What a checkpoint does to a file and to the counters of its job. Pure. */

import { countBytes } from '../base/byte-range.ts'
import type { Job, JobFile, Tally } from '../job/job.ts'
import { withoutUserInformation } from '../job/names.ts'
import type { FileProgress } from './order.ts'

/** The file after a carrier reported durable facts about it. */
export function withProgress(file: JobFile, progress: FileProgress): JobFile {
  const { ordinal, digests, tagRestarts } = file
  const { ranges, version, size, transferred, localName = file.localName } = progress
  const { identity = file.identity } = progress
  const { remoteName, askedName } = namesAfter(file, progress)
  return {
    ordinal,
    remoteName,
    localName,
    digests,
    kind: transferred ? 'transferred' : 'missing',
    ranges,
    tagRestarts,
    ...(size === undefined ? undefined : { size }),
    ...(identity === undefined ? undefined : { identity }),
    // A version is what a rest must be of.
    ...(version === undefined || transferred ? undefined : { version }),
    ...(askedName === undefined ? undefined : { askedName }),
  }
}

/** Where a file is, as a carrier reported it, and where it is asked for when that is at another origin. */
function namesAfter(
  file: JobFile,
  { remoteName: reported }: FileProgress,
): Pick<JobFile, 'remoteName' | 'askedName'> {
  if (reported === undefined) return file
  const { askedName = file.remoteName } = file
  const remoteName = withoutUserInformation(reported)
  const isElsewhere = new URL(askedName).origin !== new URL(remoteName).origin
  return isElsewhere ? { remoteName, askedName } : { remoteName }
}

/** The file with everything forgotten that belonged to an older version of it. */
export function withoutBytes(file: JobFile, tagOnly: boolean): JobFile {
  const { version: _, size: __, identity: ___, ...rest } = file
  return { ...rest, kind: 'missing', ranges: [], tagRestarts: file.tagRestarts + (tagOnly ? 1 : 0) }
}

/** The counters after one file changed. */
export function retally(tally: Tally, before: JobFile, after: JobFile): Tally {
  return {
    filesTotal: tally.filesTotal,
    filesTransferred: tally.filesTransferred + isThere(after) - isThere(before),
    filesSized: tally.filesSized + isSized(after) - isSized(before),
    bytesSized: tally.bytesSized + (after.size ?? 0) - (before.size ?? 0),
    bytesTransferred: tally.bytesTransferred + countBytes(after.ranges) - countBytes(before.ranges),
  }
}

/** The job after its counters changed; more bytes than ever are progress, and progress restores patience. */
export function withTally(job: Job, tally: Tally): Job {
  if (
    tally.bytesTransferred <= job.bytesBest &&
    tally.filesTransferred <= job.tally.filesTransferred
  ) {
    return { ...job, tally }
  }
  return {
    ...job,
    tally,
    bytesBest: Math.max(job.bytesBest, tally.bytesTransferred),
    attempts: 0,
    noProgressMs: 0,
  }
}

function isThere({ kind }: JobFile): number {
  return kind === 'missing' ? 0 : 1
}

function isSized({ size }: JobFile): number {
  return size === undefined ? 0 : 1
}
