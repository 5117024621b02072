/** The connections to one origin, and the legs that wait for them. */

import { FailureError } from '../job/failure.ts'
import type { ConnectionOptions } from './connection.ts'
import { closedEarly } from './failure.ts'
import type { Identity } from './identity.ts'
import type { Leg } from './leg.ts'
import { LegQueue } from './leg-queue.ts'
import { Manners } from './manners.ts'
import { Pipeline, type Ending, type PipelineOwner } from './pipeline.ts'
import type { SlabStore } from './slab.ts'

/** An idle connection is closed after this long: servers do it soon after, and a request would cross that. */
export const IDLE_TIMEOUT_MS = 15_000

/** A server that has not turned to a connection for this long may be waiting for what comes on an idle one. */
export const STARVED_MS = 2_000

/** Connections to one origin that one party may have, unless its requests say otherwise. */
export const DEFAULT_CONNECTIONS = 6

/** The legs and the connections of one party. */
class Party {
  readonly name: string
  /** The leases: connections with legs of this party on them. */
  readonly pipelines = new Set<Pipeline>()
  readonly waiting = new LegQueue()
  /** To be sent again: before those that were never sent. */
  readonly returned = new LegQueue()
  /** Those that others may wait for, who hold connections meanwhile: before everybody else. */
  readonly awaited = new LegQueue()

  constructor(name: string) {
    this.name = name
  }

  /** Where the leg that is next waits, if any does. */
  get queue(): LegQueue | undefined {
    if (this.awaited.next !== undefined) return this.awaited
    if (this.returned.next !== undefined) return this.returned
    return this.waiting.next === undefined ? undefined : this.waiting
  }

  get isEmpty(): boolean {
    return this.pipelines.size === 0 && this.queue === undefined
  }
}

/** What an origin needs of its pool. */
export interface OriginWorld {
  readonly slabs: SlabStore
  /**
   * How its connections are made.
   *
   * @param session of TLS, of an earlier connection
   * @param keep hears of sessions for the next one
   * @throws {FailureError} when the authorities cannot be read
   */
  readonly options: (
    session: Buffer | undefined,
    keep: (session: Buffer) => void,
  ) => ConnectionOptions
  /** Hears that no connection and no leg is left. */
  readonly emptied: (origin: Origin) => void
}

/**
 * Leases of one origin, for one principal.
 *
 * A leg gets an idle connection, else a new one while its party may have another, else a place behind others on a
 * connection that answers small responses quickly, else it waits; first come, first served within each party. Parties
 * do not wait for each other: each has its own number of connections, and what one leaves idle any of them may take.
 */
export class Origin implements PipelineOwner {
  /** What the pool knows it by. */
  readonly key: string
  /** As whom its connections are authenticated. */
  readonly identity: Identity | undefined
  readonly #world: OriginWorld
  readonly #parties = new Map<string, Party>()
  readonly #partyOf = new Map<Pipeline, Party>()
  /** Every connection of which anything is left. */
  readonly #pipelines = new Set<Pipeline>()
  /** The last one used is the first to be used again: those behind it grow old and are closed. */
  readonly #idle: Pipeline[] = []
  readonly #manners = new Manners()
  #isAttendPlanned = false
  #session: Buffer | undefined
  /** How many connections the server bears, as far as is known. */
  #bearable = Number.POSITIVE_INFINITY

  constructor(key: string, identity: Identity | undefined, world: OriginWorld) {
    this.key = key
    this.identity = identity
    this.#world = world
  }

  /** Takes a leg in. */
  add(leg: Leg): void {
    this.adopted(leg)
    const party = this.#party(leg)
    const queue = leg.parts.isAwaited === true ? party.awaited : party.waiting
    queue.push(leg)
    this.#serve(party)
  }

  /**
   * Looks after the connections: stalled ones break, idle ones are closed in time.
   *
   * @param now steady milliseconds
   */
  look(now: number): void {
    let isStarved = false
    for (const pipeline of this.#pipelines) {
      const quietMs = pipeline.look(now)
      if (pipeline.isOver) continue
      if (pipeline.load > 0) {
        isStarved ||= !pipeline.isServed && quietMs >= STARVED_MS
        continue
      }
      // An idle connection is worth keeping, but not worth staying alive for.
      pipeline.keepAwake(false)
      if (quietMs >= IDLE_TIMEOUT_MS) pipeline.close(undefined)
    }
    // Some servers serve a few connections, idle or not, and others when those are gone.
    if (isStarved) this.retire()
  }

  /** Ends every connection whose address this machine has no more. */
  checkAddresses(addresses: ReadonlySet<string>): void {
    for (const pipeline of this.#pipelines) pipeline.checkAddress(addresses)
  }

  /** Closes what is idle: nobody will ask for it any more. */
  retire(): void {
    for (const pipeline of this.#idle.slice()) pipeline.close(undefined)
  }

  /** Breaks everything off. */
  close(reason: unknown): void {
    for (const party of this.#parties.values()) {
      for (const queue of [party.awaited, party.returned, party.waiting]) {
        for (const leg of queue.clear()) leg.reject(reason)
      }
    }
    for (const pipeline of this.#pipelines) pipeline.close(reason)
  }

  freed(pipeline: Pipeline): void {
    this.#manners.answeredAgain(pipeline.answered)
    const party = this.#partyOf.get(pipeline)
    if (pipeline.load === 0) this.#release(pipeline)
    if (party !== undefined) this.#attend(party)
  }

  evicted(legs: readonly Leg[]): void {
    this.#takeBack(legs)
  }

  adopted(leg: Leg): void {
    leg.tellAbandoned(this.#abandoned)
  }

  ended(pipeline: Pipeline, ending: Ending): void {
    this.#endLease(pipeline)
    const place = this.#idle.indexOf(pipeline)
    if (place !== -1) this.#idle.splice(place, 1)
    this.#learn(pipeline, ending)
    const [due] = ending.orphans
    if (due !== undefined && ending.wasDue && !this.#maySendAgain(due, pipeline, ending)) {
      due.fail(ending.error ?? new FailureError(closedEarly(due.parts.target)))
    }
    // Only what was due may be what broke the connection. A connection that was never made broke for another reason,
    // which comes to an end: the server bears one fewer each time.
    if (ending.cause !== 'us' && ending.wasDue && pipeline.answered > 0) due?.countResend()
    this.#takeBack(ending.orphans)
  }

  gone(pipeline: Pipeline): void {
    this.#pipelines.delete(pipeline)
    this.#tellIfEmpty()
  }

  #learn({ answered }: Pipeline, { cause, wasDue, orphans }: Ending): void {
    const isIgnored = wasDue && orphans[0]?.isBehindOthers === true
    if (cause === 'silence' && isIgnored) this.#manners.ignoredPipeline()
    if (cause !== 'server') return
    if (orphans.some(({ isBehindOthers }) => isBehindOthers)) this.#manners.brokePipeline(answered)
    else if (wasDue && answered > 0) this.#manners.brokeReuse(answered)
    // Perhaps it was the session that the server did not like.
    if (answered === 0) this.#session = undefined
  }

  /**
   * Whether the leg that was due when its connection ended may be sent on another (RFC 9110 §9.2.2).
   *
   * A connection that had answered before may have been closed before the request came; one that had not has failed,
   * unless others of its party stand: then the server bears no more of them than these, and the leg waits for one of
   * those. Some bear one, and let the others wait in silence for as long as a large file takes. What another party has
   * is nothing to wait for.
   */
  #maySendAgain(leg: Leg, { answered }: Pipeline, { cause, error }: Ending): boolean {
    if (leg.isAlone || !leg.isIdempotent) return false
    if (cause === 'silence' && (leg.isBehindOthers || answered > 0)) return leg.isBehindOthers
    if (answered > 0) return true
    const { pipelines = [] } = this.#parties.get(leg.parts.party) ?? {}
    const standing = [...pipelines].filter(({ isServed }) => isServed).length
    if (standing === 0 || !(cause === 'silence' || isRefusal(error))) return false
    this.#bearable = standing
    return true
  }

  /** Takes legs back that must be sent elsewhere. */
  #takeBack(legs: readonly Leg[]): void {
    for (const leg of legs) {
      if (leg.isSettled) continue
      const { awaited, returned } = this.#party(leg)
      const queue = leg.parts.isAwaited === true ? awaited : returned
      queue.push(leg)
    }
    this.#attendLater()
  }

  /** The caller of a leg has left. */
  readonly #abandoned = (leg: Leg): void => {
    const party = this.#parties.get(leg.parts.party)
    for (const pipeline of party?.pipelines ?? []) pipeline.abandon(leg)
    this.#attendLater()
  }

  #party({ parts: { party: name } }: Leg): Party {
    const known = this.#parties.get(name)
    if (known !== undefined) return known
    const party = new Party(name)
    this.#parties.set(name, party)
    return party
  }

  /** Later: a turn that is over aborts its legs one by one, and those that are still to come need no connection. */
  #attendLater(): void {
    if (this.#isAttendPlanned) return
    this.#isAttendPlanned = true
    process.nextTick(() => {
      this.#isAttendPlanned = false
      for (const party of this.#parties.values()) this.#attend(party)
      this.#tellIfEmpty()
    })
  }

  #attend(party: Party): void {
    this.#serve(party)
    if (party.isEmpty) this.#parties.delete(party.name)
  }

  #tellIfEmpty(): void {
    if (this.#pipelines.size === 0 && this.#parties.size === 0) this.#world.emptied(this)
  }

  /** Sends what can be sent now. */
  #serve(party: Party): void {
    for (let queue = party.queue; queue !== undefined; queue = party.queue) {
      const leg = queue.next
      if (leg === undefined) return
      try {
        const pipeline = this.#place(party, leg)
        if (pipeline === undefined) return
        queue.shift()
        pipeline.send(leg)
      } catch (error) {
        queue.shift()
        leg.reject(error)
        this.#attendLater()
      }
    }
  }

  /** The connection for a leg; `undefined` when it must wait. */
  #place(party: Party, leg: Leg): Pipeline | undefined {
    const isFresh = leg.isAlone || !this.#manners.mayReuse
    const idle = isFresh ? undefined : this.#idle.pop()
    if (idle !== undefined) {
      idle.keepAwake(true)
      return this.#lease(idle, party)
    }
    if (party.pipelines.size < Math.min(leg.parts.connections, this.#bearable)) {
      // In the place of one that is of no use for it.
      if (isFresh) this.#idle[0]?.close(undefined)
      return this.#lease(this.#open(leg), party)
    }
    if (leg.parts.isAwaited === true) {
      // Whoever has a connection and no request on it may wait for this very leg, which therefore gets one more.
      const isStuck = [...party.pipelines].every(({ isHeld, isWording }) => isHeld || isWording)
      if (isStuck) return this.#lease(this.#open(leg), party)
    }
    return leg.isExclusive || !this.#manners.mayPipeline ? undefined : leastLoaded(party.pipelines)
  }

  #lease(pipeline: Pipeline, party: Party): Pipeline {
    party.pipelines.add(pipeline)
    this.#partyOf.set(pipeline, party)
    return pipeline
  }

  #open(leg: Leg): Pipeline {
    // A406: where a session is resumed, the certificate may be missing that proofs are bound to.
    const session = leg.parts.way.identity === undefined ? this.#session : undefined
    const options = this.#world.options(session, (session) => {
      this.#session = session
    })
    const pipeline = new Pipeline(leg.parts.target, this, this.#world.slabs, options)
    this.#pipelines.add(pipeline)
    return pipeline
  }

  /** A lease is over. */
  #release(pipeline: Pipeline): void {
    this.#endLease(pipeline)
    if (this.#manners.mayReuse) this.#idle.push(pipeline)
    else pipeline.close(undefined)
  }

  #endLease(pipeline: Pipeline): void {
    this.#partyOf.get(pipeline)?.pipelines.delete(pipeline)
    this.#partyOf.delete(pipeline)
  }
}

/** A server that has as many connections as it wants says so in one of these ways. */
const refusals = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT'])

function isRefusal(error: unknown): boolean {
  if (error === undefined) return true
  // Of a name with several addresses, of a proxy.
  if (error instanceof AggregateError) return error.errors.some(isRefusal)
  if (error instanceof FailureError) return error.cause !== undefined && isRefusal(error.cause)
  return error instanceof Error && 'code' in error && refusals.has(String(error.code))
}

function leastLoaded(pipelines: Iterable<Pipeline>): Pipeline | undefined {
  let best: Pipeline | undefined
  for (const pipeline of pipelines) {
    if (pipeline.hasRoom && (best === undefined || pipeline.load < best.load)) best = pipeline
  }
  return best
}
