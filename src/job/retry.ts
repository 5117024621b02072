/** Whether and when a transient failure is tried again (bits-jobs.md §20). */

import type { Failure } from './failure.ts'
import type { Job } from './job.ts'

/** BITS raises smaller values to this. */
export const RETRY_DELAY_FLOOR_S = 5

/** How much longer than the minimum a delay may grow, as long as the minimum itself is not longer. */
const LONGEST_GROWN_DELAY_MS = 600_000

/** The part of a delay that jitter may add, so that a fleet does not come back in one breath. */
const JITTER_SHARE = 0.1

/** How often a full volume is looked at again. */
const SPACE_RECHECK_MS = 5_000

/** What becomes of a transient failure. */
export type RetryDecision =
  /** Try again after `delayMs`; without it, when what the failure waits for is there. */
  | { readonly kind: 'wait'; readonly delayMs?: number }
  | { readonly kind: 'giveUp'; readonly sentence: string }

/**
 * Decides about one transient failure.
 *
 * The delay starts at the job's minimum and doubles with every failure since the last progress, up to ten minutes (or
 * the minimum, if that is longer), plus up to a tenth of jitter; a server's Retry-After is never undercut. A network
 * that is away, or whose use costs too much, is waited for and not timed, unless the failure says that it is worth
 * another look; a full volume is looked at again every few seconds.
 *
 * @param job with `attempts` counting this failure
 * @param jitter from 0 to 1
 * @see bits-jobs.md §20.1, §20.2
 */
export function decideRetry(
  job: Pick<Job, 'patience' | 'attempts' | 'noProgressMs'>,
  failure: Failure,
  jitter: number,
): RetryDecision {
  const { waitsFor, retryAfterMs } = failure
  if (waitsFor === 'space') return { kind: 'wait', delayMs: SPACE_RECHECK_MS }
  if (waitsFor !== 'retry') {
    return retryAfterMs === undefined ? { kind: 'wait' } : { kind: 'wait', delayMs: retryAfterMs }
  }
  const { minimumRetryDelayS, noProgressTimeoutS } = job.patience
  const reason = impatience(job)
  if (reason !== undefined) return { kind: 'giveUp', sentence: `${failure.sentence}; ${reason}` }
  const minimumMs = minimumRetryDelayS * 1000
  const longestMs = Math.max(minimumMs, LONGEST_GROWN_DELAY_MS)
  const grownMs = Math.min(minimumMs * 2 ** Math.min(job.attempts - 1, 30), longestMs)
  const delayMs = Math.max(grownMs * (1 + jitter * JITTER_SHARE), retryAfterMs ?? 0)
  const leftMs = noProgressTimeoutS * 1000 - job.noProgressMs
  return { kind: 'wait', delayMs: Math.round(Math.max(minimumMs, Math.min(delayMs, leftMs))) }
}

/** Why a job is not tried again, if it is not. */
function impatience({
  patience: { minimumRetryDelayS, noProgressTimeoutS },
  noProgressMs,
}: Pick<Job, 'patience' | 'noProgressMs'>): string | undefined {
  if (noProgressTimeoutS === 0) return 'not tried again: the no-progress timeout is 0'
  if (minimumRetryDelayS > noProgressTimeoutS) {
    return `not tried again: the retry delay of ${minimumRetryDelayS} s is longer than the no-progress timeout of ${noProgressTimeoutS} s`
  }
  if (noProgressMs >= noProgressTimeoutS * 1000) {
    return `given up: no progress for ${noProgressTimeoutS} s`
  }
  return undefined
}
