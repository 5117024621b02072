/**
 * Which jobs the network lets through: whether there is one, and what its use costs.
 *
 * A network that *went away* while the service ran stops every job; one that was never seen stops none, because a
 * machine with nothing but loopback may well reach servers: its own, or others through a proxy on it. Jobs find out by
 * trying there, and the carrier says that it was the network. Time without a network is nobody's fault: no patience is
 * spent in it.
 */

import type { Monotonic } from '../base/clock.ts'
import { admitsCost, admitsEveryCost, costFailure, transferPolicies } from '../job/cost.ts'
import { failure, type Failure } from '../job/failure.ts'
import type { HresultSymbol } from '../job/hresult.ts'
import { isIn, type Job, type JobId } from '../job/job.ts'
import { isActive } from '../job/moves.ts'
import type { Core } from './core.ts'
import { FILES_PER_ORDER } from './turn.ts'

/** How soon a job tries again that found no network where there is one. */
const RECHECK_MS = 5_000

/**
 * How long after a change the network is still becoming what it will be: addresses are there before routes, and routes
 * before name servers. What fails meanwhile is tried again soon and not counted.
 */
const SETTLING_MS = 15_000
const SETTLING_RETRY_MS = 2_000

/** What a network that is not ready yet, or that has become another one, makes of a try. */
const symptoms: ReadonlySet<string> = new Set<HresultSymbol>([
  'ERROR_WINHTTP_NAME_NOT_RESOLVED',
  'ERROR_WINHTTP_CANNOT_CONNECT',
  'ERROR_WINHTTP_CONNECTION_ERROR',
  'ERROR_WINHTTP_TIMEOUT',
  'BG_E_PROXY_NAME_RESOLUTION_FAILURE',
])

/** What stands in a job's way: a failure to wait with, or `unknown` while that is being found out. */
export type Barrier = Failure | 'unknown'

/** What the gate lets happen. */
export interface GateActions {
  /** Something changed: look at every job again. */
  readonly reconcile: () => void
  /** These jobs, which are in TRANSIENT_ERROR, may try again now. */
  readonly release: (ids: Iterable<JobId>) => void
}

/** What the engine knows of the network. */
export class NetworkGate {
  readonly #core: Core
  readonly #actions: GateActions
  #watch: Disposable | undefined
  #costWatch: Disposable | undefined
  #isThere = false
  /** Whether there ever was a network since this service started. */
  #wasThere = false
  #changedAt: Monotonic | undefined
  #awaySince: Monotonic | undefined
  /** All the time without a network so far. */
  #awayMs = 0
  /** Jobs in play that not every network is good enough for, and their flags. */
  readonly #choosy = new Map<JobId, number>()

  constructor(core: Core, actions: GateActions) {
    this.#core = core
    this.#actions = actions
  }

  /** Whether the network went away and has not come back. */
  get isAway(): boolean {
    return this.#awaySince !== undefined
  }

  /** The steady clock, standing still while there is no network: what patience is measured with. */
  patienceClock(): Monotonic {
    return (this.#awaySince ?? this.#core.clock.monotonic()) - this.#awayMs
  }

  /** Watches while jobs are in play; an idle service watches nothing. @param isBusy whether any job is in play */
  attend(isBusy: boolean): void {
    if (!isBusy) this.#unwatch()
    else if (this.#watch === undefined) {
      this.#watch = this.#core.world.network.watch((change) => this.#changed(change.somethingCame))
      this.look()
    }
    if (this.#choosy.size === 0) this.#unwatchCost()
    else this.#watchCost()
  }

  stop(): void {
    this.#unwatch()
    this.#unwatchCost()
  }

  /** Forgets the jobs; what is known of the network stays true. */
  forget(): void {
    this.#choosy.clear()
  }

  /** Looks whether there is a network. */
  look(): void {
    const now = this.#core.clock.monotonic()
    this.#isThere = this.#core.world.network.isThere()
    this.#wasThere ||= this.#isThere
    if (this.#isThere && this.#awaySince !== undefined) {
      this.#awayMs += now - this.#awaySince
      this.#awaySince = undefined
    } else if (!this.#isThere && this.#wasThere) {
      this.#awaySince ??= now
    }
  }

  /** Takes note of a job as it is now. */
  track(job: Job): void {
    const flags = this.flagsOf(job)
    const { kind } = job.state
    const isInPlay = kind === 'queued' || kind === 'transientError' || isActive(kind)
    if (!isInPlay || admitsEveryCost(flags)) {
      this.#choosy.delete(job.id)
    } else {
      this.#choosy.set(job.id, flags)
    }
    // Set to other flags while it waited, it may not have to any more.
    if (isIn(job, 'transientError') && job.state.failure.waitsFor === 'cost') {
      const cost = this.#core.world.network.cost()
      if (cost !== undefined && admitsCost(flags, cost)) this.#actions.release([job.id])
    }
  }

  /** The networks a job may use, as BITS_COST_STATE_* say: its own flags, else the operator's policy for its priority. */
  flagsOf({ costFlags, priority }: Job): number {
    return costFlags ?? transferPolicies[this.#core.settings.transferPolicy[priority]]
  }

  /** What keeps a job from the network now, if anything does. */
  barrier(job: Job): Barrier | undefined {
    const barrier = this.#away() ?? this.#price(job)
    return barrier === undefined || this.#staysHere(job) ? undefined : barrier
  }

  /** Jobs that have their turn and may not have it any more. */
  *intruders(): Generator<readonly [Job, Failure]> {
    const { turns, store } = this.#core
    const suspects = this.isAway ? turns.keys() : this.#costly()
    for (const id of suspects) {
      if (turns.get(id)?.stopping !== false) continue
      const job = store.find(id)
      const barrier = job === undefined ? undefined : this.barrier(job)
      if (job !== undefined && barrier !== undefined && barrier !== 'unknown') yield [job, barrier]
    }
  }

  /**
   * What a transient failure that a carrier reports comes to, in the light of what the network is doing.
   *
   * @param since when the turn began that failed
   */
  interpret(job: Job, since: Monotonic, reason: Failure): Failure {
    const { waitsFor, severity, symbol } = reason
    const isAboutPlace = waitsFor === 'space' || reason.context === 'LOCAL_FILE'
    if (severity !== 'transient' || isAboutPlace) return reason
    this.look()
    if (this.isAway && !this.#staysHere(job)) {
      return waitsFor === 'network' ? reason : noNetwork
    }
    if (waitsFor === 'network') {
      return this.#isThere ? { ...reason, retryAfterMs: RECHECK_MS } : reason
    }
    return this.#isSettling(since) && symptoms.has(symbol)
      ? { ...reason, waitsFor: 'network', retryAfterMs: SETTLING_RETRY_MS }
      : reason
  }

  #away(): Failure | undefined {
    return this.isAway ? noNetwork : undefined
  }

  #price(job: Job): Barrier | undefined {
    const flags = this.flagsOf(job)
    if (admitsEveryCost(flags)) return undefined
    // Found in the queue, perhaps: nobody has told of it yet.
    this.#choosy.set(job.id, flags)
    this.#watchCost()
    const cost = this.#core.world.network.cost()
    if (cost === undefined) return 'unknown'
    return admitsCost(flags, cost) ? undefined : costFailure(cost)
  }

  /** Choosy jobs that the present network is not good enough for. */
  *#costly(): Generator<JobId> {
    const cost = this.#choosy.size === 0 ? undefined : this.#core.world.network.cost()
    if (cost === undefined) return
    for (const [id, flags] of this.#choosy) if (!admitsCost(flags, cost)) yield id
  }

  /** Whether the next files of a job are on this machine, so that no network is needed. */
  #staysHere({ id }: Job): boolean {
    const { store } = this.#core
    const isHere = (limit: number): boolean =>
      store
        .files(id, { kinds: ['missing'], limit })
        .every(({ remoteName }) => isLoopback(remoteName))
    return isHere(1) && isHere(FILES_PER_ORDER)
  }

  /** Whether what failed now may have failed because the network changed; connections of before may be long in dying. */
  #isSettling(since: Monotonic): boolean {
    if (this.#changedAt === undefined) return false
    const hasChangedSince = since < this.#changedAt
    return hasChangedSince || this.#core.clock.monotonic() - this.#changedAt < SETTLING_MS
  }

  #changed(somethingCame: boolean): void {
    this.#changedAt = this.#core.clock.monotonic()
    const wasAway = this.isAway
    this.look()
    if (wasAway !== this.isAway) {
      this.#core.world.log.write('info', wasAway ? 'The network is back' : 'The network went away')
    }
    this.#core.sendToAll({ kind: 'networkChanged' })
    if (somethingCame) this.#actions.release(this.#core.waiting.keys())
    this.#actions.reconcile()
  }

  #costChanged(): void {
    const { world, waiting } = this.#core
    const cost = world.network.cost()
    if (cost === undefined) return
    const admitted = [...this.#choosy].filter(
      ([id, flags]) => waiting.get(id)?.waitsFor === 'cost' && admitsCost(flags, cost),
    )
    this.#actions.release(admitted.map(([id]) => id))
    this.#actions.reconcile()
  }

  #watchCost(): void {
    this.#costWatch ??= this.#core.world.network.watchCost(() => this.#costChanged())
  }

  #unwatch(): void {
    this.#watch?.[Symbol.dispose]()
    this.#watch = undefined
  }

  #unwatchCost(): void {
    this.#costWatch?.[Symbol.dispose]()
    this.#costWatch = undefined
  }
}

const noNetwork = failure(
  'BG_E_NETWORK_DISCONNECTED',
  'GENERAL_TRANSPORT',
  'This machine has no network',
  { waitsFor: 'network' },
)

/** Whether a URL is of this machine (RFC 6761 §6.3, RFC 1122 §3.2.1.3, RFC 4291 §2.5.3). */
function isLoopback(url: string): boolean {
  if (!URL.canParse(url)) return false
  const host = new URL(url).hostname.replace(/\.$/u, '')
  if (host === '[::1]' || host === 'localhost' || host.endsWith('.localhost')) return true
  return /^127(?:\.\d+){3}$/u.test(host) || /^\[::ffff:7f[\da-f]{2}:/u.test(host)
}
