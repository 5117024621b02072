/** The queue as the engine needs it: jobs and files that are on disk when a call returns. */

import type { Instant } from '../../base/clock.ts'
import type { Job, JobFile, JobId, Priority } from '../../job/job.ts'
import type { JobStateKind } from '../../job/moves.ts'
import { jobTarget, type SealedRecord, type SealedRecords } from './vault.ts'

/** A file before anything is known about it. */
export type NewFile = Pick<JobFile, 'ordinal' | 'remoteName' | 'localName' | 'digests'>

/** What giving a finished file its name needs to know of it. */
export type FinishedFile = Pick<JobFile, 'ordinal' | 'localName' | 'identity'>

/** A job before the store gave it its place. */
export type NewJob = Omit<Job, 'sequence'>

/** The most jobs that one page shows. */
const LONGEST_PAGE = 10_000

/**
 * Refuses a page without an end: a queue may hold more jobs than memory does.
 *
 * @throws {RangeError} unless it has 1 to 10,000 jobs
 */
export function checkPageLimit(limit: number): void {
  if (!Number.isInteger(limit) || limit < 1 || limit > LONGEST_PAGE) {
    throw new RangeError(
      `Cannot show a page of jobs: the limit is ${limit}, not 1 to ${LONGEST_PAGE}`,
    )
  }
}

/** Which jobs a page shows. */
export interface JobQuery {
  /** Only this owner's, by id. */
  readonly owner?: string
  /** Only these states; all that are not final when absent. */
  readonly states?: readonly JobStateKind[]
  /** Only jobs created after this one, by sequence; 0 for the first page. */
  readonly after?: number
  /** At most this many, 1 to 10,000. */
  readonly limit: number
}

/** Which files a page shows. */
export interface FileQuery {
  /** Only files of these kinds. */
  readonly kinds?: readonly JobFile['kind'][]
  /** Only files from this ordinal on. */
  readonly from?: number
  readonly limit: number
}

/** One sealed secret of a job: a record of the vault, and the rest of the context it was sealed in. */
export interface JobSecret {
  readonly target: string
  readonly scheme: string
  readonly sealed: Uint8Array
}

/** Which secrets are meant: those of one target, of all its schemes or of those from one to another. */
export interface SecretQuery {
  readonly target: string
  /** The first scheme, and the last; text is ordered by its characters. */
  readonly from?: string
  readonly to?: string
}

/**
 * The name of headers that an older version left in the queue in clear: their bytes are the secret itself. They are
 * sealed when the service starts, and used as they are until that succeeds.
 */
export const clearHeaders = { target: jobTarget, scheme: 'clear headers' } as const

/**
 * The durable queue.
 *
 * Every method is synchronous and, outside {@link transact}, durable when it returns: what it wrote survives SIGKILL
 * and power loss. Reads see every write before them. There is one writer.
 */
export interface JobStore {
  /**
   * Runs `work` as one commit: all of its writes are on disk when this returns, or, when it throws, none ever was.
   * A nested call joins the outermost commit; when it throws, only its own writes are undone.
   */
  transact<T>(work: () => T): T

  /** Adds a job, gives it the next sequence, and returns it. The id must be new. */
  insert(job: NewJob): Job
  /** Replaces a job by its id; it must be there. */
  save(job: Job): void
  /** Removes a job, its files and its secrets; one that is not there is removed already. */
  remove(id: JobId): void
  find(id: JobId): Job | undefined
  /** Up to `limit` ids that begin with `prefix` (lower case), final states included, in order. */
  findByPrefix(prefix: string, limit: number): readonly JobId[]
  /** One page, ordered by sequence. */
  page(query: JobQuery): readonly Job[]
  /** How many jobs are not final, in all and of one owner. */
  count(owner?: string): number
  /** How many jobs are in this state. */
  countIn(state: JobStateKind): number

  /** Queued jobs of one priority, in the order of their turns. */
  queued(priority: Priority, limit: number): readonly Job[]
  /** Jobs whose state is one of these, in creation order. For the few; not for every queued job. */
  inState(states: readonly JobStateKind[]): readonly Job[]
  /** Jobs that have something pending, in creation order. */
  pending(limit: number): readonly Job[]
  /** One more than the highest turn of any job; a question, not a reservation. */
  nextTurn(): number
  /** Ids of final jobs, last modified before `before`, with nothing pending; longest ago first. */
  finished(before: Instant, limit: number): readonly JobId[]
  /** Jobs that are not final, last modified before `before`; longest ago first. */
  stale(before: Instant, limit: number): readonly Job[]

  /** Adds files; their ordinals must follow on what is there. */
  insertFiles(id: JobId, files: readonly NewFile[]): void
  /** Replaces files by their ordinals; they must be there. */
  saveFiles(id: JobId, files: readonly JobFile[]): void
  /** Says that these files, every one of them transferred, have their names now. */
  completeFiles(id: JobId, ordinals: readonly number[]): void
  files(id: JobId, query: FileQuery): readonly JobFile[]
  /** Files that are transferred and not completed, from an ordinal on, by ordinal; at most `limit`. */
  finishedFiles(id: JobId, from: number, limit: number): readonly FinishedFile[]
  findFile(id: JobId, ordinal: number): JobFile | undefined

  /** Adds secrets to a job, each in the place of the one with its target and scheme; the job must be there. */
  saveSecrets(id: JobId, secrets: readonly JobSecret[]): void
  /** What a query means; without one, every secret but those of the {@link fileTarget}. Ordered by target and scheme. */
  secrets(id: JobId, query?: SecretQuery): readonly JobSecret[]
  /** Removes what a query means; without one, every secret of the job. Tells whether there was any. */
  removeSecrets(id: JobId, query?: SecretQuery): boolean
  /** At most so many secrets by the name of {@link clearHeaders}, which nothing has sealed yet. */
  clearSecrets(limit: number): readonly SealedRecord[]
  /** The sealed secrets of all jobs, ordered by job, target and scheme. */
  readonly sealedRecords: SealedRecords
  /**
   * Makes sure that secrets which were removed or replaced lie in no file of the queue any more, the log of what was
   * written included. Costs as much as a commit or two; not within {@link transact}.
   */
  scrub(): void

  /** Ends the use of the queue; not within {@link transact}. Closed twice is closed. */
  close(): void
}
