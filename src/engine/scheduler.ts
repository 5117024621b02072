/**
 * Makes what runs what should run. Computed from the jobs' states each time and never remembered, so a restart is no
 * special case.
 */

import type { Monotonic } from '../base/clock.ts'
import { failure, isFailure, type Failure } from '../job/failure.ts'
import { isIn, priorities, type Job, type JobId, type Priority } from '../job/job.ts'
import { isActive } from '../job/moves.ts'
import { schedule, type ActiveJob } from '../job/schedule.ts'
import type { Core } from './core.ts'
import { appearanceOf } from './identity.ts'
import { FILES_PER_ORDER, Turn } from './turn.ts'

/** How many jobs of one priority are looked at, held or let go in one breath; the others follow in the next. */
const PAGE = 250

/** Queued jobs: those that could run now, and those that the network keeps from it. */
interface Candidates {
  readonly ready: readonly Job[]
  readonly barred: readonly (readonly [Job, Failure])[]
}

/** Gives turns, takes turns, and wakes up when the next of them is due. */
export class Scheduler {
  readonly #core: Core
  #alarm: Disposable | undefined
  /** While the rest of a long list waits for the next breath. */
  #breath: Disposable | undefined
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
    this.#breath?.[Symbol.dispose]()
    this.#alarm = undefined
    this.#breath = undefined
    this.#core.network.stop()
  }

  /** Looks at the queue and acts; cheap when there is nothing to do. */
  reconcile(): void {
    if (this.#stopped || this.#breath !== undefined) return
    const core = this.#core
    const now = core.clock.monotonic()
    const { ready, barred } = this.#candidates()
    const held = [...core.network.intruders(), ...barred]
    const again = this.#again(now)
    const overtime = this.#overtime(now)
    const plan = schedule(this.#active(), ready, now, core.settings.schedule)
    this.#setAlarm(plan.lookAgainAt, now)
    const changes = [held, again, overtime, plan.start, plan.yield]
    if (changes.every(({ length }) => length === 0)) return
    if (barred.length >= PAGE || core.released.size > PAGE) this.#breathe()
    core.commit(() => {
      for (const [job, barrier] of held) this.#hold(job, barrier)
      for (const id of again) this.#retry(id)
      for (const id of overtime) this.#expire(id)
      for (const id of plan.yield) this.#yield(id, now)
      const byId = new Map(ready.map((job) => [job.id, job]))
      for (const id of plan.start) {
        const job = byId.get(id)
        if (job !== undefined) this.#activate(job, now)
      }
    })
  }

  /** Jobs that wait for no time are tried: whether what they wait for is there shows then. */
  releaseUntimed(): void {
    const { waiting, released } = this.#core
    for (const [id, { dueAt }] of waiting) if (dueAt === undefined) released.add(id)
  }

  /** Lets everything else happen before it goes on. */
  #breathe(): void {
    this.#breath = this.#core.clock.alarm(0, () => {
      this.#breath = undefined
      this.reconcile()
    })
  }

  /** Waiting jobs whose time has come, and those that need not wait for it. */
  #again(now: Monotonic): readonly JobId[] {
    const { waiting, released } = this.#core
    const again = new Set(released.values().take(PAGE))
    for (const [id, { dueAt }] of waiting) if (dueAt !== undefined && dueAt <= now) again.add(id)
    return [...again]
  }

  #active(): ActiveJob[] {
    const active: ActiveJob[] = []
    for (const turn of this.#core.turns.values()) {
      if (!turn.stopping) active.push({ id: turn.job, priority: turn.priority, since: turn.since })
    }
    return active
  }

  #candidates(): Candidates {
    const { turns, waiting, network, settings } = this.#core
    const few = settings.schedule.backgroundJobs + turns.size + 1
    const limits = priorities.map((priority) => (priority === 'foreground' ? PAGE : few))
    const pages = priorities.map((priority, index) => this.#queued(priority, limits[index] ?? few))
    network.attend(turns.size + waiting.size > 0 || pages.some(({ length }) => length > 0))
    const sifted = pages.map((page, index) => {
      const candidates = this.#sift(page)
      const isShort = candidates.ready.length < page.length && (limits[index] ?? few) < PAGE
      // Behind those that the network keeps back there may be others.
      return isShort ? this.#sift(this.#queued(priorities[index] ?? 'low', PAGE)) : candidates
    })
    return {
      ready: sifted.flatMap(({ ready }) => ready),
      barred: sifted.flatMap(({ barred }) => barred),
    }
  }

  /** Queued jobs in the order of their turns: a job whose last turn is still being wound up is not among them. */
  #queued(priority: Priority, limit: number): readonly Job[] {
    const { store, turns } = this.#core
    return store.queued(priority, limit).filter(({ id }) => !turns.has(id))
  }

  #sift(jobs: readonly Job[]): Candidates {
    const ready: Job[] = []
    const barred: (readonly [Job, Failure])[] = []
    for (const job of jobs) {
      const barrier = this.#core.network.barrier(job)
      if (barrier === undefined) ready.push(job)
      else if (barrier !== 'unknown') barred.push([job, barrier])
    }
    return { ready, barred }
  }

  /** Lets a job wait for another network. */
  #hold(job: Job, barrier: Failure): void {
    const core = this.#core
    core.stopTurn(job.id)
    const spent = core.impatientSince.has(job.id) ? core.spendPatience(job) : job
    core.apply(spent, { kind: 'lose', failure: barrier, jitter: 0 })
  }

  #activate(queuedJob: Job, now: Monotonic): void {
    const core = this.#core
    const files = core.store.files(queuedJob.id, { kinds: ['missing'], limit: FILES_PER_ORDER })
    const logins = core.secrets.openLogins(queuedJob, files)
    if (isFailure(logins)) return this.#refuse(queuedJob, logins)
    const appearance = appearanceOf(queuedJob, core)
    if (isFailure(appearance)) return this.#refuse(queuedJob, appearance)
    const job = core.apply({ ...queuedJob, touched: true }, { kind: 'activate' })
    const turn = new Turn(job, core.nextTurnNumber(), now, core.restraints.get(job.id))
    if (job.attempts > 0 && !core.impatientSince.has(job.id)) core.spendPatience(job)
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
    const core = this.#core
    const job = core.store.find(id)
    core.afterwards(() => core.released.delete(id))
    if (job === undefined || !isIn(job, 'transientError')) {
      core.afterwards(() => core.waiting.delete(id))
      return
    }
    const waitedForTime = job.state.failure.waitsFor === 'retry'
    if (!waitedForTime) core.sparePatience(id)
    const spent = waitedForTime ? core.spendPatience(job) : job
    const barrier = core.network.barrier(job)
    if (barrier === undefined || barrier === 'unknown') core.apply(spent, { kind: 'retry' })
    else this.#hold(spent, barrier)
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
}
