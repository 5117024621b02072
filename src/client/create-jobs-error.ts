/** Some of many jobs were refused. */

import type { BackgroundCopyJob } from './background-copy-job.ts'
import { BackgroundCopyError } from './errors.ts'

/** The first refusal, and what became of every job. */
export class CreateJobsError extends BackgroundCopyError {
  /** For each job that was asked for, in the same order: the job, or why there is none. */
  readonly outcomes: readonly (BackgroundCopyJob | BackgroundCopyError)[]

  constructor(
    first: BackgroundCopyError,
    outcomes: readonly (BackgroundCopyJob | BackgroundCopyError)[],
  ) {
    super(
      {
        hresult: `0x${first.hresult.toString(16).toUpperCase()}`,
        symbol: first.symbol,
        context: first.context,
        message: first.message,
        file: null,
        remoteName: first.remoteName ?? null,
        localName: first.localName ?? null,
      },
      { cause: first },
    )
    this.name = 'CreateJobsError'
    this.outcomes = outcomes
  }

  /** The jobs that were made. */
  get jobs(): readonly BackgroundCopyJob[] {
    return this.outcomes.flatMap((each) => (each instanceof BackgroundCopyError ? [] : [each]))
  }
}
