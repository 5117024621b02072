/**
 * Makes what runs what should run. Computed from the jobs' states each time and never remembered, so a restart is no
 * special case.
 */

import type { Monotonic } from '../base/clock.ts'
import { failure, isFailure, type Failure } from '../job/failure.ts'
import { isIn, priorities, type Job, type JobId } from '../job/job.ts'
import { isActive } from '../job/moves.ts'
import { schedule, type ActiveJob } from '../job/schedule.ts'
import type { Core } from './core.ts'
import { appearanceOf } from './identity.ts'
import { FILES_PER_ORDER, Turn } from './turn.ts'

/** How many foreground jobs are looked at in one breath; the others follow in the next. */
const FOREGROUND_PAGE = 1_000

/** Gives turns, takes turns, and wakes up when the next of them is due. */
export class Scheduler {
  readonly #core: Core
  #alarm: Disposable | undefined
  #network: Disposable | undefined
  #stopped = true

  constructor(core: Core) {
    this.#core = core
  }

  start(): void {
    this.#stopped = false
  }

  /** Nothing is given a turn any more. */
  stop(): void {
    this.#stopped = true
    this.#alarm?.[Symbol.dispose]()
    this.#network?.[Symbol.dispose]()
    this.#alarm = undefined
    this.#network = undefined
  }

  /** Looks at the queue and acts; cheap when there is nothing to do. */
  reconcile(): void {
    if (this.#stopped) return
    const core = this.#core
    const now = core.clock.monotonic()
    const due = [...core.waiting].filter(([, { dueAt }]) => dueAt !== undefined && dueAt <= now)
    const overtime = this.#overtime(now)
    const queued = this.#candidates()
    const plan = schedule(this.#active(), queued, now, core.settings.schedule)
    this.#setAlarm(plan.lookAgainAt, now)
    this.#watchNetwork()
    if (due.length + overtime.length + plan.start.length + plan.yield.length === 0) return
    core.commit(() => {
      for (const [id] of due) this.#retry(id)
      for (const id of overtime) this.#expire(id)
      for (const id of plan.yield) this.#yield(id, now)
      const byId = new Map(queued.map((job) => [job.id, job]))
      for (const id of plan.start) {
        const job = byId.get(id)
        if (job !== undefined) this.#activate(job, now)
      }
    })
  }

  /** Jobs that wait for no time are tried: whether what they wait for is there shows then. */
  retryUntimed(): void {
    const untimed = [...this.#core.waiting].filter(([, { dueAt }]) => dueAt === undefined)
    this.#core.commit(() => {
      for (const [id] of untimed) this.#retry(id)
    })
  }

  /** Every waiting job goes back to the queue: a network came up (bits-jobs.md §21). */
  retryAll(): void {
    if (this.#stopped) return
    this.#core.commit(() => {
      for (const id of this.#core.waiting.keys()) this.#retry(id)
    })
  }

  #active(): ActiveJob[] {
    const active: ActiveJob[] = []
    for (const turn of this.#core.turns.values()) {
      if (!turn.stopping) active.push({ id: turn.job, priority: turn.priority, since: turn.since })
    }
    return active
  }

  /** Queued jobs that could run now: a job whose last turn is still being wound up cannot. */
  #candidates(): Job[] {
    const { store, turns, settings } = this.#core
    return priorities.flatMap((priority) => {
      const limit =
        priority === 'foreground'
          ? FOREGROUND_PAGE
          : settings.schedule.backgroundJobs + turns.size + 1
      return store.queued(priority, limit).filter(({ id }) => !turns.has(id))
    })
  }

  #activate(queuedJob: Job, now: Monotonic): void {
    const core = this.#core
    const files = core.store.files(queuedJob.id, { kinds: ['missing'], limit: FILES_PER_ORDER })
    const logins = core.secrets.openLogins(queuedJob, files)
    if (isFailure(logins)) return this.#refuse(queuedJob, logins)
    const appearance = appearanceOf(queuedJob, core)
    if (isFailure(appearance)) return this.#refuse(queuedJob, appearance)
    const job = core.apply({ ...queuedJob, touched: true }, { kind: 'activate' })
    const turn = new Turn(job, core.nextTurnNumber(), now)
    if (job.attempts > 0 && !core.impatientSince.has(job.id)) core.impatientSince.set(job.id, now)
    const order = turn.order(job, { files, logins }, core.settings, appearance)
    core.send(job.owner, order)
    if (files.length < FILES_PER_ORDER) {
      turn.exhausted = true
      core.send(job.owner, { kind: 'last', job: job.id, turn: turn.number })
    }
    core.afterwards(() => core.turns.set(job.id, turn))
  }

  /** A job that cannot have its turn as it is; its owner has to help. */
  #refuse(job: Job, reason: Failure): void {
    this.#core.apply(job, { kind: 'fail', failure: reason })
  }

  #retry(id: JobId): void {
    const job = this.#core.store.find(id)
    if (job !== undefined && isIn(job, 'transientError')) {
      const waitsForTime = job.state.failure.waitsFor === 'retry'
      const spent = waitsForTime ? this.#core.spendPatience(job) : job
      this.#core.apply(spent, { kind: 'retry' })
    } else {
      this.#core.afterwards(() => this.#core.waiting.delete(id))
    }
  }

  /** Jobs that were active for longer than they may be (bits-jobs.md §20.3). */
  #overtime(now: Monotonic): JobId[] {
    return [...this.#core.turns.values()]
      .filter((turn) => !turn.stopping && now >= turn.deadline)
      .map(({ job }) => job)
  }

  #expire(id: JobId): void {
    const job = this.#core.store.find(id)
    if (job === undefined || !isActive(job.state.kind)) return
    this.#core.stopTurn(id)
    const seconds = job.patience.maximumDownloadTimeS
    this.#core.apply(job, {
      kind: 'fail',
      failure: failure(
        'BG_E_MAXDOWNLOAD_TIMEOUT',
        'GENERAL_QUEUE_MANAGER',
        `The maximum download time of ${seconds} s is used up`,
      ),
    })
  }

  /** Whoever used up its slice goes to the end; whoever gave way to a higher priority keeps its place. */
  #yield(id: JobId, now: Monotonic): void {
    const core = this.#core
    const job = core.store.find(id)
    const turn = core.turns.get(id)
    if (job === undefined || turn === undefined || !isActive(job.state.kind)) return
    core.stopTurn(id)
    const usedUp = now - turn.since >= core.settings.schedule.timeSliceMs
    core.apply(job, { kind: 'yield', turn: usedUp ? core.store.nextTurn() : job.turn })
  }

  #setAlarm(lookAgainAt: Monotonic | undefined, now: Monotonic): void {
    this.#alarm?.[Symbol.dispose]()
    this.#alarm = undefined
    let next = lookAgainAt ?? Infinity
    for (const { dueAt } of this.#core.waiting.values()) next = Math.min(next, dueAt ?? Infinity)
    for (const turn of this.#core.turns.values()) {
      if (!turn.stopping) next = Math.min(next, turn.deadline)
    }
    if (next === Infinity) return
    this.#alarm = this.#core.clock.alarm(Math.max(0, next - now), () => this.reconcile())
  }

  /** The network is watched only while a job waits: an idle service costs nothing. */
  #watchNetwork(): void {
    if (this.#core.waiting.size === 0) {
      this.#network?.[Symbol.dispose]()
      this.#network = undefined
      return
    }
    this.#network ??= this.#core.world.network.whenBack(() => {
      this.#network = undefined
      this.retryAll()
    })
  }
}
