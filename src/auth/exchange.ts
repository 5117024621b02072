/** One request to one target, with all its legs. */

import { LullError } from '../base/error.ts'
import { goOnWith, type Eventually } from '../base/eventually.ts'
import { fieldValues, targetFields, type AuthTarget, type Field, type SchemeName } from './auth.ts'
import { parseChallenges, type Challenge } from './challenge.ts'
import type { HashAlgorithm } from './crypto.ts'
import type { Early, Method, PeerMemory } from './peer-memory.ts'
import type {
  Answer,
  AuthScheme,
  Detour,
  DetourResponse,
  Handshake,
  RequestFacts,
  ResponseFacts,
  Send,
  Verdict,
} from './scheme.ts'
import type { Choice, Ended, PassedOver, Selection } from './select.ts'
import type { CredentialSource } from './wallet.ts'

/** What to do about a challenge. */
export type Step = Send | Detour | Failed

/** Nothing more can be done: the response that asked for proof is final. */
export interface Failed {
  readonly kind: 'failed'
  /** For people: sentence case, no full stop, no secret. */
  readonly reason: string
}

/** What became of one scheme, for people who wonder (`lull doctor`). */
export interface Explained extends PassedOver {
  readonly outcome: 'chosen' | 'in reserve' | 'passed over'
}

/** What one response meant, for people who wonder: nothing secret is in it. */
export interface Witnessed {
  readonly target: AuthTarget
  /** The origin of the server or proxy. */
  readonly peer: string
  readonly status: number
  /** The schemes of its challenges, in its order; empty where it asks for nothing. */
  readonly offered: readonly string[]
  /** What became of each scheme that was offered or set. */
  readonly schemes: readonly Explained[]
  /** What is done about it: another leg, a request elsewhere first, nothing any more; or nothing had to be done. */
  readonly outcome: 'send' | 'detour' | 'failed' | 'accepted' | 'distrusted'
  /** Why nothing can be done any more, or why the peer is not trusted. */
  readonly reason?: string
}

/** Whose credentials a choice goes with. Never a name: not even that can be read back (A17). */
const sourceSentences: Readonly<Record<CredentialSource, string>> = {
  set: 'with what was set for it',
  url: 'with the name in the URL',
  proxy: 'as who is logged on, because the proxy gets that too',
  policy: 'as who is logged on, because UseLMCompat says so',
  stored: 'as who is logged on, because the proxy may have stored credentials',
}

/** A440: responses to one request that ask for proof. */
const maximumChallenges = 20

/** A135: how often the legs of one request are begun anew because their connection was lost with a proof on it. */
const maximumRestarts = 1

/** How often because it was lost before: that costs nobody a logon, and servers close idle connections all the time. */
const maximumBeginnings = 8

/** What is being tried, and how far it is. */
interface Trial extends Method {
  readonly handshake: Handshake
  /** Where the legs are made, when the scheme binds the connection. */
  readonly connection: object | undefined
  /** Whether it was begun because the job wants to be known before anybody asks (A86). */
  readonly isUnasked: boolean
  /** Whether a challenge has been answered; otherwise what was sent was sent early. */
  wasAsked: boolean
  /** Whether anything was sent that could have succeeded. */
  hasProved: boolean
  /** Whether a proof was begun that takes more legs. */
  hasBegun: boolean
  /** The realm of the challenge that was answered first. */
  realm: string | undefined
}

/** Talks about one request; see authenticator.ts. Its calls are made one after the other. */
export class Exchange implements Disposable {
  readonly #memory: PeerMemory
  readonly #isPatient: boolean
  #trial: Trial | undefined
  #endTrial: (() => void) | undefined
  /** What is being begun before anybody asked, and is no trial yet. */
  #preparing: Handshake | undefined
  #challenges: readonly Challenge[] = []
  #selection: Selection = { choices: [], passedOver: [] }
  readonly #ended: Ended[] = []
  /** What our side could not do when it was asked last. */
  #shortfall: string | undefined
  #count = 0
  #restarts = 0
  #beginnings = 0
  #isClosed = false

  constructor(memory: PeerMemory, isPatient: boolean) {
    this.#memory = memory
    this.#isPatient = isPatient
    memory.enter(this)
  }

  /** The scheme in use, if there is one. */
  get scheme(): SchemeName | undefined {
    return this.#trial?.scheme.name
  }

  /** Whether the connection in use belongs to whom it proves, from now on and to nobody else (A360). */
  get bindsConnection(): boolean {
    return this.#trial?.scheme.binds === 'connection'
  }

  /** Every scheme that was offered or set, and what became of it. */
  get explanation(): readonly Explained[] {
    const { choices, passedOver } = this.#selection
    const reasons = new Map(passedOver.map(({ scheme, reason }) => [scheme, reason]))
    for (const { scheme, reason } of this.#ended) reasons.set(scheme.token, reason)
    const passed = [...reasons].map(([scheme, reason]) => ({ scheme, reason }))
    return [
      ...choices.map((choice) => this.#explain(choice)),
      ...passed.map((each) => ({ ...each, outcome: 'passed over' as const })),
    ]
  }

  #tell(status: number, outcome: Witnessed['outcome'], reason: string | undefined): void {
    const { witness, situation } = this.#memory.options
    if (witness === undefined) return
    const { target, peer } = situation
    const isAsked = outcome !== 'accepted' && outcome !== 'distrusted'
    const offered = isAsked ? this.#challenges.map(({ scheme }) => scheme) : []
    const said = { target, peer: peer.origin, status, offered, outcome, schemes: this.explanation }
    witness(reason === undefined ? said : { ...said, reason })
  }

  #explain({ scheme, source, credentials }: Choice): Explained {
    const isChosen = this.#trial?.scheme === scheme
    const isLoggedOn = source === 'set' && credentials.kind === 'implicit'
    const chosen = isLoggedOn ? 'as who is logged on, as was set for it' : sourceSentences[source]
    const reason = isChosen ? chosen : 'a stronger one is tried first'
    return { scheme: scheme.token, outcome: isChosen ? 'chosen' : 'in reserve', reason }
  }

  /**
   * What the request carries when it goes out for the first time, and again each time it has to go out on another
   * connection than the one it was on; a step that was to be sent on the lost one is void then.
   */
  prepare(request: RequestFacts): Eventually<Send | undefined> {
    // Whoever waited for somebody else's trial may have left meanwhile: nobody would end what began now.
    if (this.#isClosed) return undefined
    if (this.#trial !== undefined) return this.#again(this.#trial, request)
    return goOnWith(this.#memory.settled(request.connection), () => {
      const bound = this.#memory.boundTo(request.connection)
      if (bound === undefined) return this.#prepareEarly(request)
      this.#begin(bound, bound.handshake, request)
      return this.#sentBy(bound.handshake, request)
    })
  }

  /** Goes through what may be sent before anybody asks, from a place on, until something can be. */
  #prepareEarly(
    request: RequestFacts,
    methods = this.#memory.early(request, this.#isPatient),
    place = 0,
  ): Eventually<Send | undefined> {
    const method = methods[place]
    // Whoever left while a method was being prepared begins no other.
    if (method === undefined || this.#isClosed) return undefined
    const goOn = (): Eventually<Send | undefined> => this.#prepareEarly(request, methods, place + 1)
    const session = this.#memory.open(method)
    if (!('begin' in session)) return goOn()
    const others = this.#claim(method)
    if (others !== undefined) return others.then(() => this.prepare(request))
    const handshake = session.begin()
    this.#preparing = handshake
    return goOnWith(handshake.prepare(request, method.isUnasked), (send) => {
      this.#preparing = undefined
      if (send !== undefined && !this.#isClosed) {
        this.#begin(method, handshake, request)
        return this.#sent(send)
      }
      handshake.close()
      this.#release()
      return goOn()
    })
  }

  /** Takes a 401 of a server or a 407 of a proxy. */
  async challenged(response: ResponseFacts, request: RequestFacts): Promise<Step> {
    const step = await this.#answer(response, request)
    this.#tell(response.status, step.kind, step.kind === 'failed' ? step.reason : undefined)
    return step
  }

  async #answer(response: ResponseFacts, request: RequestFacts): Promise<Step> {
    const { target } = this.#memory.options.situation
    if (++this.#count > maximumChallenges) return failed(`The ${target} asks for proof for ever`)
    try {
      this.#challenges = parseChallenges(
        fieldValues(response.fields, targetFields[target].challenge),
      )
    } catch (error) {
      // Only the limits of challenges throw, and nothing that breaks them deserves an answer.
      if (error instanceof LullError) return failed(error.message)
      throw error
    }
    const trial = this.#trial
    if (trial === undefined) return this.#choose(request)
    const challenge = this.#pick(trial.scheme)
    if (challenge !== undefined) {
      const answer = await trial.handshake.answer(challenge, request)
      return this.#take(answer, challenge) ?? this.#choose(request)
    }
    // What was sent early was not meant for this place; what was asked for and given was turned down.
    const reason = `${trial.scheme.token}: the ${target} asks for something else now`
    if (trial.wasAsked && trial.hasProved) this.#end('refused', trial.realm, reason)
    // It was this scheme's try (A135); the others may still be what is wanted.
    else if (trial.isUnasked && trial.hasProved) this.#end('unable', undefined, reason)
    else this.#drop()
    return this.#choose(request)
  }

  /** Takes what came back from a detour. */
  async detoured(response: DetourResponse, request: RequestFacts): Promise<Step> {
    const trial = this.#trial
    if (trial?.handshake.detoured === undefined) return failed('Nobody asked for a detour')
    const answer = await trial.handshake.detoured(response, request)
    return this.#take(answer, this.#pick(trial.scheme)) ?? this.#choose(request)
  }

  /** Takes a response that the target let through: for a server neither 401 nor 407, for a proxy any but 407. */
  accepted(response: ResponseFacts): Eventually<Verdict> {
    const trial = this.#trial
    if (trial === undefined) return { kind: 'done' }
    if (trial.hasBegun && !trial.hasProved && trial.connection !== undefined) {
      // What was asked for needs no proof, so that the connection has not been proven either.
      this.#memory.unbind(trial.connection)
      this.#drop()
      return { kind: 'done' }
    }
    const verdict = trial.handshake.accept(response)
    if (verdict instanceof Promise) this.#memory.settling(trial.connection, verdict)
    return goOnWith(verdict, (verdict) => this.#conclude(trial, response, verdict))
  }

  #conclude(trial: Trial, response: ResponseFacts, verdict: Verdict): Verdict {
    const isRefused = verdict.kind === 'refused'
    const reason = isRefused ? verdict.reason : undefined
    this.#tell(response.status, isRefused ? 'distrusted' : 'accepted', reason)
    if (isRefused) this.#end('refused', trial.realm, verdict.reason)
    // A server in trouble has not said what it thinks of the proof.
    else if (trial.hasProved && response.status < 500) this.#memory.prove(trial)
    // From here on the handshake is the connection's, and perhaps the next request's.
    if (trial.scheme.binds === 'connection') this.#trial = undefined
    this.#release()
    return verdict
  }

  /** Which hash of the body {@link finished} is to be told; known once the response is given to {@link accepted}. */
  get awaitsBody(): HashAlgorithm | undefined {
    return this.#trial?.handshake.awaitsBody
  }

  /** Takes the trailers of what was accepted, when its body is over. */
  finished(trailers: readonly Field[], bodyHash?: Uint8Array): Verdict {
    const trial = this.#trial
    const verdict = trial?.handshake.finish?.(trailers, bodyHash) ?? { kind: 'done' }
    if (verdict.kind === 'refused') this.#end('refused', trial?.realm, verdict.reason)
    return verdict
  }

  /** Ends the request, whether or not it had an answer. May be called twice. */
  close(): void {
    this.#isClosed = true
    this.#memory.leave(this)
    this.#preparing?.close()
    this.#drop()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  /** Goes through what can be tried until something can be sent. */
  async #choose(request: RequestFacts): Promise<Step> {
    for (;;) {
      // What there was to choose from may be wiped.
      if (this.#isClosed) return this.#fail()
      this.#selection = this.#memory.select(this.#challenges, this.#ended, request, this.#isPatient)
      const [choice] = this.#selection.choices
      if (choice === undefined) return this.#fail()
      const others = this.#claim(choice)
      if (others !== undefined) {
        // Whoever waited looks at the choices again: they may be fewer now.
        await others
        continue
      }
      const step = await this.#try(choice, request)
      if (step !== undefined) return step
    }
  }

  async #try(choice: Choice, request: RequestFacts): Promise<Step | undefined> {
    const realm = choice.challenge.parameters.get('realm')
    const session = this.#memory.open(choice)
    if (!('begin' in session)) {
      this.#ended.push({ ...choice, kind: 'unable', realm, reason: session.reason })
      this.#shortfall ??= session.reason
      this.#release()
      return undefined
    }
    const handshake = session.begin()
    this.#begin(choice, handshake, request)
    return this.#take(await handshake.answer(choice.challenge, request), choice.challenge)
  }

  /** Makes a step of an answer; `undefined` when that was the end of this trial. */
  #take(answer: Answer, challenge: Challenge | undefined): Step | undefined {
    const trial = this.#trial
    const realm = challenge?.parameters.get('realm')
    if (trial !== undefined && !trial.wasAsked) {
      trial.wasAsked = true
      trial.realm = realm
    }
    switch (answer.kind) {
      case 'send':
        return this.#sent(answer)
      case 'detour':
        return answer
      case 'unable':
      case 'refused':
        this.#shortfall ??= answer.kind === 'unable' ? answer.reason : answer.shortfall
        this.#end(answer.kind, realm, answer.reason)
        return undefined
      default:
        return answer satisfies never
    }
  }

  /** The legs once more on another connection. */
  #again(trial: Trial, request: RequestFacts): Eventually<Send | undefined> {
    if (trial.scheme.binds === 'request' || trial.connection === request.connection) {
      return this.#sentBy(trial.handshake, request)
    }
    trial.handshake.close()
    const session = this.#memory.open(trial)
    const isTooOften = trial.hasProved
      ? ++this.#restarts > maximumRestarts
      : ++this.#beginnings > maximumBeginnings
    if (isTooOften || !('begin' in session)) {
      this.#end(
        'unable',
        trial.realm,
        `${trial.scheme.token}: the connection is lost again and again`,
      )
      return undefined
    }
    const handshake = session.begin()
    this.#begin(trial, handshake, request)
    return this.#sentBy(handshake, request)
  }

  #begin(
    { scheme, credentials, isUnasked = false }: Method & Partial<Pick<Early, 'isUnasked'>>,
    handshake: Handshake,
    { connection }: RequestFacts,
  ): void {
    const progress = { wasAsked: false, hasProved: false, hasBegun: false, realm: undefined }
    const trial = { scheme, credentials, handshake, connection, isUnasked, ...progress }
    this.#trial = trial
    if (scheme.binds === 'connection' && connection !== undefined) {
      this.#memory.bind(connection, trial)
    }
  }

  #sentBy(handshake: Handshake, request: RequestFacts): Eventually<Send | undefined> {
    return goOnWith(handshake.prepare(request), (send) => this.#sent(send))
  }

  #sent<Sent extends Send | undefined>(send: Sent): Sent {
    const trial = this.#trial
    if (trial === undefined || send === undefined) return send
    if (send.canSucceed) trial.hasProved = true
    else trial.hasBegun = true
    return send
  }

  #end(kind: Ended['kind'], realm: string | undefined, reason: string): void {
    const trial = this.#trial
    if (trial === undefined) return
    const { scheme, credentials } = trial
    const realms = new Set([realm, trial.realm])
    for (const realm of realms) {
      const ended = { kind, scheme, credentials, realm, reason }
      this.#ended.push(ended)
      if (kind === 'refused') this.#memory.refuse(ended)
    }
    if (trial.connection !== undefined) this.#memory.unbind(trial.connection)
    this.#drop()
  }

  #drop(): void {
    this.#trial?.handshake.close()
    this.#trial = undefined
    this.#release()
  }

  /** Claims the first trial of a method, where it needs one. @returns what to wait for when another request tries it */
  #claim(method: Method): Promise<void> | undefined {
    const claimed = this.#memory.tryFirst(method)
    if (claimed instanceof Promise) return claimed
    this.#endTrial = claimed
    return undefined
  }

  #release(): void {
    this.#endTrial?.()
    this.#endTrial = undefined
  }

  #pick(scheme: AuthScheme): Challenge | undefined {
    const token = scheme.token.toLowerCase()
    const [first, ...others] = this.#challenges.filter((challenge) => challenge.scheme === token)
    if (first === undefined) return undefined
    return scheme.pick?.([first, ...others], this.#memory.options.world) ?? first
  }

  #fail(): Failed {
    const { target } = this.#memory.options.situation
    const shortfall = this.#shortfall ?? (this.#isClosed ? undefined : this.#memory.reluctance)
    const why = shortfall === undefined ? '' : `: ${shortfall}`
    if (this.#memory.hasRefused) return failed(`The ${target} refused the credentials${why}`)
    return failed(
      this.#challenges.length === 0
        ? `The ${target} asks for proof and names no way to give it`
        : `The ${target} asks for proof that the job cannot give${why}`,
    )
  }
}

function failed(reason: string): Failed {
  return { kind: 'failed', reason }
}
