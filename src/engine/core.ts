/**
 * What the parts of the engine share: the queue, the turns, and the one way to change a job.
 *
 * A change is one synchronous breath: take the job, compute the next, commit, publish. Orders, news and changes to
 * what is only in memory wait in `effects` until the commit stands, so a commit that fails has changed nothing.
 */

import type { KeytabCredentials, TicketCredentials } from '../auth/credentials.ts'
import type { Clock, Instant, Monotonic } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import type { WaitsFor } from '../job/failure.ts'
import type { Job, JobId, Owner } from '../job/job.ts'
import { isActive, isFinal } from '../job/moves.ts'
import type { Restraint } from '../job/restraint.ts'
import { transition, type JobEvent } from '../job/transition.ts'
import type { Order } from './order.ts'
import type { Carriers } from './ports/carriers.ts'
import type { CertificateStores } from './ports/certificates.ts'
import { NetworkGate } from './network-gate.ts'
import type { JobStore } from './ports/job-store.ts'
import type { NetworkMonitor } from './ports/network.ts'
import type { Vault } from './ports/vault.ts'
import { Publisher } from './publisher.ts'
import { Secrets } from './secrets.ts'
import type { EngineSettings } from './settings.ts'
import type { Turn } from './turn.ts'

/** The world as the engine needs it. */
export interface EngineWorld {
  readonly store: JobStore
  readonly vault: Vault
  readonly certificates: CertificateStores
  readonly carriers: Carriers
  readonly network: NetworkMonitor
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** Another identity of this machine. */
export type HelperToken = KeytabCredentials | TicketCredentials

/** A job that waits in TRANSIENT_ERROR. */
export interface Waiting {
  readonly waitsFor: WaitsFor
  /** On the steady clock; absent while it waits for something that no clock brings. */
  readonly dueAt?: Monotonic
  /** The time that `dueAt` was made from: looked at once, so that setting the clock changes nothing. */
  readonly retryAt?: Instant
}

/** The shared state of the engine. */
export class Core {
  readonly world: EngineWorld
  readonly store: JobStore
  readonly clock: Clock
  readonly settings: EngineSettings
  readonly publisher = new Publisher()
  readonly secrets: Secrets = new Secrets(this)
  /** Every turn whose carrier has not reported its end. */
  readonly turns = new Map<JobId, Turn>()
  /** Every job in TRANSIENT_ERROR. */
  readonly waiting = new Map<JobId, Waiting>()
  /** Jobs in TRANSIENT_ERROR that need not wait any longer, whatever they waited for. */
  readonly released = new Set<JobId>()
  readonly network: NetworkGate
  /** Since when the patience of a job is being spent, on the gate's clock; of jobs that failed since their last progress. */
  readonly impatientSince = new Map<JobId, Monotonic>()
  /** How easy jobs go on servers that refused because they were asked too much. */
  readonly restraints = new Map<JobId, Restraint>()
  /** Helper tokens, until the service ends (A94). */
  readonly helpers = new Map<JobId, HelperToken>()
  readonly #reconcile: () => void
  /** Everybody who was ever sent an order. */
  readonly #owners = new Map<string, Owner>()
  #effects: (() => void)[] | undefined
  /** Secrets in the clear that a commit has opened: orders carry them away once it stands. */
  #opened: Uint8Array[] = []
  #turnNumber = 0

  /** @param reconcile called after every outermost commit */
  constructor(world: EngineWorld, settings: EngineSettings, reconcile: () => void) {
    this.world = world
    this.store = world.store
    this.clock = world.clock
    this.settings = settings
    this.#reconcile = reconcile
    this.network = new NetworkGate(this, {
      reconcile,
      release: (ids) => {
        for (const id of ids) this.released.add(id)
      },
    })
  }

  /**
   * Runs `work` as one commit, then lets its effects happen, then reconciles. Inside another commit it joins that
   * one, and only its own writes are undone when it throws.
   */
  commit<T>(work: () => T): T {
    const outer = this.#effects
    if (outer !== undefined) {
      const before = outer.length
      try {
        return this.store.transact(work)
      } catch (error) {
        outer.length = before
        throw error
      }
    }
    const effects: (() => void)[] = []
    this.#effects = effects
    let result: T
    try {
      result = this.store.transact(work)
    } catch (error) {
      for (const bytes of this.#opened) bytes.fill(0)
      throw error
    } finally {
      this.#effects = undefined
      this.#opened = []
    }
    for (const effect of effects) effect()
    this.#reconcile()
    return result
  }

  /** Lets `effect` happen once the current commit stands. */
  afterwards(effect: () => void): void {
    if (this.#effects === undefined) throw new Error('Broken invariant: an effect outside a commit')
    this.#effects.push(effect)
  }

  /** Wipes a secret when the current commit fails: the order that would have carried it away is never sent. */
  wipeOnFailure(bytes: Uint8Array): void {
    this.#opened.push(bytes)
  }

  /** Applies an event to a job and saves it; within a commit. The secrets of a job end with it (A13). */
  apply(job: Job, event: JobEvent): Job {
    const next = this.#timed(job, transition(job, event, this.clock.now()))
    if (next === job) return next
    if (isFinal(next.state.kind)) {
      this.forgetIdentity(next)
      this.afterwards(() => this.restraints.delete(next.id))
    }
    this.save(next)
    return next
  }

  /** Charges the time of a turn that ends here to the job's maximum download time. */
  #timed(before: Job, after: Job): Job {
    const turn = this.turns.get(before.id)
    if (turn === undefined || !isActive(before.state.kind) || isActive(after.state.kind))
      return after
    return { ...after, activeMs: after.activeMs + (this.clock.monotonic() - turn.since) }
  }

  /** Saves a job and tells its watchers; within a commit. */
  save(job: Job): void {
    this.store.save(job)
    this.announce(job)
  }

  announce(job: Job): void {
    this.afterwards(() => {
      this.#trackWaiting(job)
      this.network.track(job)
      this.publisher.publish({ kind: 'job', job })
    })
  }

  /** Sends an order; within a commit. */
  send(owner: Owner, order: Order): void {
    this.afterwards(() => {
      this.#owners.set(owner.id, owner)
      this.world.carriers.send(owner, order)
    })
  }

  /** Sends an order to every carrier there may be. */
  sendToAll(order: Order): void {
    for (const owner of this.#owners.values()) this.world.carriers.send(owner, order)
  }

  /** Forgets everything that is only in memory. */
  forget(): void {
    this.turns.clear()
    this.waiting.clear()
    this.released.clear()
    this.impatientSince.clear()
    this.restraints.clear()
    this.network.forget()
  }

  nextTurnNumber(): number {
    return ++this.#turnNumber
  }

  /** Stops the turn of a job, if it has one that is not stopping already; within a commit. */
  stopTurn(id: JobId): void {
    const turn = this.turns.get(id)
    if (turn === undefined || turn.stopping) return
    this.send(turn.owner, { kind: 'stop', job: id, turn: turn.number })
    this.afterwards(() => {
      turn.stopping = true
    })
  }

  /** Forgets everything a job could prove; within a commit. */
  forgetIdentity(job: Job): void {
    this.secrets.remove(job)
    this.afterwards(() => this.helpers.delete(job.id))
  }

  /** Lets a job that has its turn begin a new one, as whoever it is now; within a commit. */
  renewTurn(job: Job): Job {
    if (!isActive(job.state.kind)) return job
    this.stopTurn(job.id)
    return this.apply(job, { kind: 'yield', turn: job.turn })
  }

  /** Charges the time since the last look to a job's patience, and starts a new look. */
  spendPatience(job: Job): Job {
    const now = this.network.patienceClock()
    const since = this.impatientSince.get(job.id) ?? now
    this.impatientSince.set(job.id, now)
    return { ...job, noProgressMs: job.noProgressMs + (now - since) }
  }

  /** Starts a new look at a job's patience without charging what went before: it waited for something else than time. */
  sparePatience(id: JobId): void {
    if (this.impatientSince.has(id)) this.impatientSince.set(id, this.network.patienceClock())
  }

  /** Keeps {@link waiting} what the jobs' states say it is. */
  #trackWaiting(job: Job): void {
    if (job.state.kind !== 'transientError') {
      this.waiting.delete(job.id)
      this.released.delete(job.id)
      if (job.attempts === 0) this.impatientSince.delete(job.id)
      return
    }
    const { failure, retryAt } = job.state
    const { waitsFor } = failure
    if (retryAt === undefined) {
      this.waiting.set(job.id, { waitsFor })
      return
    }
    if (this.waiting.get(job.id)?.retryAt === retryAt) return
    const delayMs = Math.max(0, retryAt - this.clock.now())
    this.waiting.set(job.id, { waitsFor, dueAt: this.clock.monotonic() + delayMs, retryAt })
  }
}
