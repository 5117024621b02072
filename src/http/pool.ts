/** Every connection of a client, by what it may be used for. */

import { networkInterfaces } from 'node:os'
import type { Secured } from '../job/finding.ts'
import { certificateFlags } from '../job/security-flags.ts'
import type { HandshakeTerms } from './certificate/handshake.ts'
import { RevocationLists } from './certificate/revocation-lists.ts'
import { checkRevocation } from './certificate/revocation.ts'
import type { ConnectionOptions, ConnectionTls } from './connection.ts'
import { Departures } from './departures.ts'
import type { Identity } from './identity.ts'
import type { Lease, Leg, LegParts } from './leg.ts'
import { Origin } from './origin.ts'
import { SlabStore } from './slab.ts'
import type { SteadyClock } from './steady-clock.ts'
import { Trust, type TrustOptions } from './trust.ts'
import { connectionKey, type Way } from './way.ts'
import type { Fields } from '../wire/fields.ts'

/** How often the connections are looked at, while there are any; and what came is given to the file, at the latest. */
export const LOOK_EVERY_MS = 500

/** A stall is noticed when it is at most this much longer than its limit… */
const STALL_PRECISION = 1 / 8

/** …but nobody looks more often than this. */
const LEAST_LOOK_MS = 10

/** Gives legs to connections. One alarm serves all of them: a timer for each read would cost more than the read. */
export class Pool {
  readonly #clock: SteadyClock
  readonly #proxyTrust: TrustOptions
  readonly #origins = new Map<string, Origin>()
  readonly #slabs = new SlabStore()
  readonly #trust = new Trust()
  readonly #lists: RevocationLists
  readonly #departures = new Departures()
  #lookEveryMs = LOOK_EVERY_MS
  #alarm: Disposable | undefined
  #closedBy: { readonly reason: unknown } | undefined
  readonly #emptied: (() => void)[] = []

  /** @param proxyTrust what https proxies are verified against and shown, where it is not as for the server */
  constructor(clock: SteadyClock, proxyTrust: TrustOptions = {}) {
    this.#clock = clock
    this.#lists = new RevocationLists(clock)
    this.#proxyTrust = proxyTrust
  }

  /**
   * Has a leg sent as soon as there is a connection for it.
   *
   * @param lease the connection it goes out on if that is still held, whatever else waits
   * @returns the trailers of its response, once it is over
   */
  run(leg: Leg, lease?: Lease): Promise<Fields> {
    const { parts } = leg
    if (this.#closedBy !== undefined) throw this.#closedBy.reason
    parts.signal.throwIfAborted()
    if (lease?.proceed(leg) !== true) this.#origin(parts).add(leg)
    if (!leg.isSettled) this.#departures.add(leg)
    this.#lookFor(parts.stallTimeoutMs)
    return leg.over
  }

  /** Closes the idle connections of somebody who is gone: nobody else may have them. */
  retire(identity: Identity): void {
    for (const origin of this.#origins.values()) if (origin.identity === identity) origin.retire()
  }

  /** Ends connections that were made from addresses which this machine has no more. */
  networkChanged(): void {
    const interfaces = Object.values(networkInterfaces())
    const addresses = new Set(interfaces.flatMap((each = []) => each.map(({ address }) => address)))
    for (const origin of this.#origins.values()) origin.checkAddresses(addresses)
  }

  /** Breaks everything off, and resolves when no connection is left. May be called twice. */
  async close(reason: unknown): Promise<void> {
    this.#closedBy ??= { reason }
    for (const origin of this.#origins.values()) origin.close(reason)
    if (this.#origins.size > 0) {
      await new Promise<void>((resolve) => {
        this.#emptied.push(resolve)
      })
    }
    this.#alarm?.[Symbol.dispose]()
  }

  #origin(parts: LegParts): Origin {
    const key = connectionKey(parts.target, parts.way, this.#trust)
    const known = this.#origins.get(key)
    if (known !== undefined) return known
    const origin = new Origin(key, parts.way.identity, {
      slabs: this.#slabs,
      options: (session, keepSession) => this.#options(parts, session, keepSession),
      emptied: (origin) => this.#forget(origin),
    })
    this.#origins.set(key, origin)
    return origin
  }

  #options(
    { target, way }: LegParts,
    session: Buffer | undefined,
    keepSession: (session: Buffer) => void,
  ): ConnectionOptions {
    const { caFile, hop, identity, ownProof, witness } = way
    const tls = target.scheme === 'http' ? undefined : this.#tls(way, session, keepSession)
    const clock = this.#clock
    if (hop === 'direct') return { tls, clock }
    const needsTls = hop.scheme === 'https'
    const told = witness && ((secured: Secured) => witness({ ...secured, target: 'proxy' }))
    return {
      tls,
      clock,
      through: {
        proxy: hop,
        tls: needsTls
          ? this.#tls({ caFile, ...this.#proxyTrust, witness: told }, undefined, () => undefined)
          : undefined,
        given: ownProof?.forProxy,
        authenticator: identity?.proxy(hop),
        login: identity?.proxyLogin,
        loginTrial: identity?.proxyLoginTrial(hop),
      },
    }
  }

  #tls(
    trusted: TrustOptions &
      Pick<Way, 'isStrict' | 'securityFlags' | 'fetchList' | 'accepted' | 'pinnedKeys'> &
      Pick<ConnectionTls, 'witness'>,
    session: Buffer | undefined,
    keepSession: (session: Buffer) => void,
  ): ConnectionTls {
    const { isStrict = false, securityFlags = 0, accepted, pinnedKeys, witness } = trusted
    const more = { isStrict, securityFlags, accepted, pinnedKeys, ...this.#revocation(trusted) }
    const terms = this.#trust.terms(trusted, more)
    const made = { context: this.#trust.context(trusted), terms, witness }
    // Nothing is checked in a session that is resumed: neither what flags leave nor what they add.
    const isFresh = securityFlags !== 0 || accepted !== undefined
    if (isFresh) return { ...made, session: undefined, keepSession: () => undefined }
    return { ...made, session, keepSession }
  }

  #revocation(
    trusted: TrustOptions & Pick<Way, 'securityFlags' | 'fetchList'>,
  ): Pick<HandshakeTerms, 'checkRevocation'> {
    const { securityFlags = 0, fetchList: fetch } = trusted
    if (fetch === undefined || (securityFlags & certificateFlags.checkRevocation) === 0) return {}
    const lists = this.#lists
    return {
      checkRevocation: (chain) =>
        checkRevocation({ chain, anchors: this.#trust.anchors(trusted), lists, fetch, now: Date.now() }), // prettier-ignore
    }
  }

  #forget(origin: Origin): void {
    if (this.#origins.get(origin.key) === origin) this.#origins.delete(origin.key)
    if (this.#origins.size > 0) return
    this.#slabs.clear()
    this.#lookEveryMs = LOOK_EVERY_MS
    for (const resolve of this.#emptied.splice(0)) resolve()
  }

  #lookFor(stallTimeoutMs: number): void {
    const wantedMs = Math.max(LEAST_LOOK_MS, stallTimeoutMs * STALL_PRECISION)
    const everyMs = Math.min(this.#lookEveryMs, wantedMs)
    if (this.#alarm !== undefined && everyMs === this.#lookEveryMs) return
    this.#lookEveryMs = everyMs
    this.#alarm?.[Symbol.dispose]()
    this.#lookLater()
  }

  #lookLater(): void {
    this.#alarm = this.#clock.alarm(this.#lookEveryMs, () => {
      this.#alarm = undefined
      const now = this.#clock.monotonic()
      for (const origin of this.#origins.values()) origin.look(now)
      if (this.#origins.size > 0) this.#lookLater()
    })
  }
}
