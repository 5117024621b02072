/** Follows a job to where nothing more happens to it by itself. */

import type { BackgroundCopyJob, BitsState, JobView } from 'lull'

/** Where a job does not go on from without a call. */
const settled: ReadonlySet<BitsState> = new Set<BitsState>(['ERROR', 'ACKNOWLEDGED', 'CANCELLED'])

/** How a job is followed. */
export interface SettleOptions {
  /** How many times a job that waits is tried again at once, instead of after its delay. */
  readonly nudges?: number
}

/**
 * Follows a job until it is complete, given up or failed, or waits once more than it is nudged.
 *
 * @returns the job as it is then
 */
export async function settle(
  job: BackgroundCopyJob,
  { nudges = 0 }: SettleOptions = {},
): Promise<JobView> {
  let left = nudges
  let failures = 0
  for await (const event of job.watch()) {
    if (event.kind === 'gone') throw new Error(`Job ${job.id} is gone`)
    const { state, error, errorCount } = event.job
    if (settled.has(state) || (state === 'TRANSFERRED' && error !== null)) return event.job
    // Several events may tell of one failure.
    if (state !== 'TRANSIENT_ERROR' || errorCount === failures) continue
    failures = errorCount
    if (left-- === 0) return event.job
    await job.resume()
  }
  return job.getView()
}

/** Follows a job until it waits for something that is not the retry delay, or settles. */
export async function waitState(job: BackgroundCopyJob, state: BitsState): Promise<JobView> {
  for await (const event of job.watch()) {
    if (event.kind !== 'gone' && event.job.state === state) return event.job
  }
  throw new Error(`Job ${job.id} ended and was never ${state}`)
}
