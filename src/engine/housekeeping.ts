/**
 * What is done with files that no longer move: giving them their names, deleting what is partial, and forgetting jobs.
 * The intention is committed first (`pending`), so a crash only delays it.
 */

import { JobError, type Failure } from '../job/failure.ts'
import type { Job, JobFile, JobId, Owner } from '../job/job.ts'
import { isFinal } from '../job/moves.ts'
import { isHresultSymbol } from '../job/hresult.ts'
import { partialNames } from '../job/partial-name.ts'
import { withoutPending } from '../job/transition.ts'
import type { Core } from './core.ts'
import type { Report } from './order.ts'
import type { FinishedFile } from './ports/job-store.ts'

/** How many files one order renames or deletes. */
const FILES_PER_ORDER = 1_024

/**
 * How many orders to rename a carrier has at once: while it renames, what it has renamed before is committed, and what
 * comes next is there already.
 */
const ORDERS_AT_ONCE = 3

/** How many forgotten or pending jobs are handled in one breath. */
const JOBS_PER_BREATH = 500

/** How often old jobs are looked for. */
const SWEEP_EVERY_MS = 3_600_000

/** How a Complete or a Cancel went. */
export interface Outcome {
  readonly job: Job
  /** Names of partial files that could not be deleted. */
  readonly leftovers: readonly string[]
}

interface Waiter {
  readonly resolve: (outcome: Outcome) => void
  readonly reject: (error: unknown) => void
}

/** What a carrier was asked to do for a job that does not move. */
interface Chore {
  readonly owner: Owner
  /** The first ordinal that no order to rename has covered yet, and the same of orders to delete. */
  named: number
  next: number
  /** Orders to rename that have not been reported. */
  renaming: number
  /** Why a file did not get its name. */
  failure: Failure | undefined
  readonly leftovers: string[]
}

/** Works off what is pending. */
export class Housekeeping {
  readonly #core: Core
  readonly #chores = new Map<JobId, Chore>()
  readonly #waiters = new Map<JobId, Waiter[]>()
  #alarm: Disposable | undefined

  constructor(core: Core) {
    this.#core = core
  }

  /** Takes up what a restart left pending, and looks for old jobs now and then. */
  start(): void {
    this.#core.commit(() => {
      for (const job of this.#core.store.pending(1_000_000)) this.advance(job)
    })
    this.#sweep()
  }

  stop(): void {
    this.#alarm?.[Symbol.dispose]()
    for (const waiters of this.#waiters.values()) {
      for (const { reject } of waiters) {
        reject(new JobError('ERROR_CANCELLED', 'The service stops before the files are done'))
      }
    }
    this.#waiters.clear()
  }

  /** Forgets what carriers were asked; {@link start} asks again. */
  forget(): void {
    this.#alarm?.[Symbol.dispose]()
    this.#chores.clear()
  }

  /** Resolves when nothing is pending for the job any more. */
  whenDone(id: JobId): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      const waiters = this.#waiters.get(id) ?? []
      waiters.push({ resolve, reject })
      this.#waiters.set(id, waiters)
    })
  }

  /** Begins or goes on with what is pending for a job whose turn is over; within a commit. */
  advance(job: Job): void {
    if (job.pending === undefined || this.#core.turns.has(job.id)) return
    if (this.#chores.has(job.id)) return
    const { owner } = job
    const chore = { owner, named: 0, next: 0, renaming: 0, failure: undefined, leftovers: [] }
    this.#chores.set(job.id, chore)
    this.#next(job, chore)
  }

  /** Whatever was in hand of a lost carrier is begun again. */
  carrierLost(owner: Owner): void {
    const again = [...this.#chores].filter(([, chore]) => chore.owner.id === owner.id)
    for (const [id] of again) this.#chores.delete(id)
    this.#core.commit(() => {
      for (const [id] of again) {
        const job = this.#core.store.find(id)
        if (job !== undefined) this.advance(job)
      }
    })
  }

  renamed(report: Extract<Report, { kind: 'renamed' }>): void {
    const job = this.#core.store.find(report.job)
    const chore = this.#chores.get(report.job)
    if (job === undefined || chore === undefined) return
    this.#core.store.completeFiles(job.id, report.ordinals)
    chore.renaming -= 1
    chore.failure ??= report.failure
    // Who cancelled meanwhile wants no names: what went wrong with them is nobody's concern.
    const reason = job.pending === 'complete' ? chore.failure : undefined
    const goesOn = job.pending === 'complete' && reason === undefined
    // Nothing else is begun while files are still given names.
    if (chore.renaming > 0 && !goesOn) return
    if (reason === undefined) this.#next(job, chore)
    else this.#stumble(job, reason)
  }

  discarded(report: Extract<Report, { kind: 'discarded' }>): void {
    const job = this.#core.store.find(report.job)
    const chore = this.#chores.get(report.job)
    if (job === undefined || chore === undefined) return
    chore.leftovers.push(...report.leftovers)
    this.#next(job, chore)
  }

  /** The next order of a chore: first every rename, then every deletion, then the end. */
  #next(job: Job, chore: Chore): void {
    const { store } = this.#core
    if (job.pending === 'complete' && this.#renameSome(job, chore)) return
    const kinds =
      job.pending === 'complete' ? (['missing'] as const) : (['missing', 'transferred'] as const)
    const rest = job.touched
      ? store.files(job.id, { kinds, from: chore.next, limit: FILES_PER_ORDER })
      : []
    const last = rest.at(-1)
    if (last !== undefined) {
      chore.next = last.ordinal + 1
      return this.#discard(job, rest)
    }
    this.#conclude(job, chore)
  }

  /** Keeps the carrier renaming. @returns whether it is; else every file has its name */
  #renameSome(job: Job, chore: Chore): boolean {
    while (chore.renaming < ORDERS_AT_ONCE) {
      const files = this.#core.store.finishedFiles(job.id, chore.named, FILES_PER_ORDER)
      const last = files.at(-1)
      if (last === undefined) break
      chore.named = last.ordinal + 1
      chore.renaming += 1
      this.#rename(job, files)
    }
    return chore.renaming > 0
  }

  #rename(job: Job, files: readonly FinishedFile[]): void {
    const nameOf = partialNames(job.id)
    this.#core.send(job.owner, {
      kind: 'rename',
      job: job.id,
      overwrite: job.transfer.overwrite,
      files: files.map(({ ordinal, localName, identity }) => ({
        ordinal,
        localName,
        partialName: nameOf(localName, ordinal),
        ...(identity === undefined ? {} : { identity }),
      })),
    })
  }

  #discard(job: Job, files: readonly JobFile[]): void {
    const nameOf = partialNames(job.id)
    this.#core.send(job.owner, {
      kind: 'discard',
      job: job.id,
      partialNames: files.map(({ localName, ordinal }) => nameOf(localName, ordinal)),
    })
  }

  #conclude(job: Job, chore: Chore): void {
    const core = this.#core
    this.#chores.delete(job.id)
    let done: Job
    if (job.pending === 'complete') {
      const partial = job.tally.filesTransferred < job.tally.filesTotal
      done = core.apply(job, { kind: 'complete', partial })
    } else {
      done = withoutPending(job)
      core.save(done)
    }
    if (chore.leftovers.length > 0) {
      core.world.log.write('warn', 'Temporary files could not be deleted', {
        job: job.id,
        files: chore.leftovers,
      })
    }
    this.#settle(job.id, ({ resolve }) => resolve({ job: done, leftovers: chore.leftovers }))
  }

  /** A file did not get its name: the job stays, Complete may be tried again (bits-jobs.md §6.3). */
  #stumble(job: Job, reason: Failure): void {
    this.#chores.delete(job.id)
    const core = this.#core
    if (job.state.kind === 'transferred') core.apply(job, { kind: 'stumble', failure: reason })
    else core.save(withoutPending(job))
    const error = new CompleteError(reason)
    this.#settle(job.id, ({ reject }) => reject(error))
  }

  #settle(id: JobId, tell: (waiter: Waiter) => void): void {
    this.#core.afterwards(() => {
      const waiters = this.#waiters.get(id) ?? []
      this.#waiters.delete(id)
      waiters.forEach(tell)
    })
  }

  /** Forgets final jobs that are old enough, and gives up jobs that nobody touched for too long. */
  #sweep(): void {
    const { store, settings, clock } = this.#core
    const now = clock.now()
    const forgotten = store.finished(now - settings.rememberMs, JOBS_PER_BREATH)
    const stale = store.stale(now - settings.inactivityMs, JOBS_PER_BREATH)
    this.#core.commit(() => {
      for (const id of forgotten) {
        store.remove(id)
        this.#core.afterwards(() => this.#core.publisher.publish({ kind: 'gone', id }))
      }
      for (const job of stale) this.#scavenge(job)
    })
    const more = forgotten.length === JOBS_PER_BREATH || stale.length === JOBS_PER_BREATH
    this.#alarm = clock.alarm(more ? 0 : SWEEP_EVERY_MS, () => this.#sweep())
  }

  #scavenge(job: Job): void {
    if (isFinal(job.state.kind) || this.#core.turns.has(job.id)) return
    this.#core.world.log.write('warn', 'A job was given up: nobody touched it for too long', {
      job: job.id,
    })
    this.advance(this.#core.apply(job, { kind: 'scavenge' }))
  }
}

/** A Complete that could not rename every file; its code is that of the rename (bits-jobs.md §6.3). */
export class CompleteError extends JobError {
  readonly failure: Failure

  constructor(reason: Failure) {
    const symbol = isHresultSymbol(reason.symbol) ? reason.symbol : 'E_FAIL'
    super(symbol, reason.sentence, { context: reason.context })
    this.failure = reason
  }
}
