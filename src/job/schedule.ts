/**
 * Which jobs should have their turn now (bits-jobs.md §19).
 *
 * All foreground jobs at once; beside them a number of background jobs (BITS: one), strictly by priority: a lower
 * level gets nothing while a higher one is queued. Within a level jobs rotate: who has used up a time slice goes behind
 * the others, if there are others.
 */

import type { Monotonic } from '../base/clock.ts'
import { priorities, type JobId, type Priority } from './job.ts'

/** A job that has its turn. */
export interface ActiveJob {
  readonly id: JobId
  readonly priority: Priority
  /** When its turn began. */
  readonly since: Monotonic
}

/** A job that waits for its turn. */
export interface QueuedJob {
  readonly id: JobId
  readonly priority: Priority
}

/** The settings of the scheduler. */
export interface SchedulePolicy {
  /** How many background jobs run side by side; 1 or more. */
  readonly backgroundJobs: number
  /** How long a turn lasts while others of the same priority wait, in milliseconds. */
  readonly timeSliceMs: number
}

/** BITS's rule: one background job. The slice's length is not documented; a minute lets connections pay off. */
export const defaultSchedulePolicy: SchedulePolicy = { backgroundJobs: 1, timeSliceMs: 60_000 }

/** What has to change. */
export interface Plan {
  readonly start: readonly JobId[]
  readonly yield: readonly JobId[]
  /** When the next slice ends, if any job waits for it. */
  readonly lookAgainAt?: Monotonic
}

/**
 * Decides who runs.
 *
 * @param active every job that has its turn
 * @param queued in the order of their turns; of each level at least as many as could run
 */
export function schedule(
  active: readonly ActiveJob[],
  queued: readonly QueuedJob[],
  now: Monotonic,
  policy: SchedulePolicy,
): Plan {
  const start = queued.filter(isForeground).map(({ id }) => id)
  const yields: JobId[] = []
  let free = policy.backgroundJobs
  let lookAgainAt: Monotonic | undefined
  for (const priority of priorities.slice(1)) {
    const running = active.filter((job) => job.priority === priority)
    const waiting = queued.filter((job) => job.priority === priority)
    const keeps = running.filter(({ since }) => now - since < policy.timeSliceMs)
    const overdue = running.filter(({ since }) => now - since >= policy.timeSliceMs)
    // Who is within its slice stays; then who waits has its turn; who used its slice up stays only where room is left.
    const staying = keeps.slice(0, free)
    const starting = waiting.slice(0, free - staying.length)
    const extended = overdue.slice(0, free - staying.length - starting.length)
    start.push(...starting.map(({ id }) => id))
    for (const job of running) {
      if (!staying.includes(job) && !extended.includes(job)) yields.push(job.id)
    }
    if (waiting.length > starting.length) {
      for (const { since } of staying) {
        lookAgainAt = Math.min(lookAgainAt ?? Infinity, since + policy.timeSliceMs)
      }
    }
    free -= staying.length + starting.length + extended.length
  }
  return { start, yield: yields, ...(lookAgainAt === undefined ? {} : { lookAgainAt }) }
}

function isForeground({ priority }: QueuedJob): boolean {
  return priority === 'foreground'
}
