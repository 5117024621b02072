/** Applies one event to one job. Pure: computes the next job and touches nothing. */

import type { Instant } from '../base/clock.ts'
import { JobError, type Failure } from './failure.ts'
import { bytesTotal, type Job, type JobState } from './job.ts'
import { bitsStates, isActive, move, type JobEventKind } from './moves.ts'
import { decideRetry } from './retry.ts'

/** What happened, with the facts that come with it. */
export type JobEvent =
  | { readonly kind: 'resume' | 'suspend' | 'cancel' | 'scavenge' }
  | { readonly kind: 'complete'; readonly partial: boolean }
  | { readonly kind: 'activate' | 'connect' | 'retry' | 'finish' | 'pause' }
  | { readonly kind: 'yield'; readonly turn: number }
  | { readonly kind: 'lose'; readonly failure: Failure; readonly jitter: number }
  | { readonly kind: 'fail' | 'reject' | 'stumble'; readonly failure: Failure }

/** What people call each event in an error. */
const verbs: Readonly<Record<JobEventKind, string>> = {
  create: 'create',
  resume: 'resume',
  suspend: 'suspend',
  complete: 'complete',
  cancel: 'cancel',
  activate: 'start',
  connect: 'connect',
  yield: 'requeue',
  lose: 'hold',
  retry: 'retry',
  fail: 'fail',
  finish: 'finish',
  pause: 'pause',
  reject: 'reject the data of',
  stumble: 'complete',
  scavenge: 'scavenge',
}

/**
 * The job after the event.
 *
 * @param now the wall clock, for what people read
 * @throws {JobError} `BG_E_INVALID_STATE` when the table has no such move, `BG_E_EMPTY` when a job without files is
 *   resumed
 * @see bits-jobs.md §6.3, §18.2
 */
export function transition(job: Job, event: JobEvent, now: Instant): Job {
  const from = job.state.kind
  const to = move(from, event.kind)
  if (to === undefined) {
    throw new JobError(
      'BG_E_INVALID_STATE',
      `Cannot ${verbs[event.kind]} job ${job.id}: its state is ${bitsStates[from].name}`,
    )
  }
  switch (event.kind) {
    case 'resume':
      return resumed(job, now)
    case 'suspend':
      return to === from ? job : { ...job, state: { kind: 'suspended' }, modified: now }
    case 'cancel':
    case 'scavenge':
      return { ...job, state: { kind: 'cancelled' }, pending: 'discard', modified: now }
    case 'complete':
      return {
        ...withoutPending(job),
        state: { kind: 'acknowledged', partial: event.partial },
        modified: now,
      }
    case 'lose':
      return lost(job, event, now)
    case 'fail':
    case 'reject':
      return {
        ...job,
        state: { kind: 'error', failure: event.failure },
        errorCount: job.errorCount + 1,
        modified: now,
      }
    case 'stumble':
      return {
        ...withoutPending(job),
        state: { kind: 'transferred', failure: event.failure },
        modified: now,
      }
    case 'yield':
      return { ...job, state: { kind: 'queued' }, turn: event.turn, modified: now }
    case 'finish':
      return finished(job, now)
    case 'activate':
      return { ...job, state: { kind: 'connecting' }, modified: now }
    case 'connect':
      return from === 'transferring'
        ? job
        : { ...job, state: { kind: 'transferring' }, modified: now }
    case 'retry':
      return { ...job, state: { kind: 'queued' }, modified: now }
    case 'pause':
      return { ...job, state: { kind: 'suspended' }, modified: now }
    default:
      return event satisfies never
  }
}

/** Resume starts a retry at once and forgets the patience spent (bits-jobs.md §6.3, §20.1, §20.3). */
function resumed(job: Job, now: Instant): Job {
  if (job.tally.filesTotal === 0) {
    throw new JobError('BG_E_EMPTY', `Cannot resume job ${job.id}: it has no files`)
  }
  const { kind } = job.state
  const fresh = { ...job, attempts: 0, noProgressMs: 0, activeMs: 0, modified: now }
  if (kind === 'queued' || isActive(kind)) return fresh
  const nothingLeft = job.tally.filesTransferred === job.tally.filesTotal
  if (kind === 'transferred' && nothingLeft) return job
  return { ...fresh, state: { kind: 'queued' } }
}

/** A recoverable failure: waits for the next try, or is final when patience is at its end. */
function lost(
  job: Job,
  { failure, jitter }: Extract<JobEvent, { kind: 'lose' }>,
  now: Instant,
): Job {
  const counts = failure.waitsFor === 'retry'
  const attempts = counts ? job.attempts + 1 : job.attempts
  const errorCount = counts ? job.errorCount + 1 : job.errorCount
  const decision = decideRetry({ ...job, attempts }, failure, jitter)
  const state: JobState =
    decision.kind === 'giveUp'
      ? { kind: 'error', failure: { ...failure, severity: 'fatal', sentence: decision.sentence } }
      : decision.delayMs === undefined
        ? { kind: 'transientError', failure }
        : { kind: 'transientError', failure, retryAt: now + decision.delayMs }
  return { ...job, state, attempts, errorCount, modified: now }
}

function finished(job: Job, now: Instant): Job {
  const { tally } = job
  if (tally.filesTransferred !== tally.filesTotal || bytesTotal(tally) !== tally.bytesTransferred) {
    throw new Error(`Broken invariant: job ${job.id} is finished with bytes missing`)
  }
  return {
    ...job,
    state: { kind: 'transferred' },
    ...(job.completesItself ? { pending: 'complete' as const } : {}),
    transferredAt: now,
    attempts: 0,
    noProgressMs: 0,
    modified: now,
  }
}

/** The job with nothing left to do to its files. */
export function withoutPending(job: Job): Job {
  const { pending: _, ...rest } = job
  return rest
}
