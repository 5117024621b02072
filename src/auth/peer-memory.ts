/** What all requests of a job to one peer have learned together. */

import type { AuthTarget } from './auth.ts'
import type { Challenge } from './challenge.ts'
import { sameCredentials, type Credentials } from './credentials.ts'
import type { Witnessed } from './exchange.ts'
import type { FirstTrials } from './first-trials.ts'
import type { AuthScheme, AuthWorld, Handshake, RequestFacts, Session, Unable } from './scheme.ts'
import { isReadableAt, select, type Ended, type Selection } from './select.ts'
import { entitle, type CredentialSource, type Situation, type Wallet } from './wallet.ts'

/** A proof that shows the password or token itself to everybody on the way (A183). */
export interface ReadableProof {
  readonly target: AuthTarget
  /** The origin of the server or proxy. */
  readonly peer: string
  /** As it is written in a header. */
  readonly scheme: string
}

/** What an authenticator is made of. */
export interface PeerMemoryOptions {
  readonly situation: Situation
  readonly wallet: Wallet
  readonly world: AuthWorld
  /** Strongest first. */
  readonly schemes: readonly AuthScheme[]
  /** Whether to prove before anybody asked (A86). */
  readonly isUnasked: boolean
  /** Who tries what for the first time, at all peers of this target. */
  readonly trials: FirstTrials
  /** Hears what each response meant. */
  readonly witness?: (witnessed: Witnessed) => void
  /** Is warned before a scheme gives such a proof for the first time (A183). */
  readonly warn?: (readable: ReadableProof) => void
}

/** A scheme with the credentials that answer it. */
export interface Method {
  readonly scheme: AuthScheme
  readonly credentials: Credentials
}

/** What may go out before a challenge. */
export interface Early extends Method {
  /** Whether it may also where nothing is known to want it (A86). */
  readonly isUnasked: boolean
}

/** A handshake that belongs to a connection. */
export interface Bound extends Method {
  readonly handshake: Handshake
}

/** Refusals that are remembered; more come only from a peer that makes up realms, and the oldest goes first. */
const maximumEnded = 64

/** Sessions, refusals, what worked last, and who is trying what. */
export class PeerMemory {
  readonly options: PeerMemoryOptions
  readonly #sessions = new Map<AuthScheme, Session>()
  readonly #bound = new WeakMap<object, Bound>()
  readonly #settling = new WeakMap<object, Promise<void>>()
  /** Schemes whose credentials the peer has taken, the last one first. */
  #proved: readonly AuthScheme[] = []
  #ended: readonly Ended[] = []
  /** What this peer has taken. */
  #taken: readonly Credentials[] = []
  /** Requests that are under way. */
  readonly #requests = new Set<Disposable>()

  constructor(options: PeerMemoryOptions) {
    this.options = options
  }

  /** @param isPatient whether who is logged on answers only where that was set (A46) */
  select(
    challenges: readonly Challenge[],
    ended: readonly Ended[],
    request: RequestFacts,
    isPatient: boolean,
  ): Selection {
    const { wallet, schemes, world } = this.options
    const situation = this.#situation(request)
    const endedBefore = [...this.#ended, ...this.#refusedElsewhere()]
    const offer = { challenges, situation, wallet, schemes, ended, endedBefore }
    return select(offer, isPatient ? withoutPolicy(world) : world)
  }

  /** The session of a scheme; opened once. */
  open({ scheme, credentials }: Method): Session | Unable {
    const known = this.#sessions.get(scheme)
    if (known !== undefined) return known
    const { situation, world, warn } = this.options
    const { target, peer } = situation
    const opened = scheme.open({ target, peer, credentials, world })
    if (!('begin' in opened)) return opened
    this.#sessions.set(scheme, opened)
    if (isReadableAt(scheme, situation)) {
      warn?.({ target, peer: peer.origin, scheme: scheme.token })
    }
    return opened
  }

  /** On another connection the same peer may be somewhere else. */
  #situation({ isLoopback = false }: RequestFacts): Situation {
    return { ...this.options.situation, isLoopback }
  }

  /** What may be sent before a challenge: what has worked, and whatever else has credentials where A86 says so. */
  early(request: RequestFacts, isPatient: boolean): readonly Early[] {
    const { schemes } = this.options
    const situation = this.#situation(request)
    const isUnasked = this.options.isUnasked && !isPatient
    const methods: Early[] = []
    for (const scheme of this.#proved) {
      const method = this.#method(scheme, situation, isUnasked)
      if (method !== undefined) methods.push(method)
    }
    for (const scheme of isUnasked ? schemes : []) {
      const method = this.#isUntried(scheme)
        ? this.#method(scheme, situation, isUnasked)
        : undefined
      if (method?.isUnasked === true && !this.#isRefusedElsewhere(method)) methods.push(method)
    }
    return methods
  }

  #isUntried(scheme: AuthScheme): boolean {
    return !this.#proved.includes(scheme) && !this.#ended.some((ended) => ended.scheme === scheme)
  }

  #method(scheme: AuthScheme, situation: Situation, isUnasked: boolean): Early | undefined {
    const { wallet, world } = this.options
    const entitlement = entitle(scheme.name, situation, wallet, world.settings)
    if (entitlement.kind === 'none') return undefined
    const { credentials, source } = entitlement
    const isAllowed = !isReadableAt(scheme, situation) || world.settings.allowClearText
    if (!isAllowed || !scheme.accepts(credentials, situation.target)) return undefined
    return { scheme, credentials, isUnasked: isUnasked && this.#mayGoUnasked(source) }
  }

  /** The switch is for what the job itself says and for where it says to go; other rules speak of a challenge (A51, A53). */
  #mayGoUnasked(source: CredentialSource): boolean {
    return !this.options.situation.isForeign && (source === 'set' || source === 'url')
  }

  /** What is refused by another peer need not be tried here, unless this one has taken it. */
  #refusedElsewhere(): readonly Ended[] {
    const refused = this.options.trials.refusedElsewhere(this)
    if (refused.length === 0) return refused
    return refused.filter(
      ({ credentials }) => !this.#taken.some((taken) => sameCredentials(taken, credentials)),
    )
  }

  #isRefusedElsewhere({ credentials }: Method): boolean {
    return this.#refusedElsewhere().some((ended) => sameCredentials(ended.credentials, credentials))
  }

  /** Why the peer is not told what the job has, where that is not the peer's own refusal. */
  get reluctance(): string | undefined {
    return this.#refusedElsewhere()[0]?.reason
  }

  /** The peer has taken this scheme's credentials. */
  prove({ scheme, credentials }: Method): void {
    if (this.#proved[0] === scheme) return
    this.#proved = [scheme, ...this.#proved.filter((other) => other !== scheme)]
    this.#taken = [...this.#taken.filter((other) => other !== credentials), credentials]
    this.options.trials.take(credentials)
  }

  /** The peer has refused these credentials. */
  refuse(ended: Ended): void {
    this.#ended = [...this.#ended.slice(1 - maximumEnded), ended]
    // Wherever else it was taken, it may be wrong by now: it is not sent there before somebody asks (A133).
    this.#proved = this.#proved.filter((scheme) => scheme !== ended.scheme)
    this.options.trials.refuse(ended, this)
  }

  get hasRefused(): boolean {
    return this.#ended.length > 0
  }

  boundTo(connection: object | undefined): Bound | undefined {
    return connection === undefined ? undefined : this.#bound.get(connection)
  }

  bind(connection: object, bound: Bound): void {
    this.#bound.set(connection, bound)
  }

  /** Holds back who wants to prepare on a connection until the request before has its verdict. */
  settling(connection: object | undefined, verdict: Promise<unknown>): void {
    if (connection === undefined) return
    const done = verdict.then(
      () => undefined,
      () => undefined,
    )
    this.#settling.set(connection, done)
  }

  /** Resolves when nothing is being verified on a connection; at once where nothing was. */
  settled(connection: object | undefined): Promise<void> | undefined {
    return connection === undefined ? undefined : this.#settling.get(connection)
  }

  unbind(connection: object): void {
    this.#bound.delete(connection)
  }

  /**
   * Asks to be the one who tries a method that has not worked yet.
   *
   * @returns as {@link FirstTrials.begin}; `undefined` when the method needs no trial
   */
  tryFirst({ scheme, credentials }: Method): Promise<void> | (() => void) | undefined {
    return this.#proved.includes(scheme) ? undefined : this.options.trials.begin(credentials, this)
  }

  /** A request begins; it is ended with everything else, unless it leaves before. */
  enter(request: Disposable): void {
    this.#requests.add(request)
  }

  leave(request: Disposable): void {
    this.#requests.delete(request)
  }

  close(): void {
    for (const request of this.#requests) request[Symbol.dispose]()
    for (const session of this.#sessions.values()) session.close()
    this.#sessions.clear()
    this.#proved = []
    this.#taken = []
  }
}

function withoutPolicy(world: AuthWorld): AuthWorld {
  return { ...world, settings: { ...world.settings, useLmCompat: 2 } }
}
