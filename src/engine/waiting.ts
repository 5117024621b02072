/** Why a job does not move, as a person reads it. */

import type { Instant } from '../base/clock.ts'
import { isIn, type Job } from '../job/job.ts'
import type { Turn } from './turn.ts'

/** What the sentence needs to know of the rest of the queue. */
export interface QueueFacts {
  /** A job that has the turn this one waits for. */
  readonly ahead: Pick<Turn, 'job' | 'displayName' | 'priority'> | undefined
  /** Whether the last turn of this job is still being wound up. */
  readonly windingUp: boolean
  /** Whether it is not known yet what the network costs, and the job depends on it. */
  readonly isCostUnknown: boolean
}

/**
 * A sentence on what the job waits for; `undefined` when it moves, or when it is its owner's turn to do something.
 *
 * @param now the wall clock
 */
export function waitingFor(
  job: Job,
  { ahead, windingUp, isCostUnknown }: QueueFacts,
  now: Instant,
): string | undefined {
  if (job.pending === 'complete') return 'its files to get their names'
  if (job.pending === 'discard') return 'its temporary files to be deleted'
  if (isIn(job, 'connecting')) return 'the server to answer'
  if (isIn(job, 'queued')) {
    if (windingUp) return 'its last turn to be wound up'
    if (isCostUnknown) return 'word of what the network costs'
    if (ahead === undefined) return 'its turn'
    return `its turn: job ${ahead.job.slice(0, 8)} (${ahead.displayName}) of priority ${ahead.priority} is being transferred`
  }
  if (!isIn(job, 'transientError')) return undefined
  const { failure, retryAt } = job.state
  if (failure.waitsFor === 'network') return `a network: ${failure.sentence}`
  if (failure.waitsFor === 'cost') return `a network that costs less: ${failure.sentence}`
  if (failure.waitsFor === 'space') return `room on the disk: ${failure.sentence}`
  if (failure.waitsFor === 'tickets') return `fresh tickets: ${failure.sentence}`
  const seconds = retryAt === undefined ? undefined : Math.max(0, Math.ceil((retryAt - now) / 1000))
  return seconds === undefined
    ? failure.sentence
    : `the next try in ${seconds} s: ${failure.sentence}`
}
