/** One turn of one job: what a carrier has in hand. In memory only; the store knows everything that must outlive it. */

import type { Monotonic } from '../base/clock.ts'
import type { Job, JobFile, JobId, Owner, Priority } from '../job/job.ts'
import { partialNames } from '../job/partial-name.ts'
import type { Restraint } from '../job/restraint.ts'
import type { Appearance } from './identity.ts'
import type { FetchOrder, FileOrder } from './order.ts'
import type { EngineSettings } from './settings.ts'

/**
 * How many files of a job a carrier is given in one order, and below how many in hand it is given more: enough that
 * it does not wait for the engine while small files become durable hundreds at a time, few enough that a job of a
 * million files costs no memory.
 */
export const FILES_PER_ORDER = 512
const REFILL_BELOW = 512

/** Files, and the names and passwords that stood in their URLs. */
export interface FilesInOrder {
  readonly files: readonly JobFile[]
  readonly logins: ReadonlyMap<number, Uint8Array>
}

/** What later orders of a turn say about it: nothing. */
const plain: Appearance = { headers: [] }

/** A turn that has begun and whose carrier has not said yet that it is over. */
export class Turn {
  readonly job: JobId
  readonly owner: Owner
  readonly displayName: string
  readonly number: number
  readonly priority: Priority
  readonly since: Monotonic
  /** When the job has been active for as long as it may be. */
  deadline: Monotonic
  /** Files the carrier has and that are not transferred yet. */
  readonly inHand = new Map<number, JobFile>()
  /** The first ordinal the carrier was not given. */
  next = 0
  /** Whether the carrier was told that there are no more files. */
  exhausted = false
  /** Whether the carrier was told to stop. */
  stopping = false
  /** Bytes that were durable when the turn began, and bytes received since. */
  readonly bytesBefore: number
  /** How easy it goes on servers when it begins. */
  readonly restraint: Restraint
  bytesMoved = 0

  constructor(job: Job, number: number, since: Monotonic, restraint: Restraint = 0) {
    this.job = job.id
    this.owner = job.owner
    this.displayName = job.displayName
    this.number = number
    this.priority = job.priority
    this.since = since
    this.deadline = since + Math.max(0, job.patience.maximumDownloadTimeS * 1000 - job.activeMs)
    this.bytesBefore = job.tally.bytesTransferred
    this.restraint = restraint
  }

  get wantsFiles(): boolean {
    return !this.exhausted && !this.stopping && this.inHand.size < REFILL_BELOW
  }

  /**
   * Takes files in hand and words the order for them.
   *
   * @param logins of the files whose URLs had one, by ordinal
   * @param appearance for the first order of the turn, which is the one that decides
   */
  order(
    job: Job,
    { files, logins }: FilesInOrder,
    settings: EngineSettings,
    { headers, identity }: Appearance = plain,
  ): FetchOrder {
    for (const file of files) {
      this.inHand.set(file.ordinal, file)
      this.next = file.ordinal + 1
    }
    const nameOf = partialNames(job.id)
    return {
      kind: 'fetch',
      job: job.id,
      turn: this.number,
      transfer: { ...job.transfer, headers },
      stallTimeoutMs: job.patience.stallTimeoutMs,
      connections: settings.connectionsPerJob,
      ...(this.restraint > 0 ? { restraint: this.restraint } : {}),
      checkpoint: settings.checkpoint,
      ...(identity === undefined ? {} : { identity }),
      ...(job.proxy === undefined ? {} : { proxy: job.proxy }),
      files: files.map((file) => {
        const partialName = nameOf(file.localName, file.ordinal)
        return fileOrder(file, partialName, logins.get(file.ordinal))
      }),
    }
  }
}

function fileOrder(
  file: JobFile,
  partialName: string,
  urlCredentials: Uint8Array | undefined,
): FileOrder {
  const { ordinal, localName, digests, ranges, tagRestarts, version, size } = file
  const remoteName = file.askedName ?? file.remoteName
  const order = { ordinal, remoteName, localName, partialName, digests, ranges, tagRestarts }
  // Of most files nothing else is known, and nothing needs to be put together.
  if (version === undefined && size === undefined && urlCredentials === undefined) return order
  return {
    ...order,
    ...(urlCredentials === undefined ? {} : { urlCredentials }),
    ...(version === undefined ? {} : { version }),
    ...(size === undefined ? {} : { size }),
  }
}
