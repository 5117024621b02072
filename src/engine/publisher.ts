/** Tells watchers what changed. Facts go out; nothing comes back. */

import type { Job, JobId } from '../job/job.ts'

/** What a watcher hears. */
export type JobNews =
  /** A change of state, property or files; committed before it is told. */
  | { readonly kind: 'job'; readonly job: Job }
  /** Bytes moved. */
  | { readonly kind: 'progress'; readonly job: Job }
  /** The job is forgotten. */
  | { readonly kind: 'gone'; readonly id: JobId }

/** Hears news; must not throw and must not call the engine back. */
export type JobListener = (news: JobNews) => void

/** Listeners of all jobs, and of single ones. */
export class Publisher {
  readonly #all = new Set<JobListener>()
  readonly #byJob = new Map<JobId, Set<JobListener>>()

  /** Adds a listener for some jobs, or for every job; disposing the result removes it. */
  listen(listener: JobListener, jobs?: readonly JobId[]): Disposable {
    if (jobs === undefined) {
      this.#all.add(listener)
      return { [Symbol.dispose]: () => this.#all.delete(listener) }
    }
    for (const id of jobs) {
      const listeners = this.#byJob.get(id) ?? new Set()
      this.#byJob.set(id, listeners.add(listener))
    }
    return {
      [Symbol.dispose]: () => {
        for (const id of jobs) {
          const listeners = this.#byJob.get(id)
          listeners?.delete(listener)
          if (listeners?.size === 0) this.#byJob.delete(id)
        }
      },
    }
  }

  publish(news: JobNews): void {
    const id = news.kind === 'gone' ? news.id : news.job.id
    for (const listener of this.#all) listener(news)
    for (const listener of this.#byJob.get(id) ?? []) listener(news)
  }
}
