/**
 * Proves who is asking, on the way of one request:
 *
 * ```
 *  word the request for a connection → 401 or 407? keep the connection, drain the body → answer the challenge
 *    → word it again, on the same connection if it still stands → … until the answer is about something else
 * ```
 *
 * There is one exchange of the room `auth` with the server and, where the proxy is asked for the whole URL, one with
 * the proxy; neither knows the other (A121). A proxy that is asked for a connection is answered while that is made.
 */

import { asksForProof } from '../auth/authenticator.ts'
import { targetFields, type AuthTarget } from '../auth/auth.ts'
import type { HashAlgorithm } from '../auth/crypto.ts'
import type { Exchange, Step } from '../auth/exchange.ts'
import type { RequestFacts, ResponseFacts, Send, Verdict } from '../auth/scheme.ts'
import { failure, FailureError, type Failure } from '../job/failure.ts'
import type { Field, Fields } from '../wire/fields.ts'
import type { ResponseHead } from '../wire/wire.ts'
import { makeDetour, type Run } from './detour.ts'
import { DistrustError, distrusted } from './failure.ts'
import type { HttpRequest } from './http.ts'
import type { Identity } from './identity.ts'
import type { ConnectionFacts, Lease, Worded } from './leg.ts'
import { ownProofOf, requestHead } from './request-head.ts'
import { describeTarget, isSameOrigin, parseTarget, type Target } from './target.ts'
import { isAskedForUrl, type Way } from './way.ts'

/** One of the two who may ask, and what was said to it. */
class Side {
  readonly target: AuthTarget
  readonly #begin: () => Exchange
  #exchange: Exchange
  /** What goes out on the connection that is in use. */
  send: Send | undefined
  /** Whether this exchange has been asked what to send. */
  #isPrepared = false
  /** Whether this exchange has answered a challenge: then it has begun something that it must go on with. */
  #wasAsked = false
  #isClosed = false

  constructor(target: AuthTarget, begin: () => Exchange) {
    this.target = target
    this.#begin = begin
    this.#exchange = begin()
  }

  get exchange(): Exchange {
    return this.#exchange
  }

  /** Another request begins for this side. */
  renew(): void {
    this.#exchange.close()
    this.#exchange = this.#begin()
    this.#isPrepared = false
    this.#wasAsked = false
    this.send = undefined
  }

  async prepare(facts: RequestFacts): Promise<void> {
    this.#isPrepared = true
    this.send = await this.#exchange.prepare(facts)
  }

  /** The request goes out on a connection that is new to it. */
  async move(facts: RequestFacts): Promise<void> {
    // A request is worded for a connection after its caller has left: nothing may be begun that nobody ends.
    if (this.#isClosed) return
    // Nothing was begun that could be gone on with, and nothing is counted against it.
    if (this.#isPrepared && !this.#wasAsked) this.renew()
    await this.prepare(facts)
  }

  challenged(response: ResponseFacts, facts: RequestFacts): Promise<Step> {
    this.#wasAsked = true
    return this.#exchange.challenged(response, facts)
  }

  /** Whether what goes out now begins or goes on with proving who owns the connection. */
  get isBinding(): boolean {
    return this.send !== undefined && this.#exchange.bindsConnection
  }

  /** Whether the request can be granted with what goes out now. */
  get canSucceed(): boolean {
    return this.send?.canSucceed !== false
  }

  /** Whether the request may be turned down for want of proof, as far as is known. */
  get isUnproven(): boolean {
    return this.send === undefined && this.#exchange.scheme === undefined
  }

  close(): void {
    this.#isClosed = true
    this.#exchange.close()
  }
}

/** A head that asks for proof, and who it is from. */
interface Asked {
  readonly head: ResponseHead
  readonly side: Side
}

/** How often a body is sent because what went out without it was let through. */
const MAXIMUM_BARES = 2

/** The proof of one request to one server over one way. */
export class Proof implements Disposable {
  readonly #run: Run
  readonly #request: HttpRequest
  readonly #first: Target
  readonly #server: Side
  readonly #saysItself: boolean
  #proxy: Side | undefined
  #way: Way
  #target: Target
  /** The connection that the sends of both sides are for. */
  #connection: ConnectionFacts | undefined
  #worded: Promise<unknown> = Promise.resolve()
  #asked: Asked | undefined
  #lease: Lease | undefined
  #verdicts: readonly Promise<Verdict>[] = []
  #hasAnswered = false
  /** Whether the last leg went out without the body of the request, because it could not succeed (A420). */
  #isBodyWithheld = false
  /** Whether the next leg goes out with the body and without what cannot succeed: nobody has asked for that. */
  #isBare = false
  #bares = 0

  /**
   * @param run makes detours
   * @param request with an identity
   */
  constructor(run: Run, request: HttpRequest, first: Target, way: Way, target: Target) {
    const { identity } = request
    if (identity === undefined) throw new TypeError('A proof needs somebody who gives it')
    this.#run = run
    this.#request = request
    this.#first = first
    this.#way = way
    this.#target = target
    const isForeign = !isSameOrigin(target, first)
    // A46: what the application says itself stands until somebody asks for more.
    this.#saysItself = !isForeign && ownProofOf(request.headers)?.isForServer === true
    const isPatient = this.#saysItself
    const server = identity.server(target, isForeign)
    this.#server = new Side('server', () => server.begin({ isPatient }))
    this.#proxy = proxySide(identity, target, way)
  }

  /** What is asked for: not always what was asked for first (A340). */
  get target(): Target {
    return this.#target
  }

  /** The head that asked for proof last; `undefined` when the last one did not. */
  get asked(): ResponseHead | undefined {
    return this.#asked?.head
  }

  /** Whether what was answered last is a request without its body, so that another leg has to follow. */
  get isUnfinished(): boolean {
    return this.#isBare
  }

  /** The connection on which the next leg goes out, while it is held. */
  get lease(): Lease | undefined {
    return this.#lease
  }

  /** Whether others may wait for the outcome. */
  get isAwaited(): boolean {
    return this.#hasAnswered
  }

  /**
   * Why what is set for a server did not help (A85): one that lets everybody in asks nobody, and refuses this file, or
   * denies that there is one, all the same. Nothing is sent unasked to mend that, unless the job says so (A86).
   *
   * @returns for people; `undefined` where that cannot be the reason
   */
  unasked({ status, fields }: ResponseHead): string | undefined {
    if (this.#request.identity?.hasForServers !== true || !this.#server.isUnproven) return undefined
    if (this.#saysItself) return undefined
    return fields.has(targetFields.server.challenge) ? undefined : unaskedRefusals.get(status)
  }

  /** Words the request for a connection; see `Wording`. */
  readonly wording = async (connection: ConnectionFacts): Promise<Worded> => {
    // One call after the other, as exchanges want it, also when a connection was lost while the first was under way.
    const before = this.#worded
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#worded = promise
    await before
    try {
      if (this.#connection !== connection) await this.#move(connection)
      return this.#word()
    } finally {
      resolve()
    }
  }

  async #move(connection: ConnectionFacts): Promise<void> {
    this.#connection = connection
    await this.#proxy?.move(this.#facts('proxy'))
    await this.#server.move(this.#facts('server'))
  }

  #word(): Worded {
    const sides = this.#proxy === undefined ? [this.#server] : [this.#proxy, this.#server]
    const { body } = this.#request
    const canSucceed = this.#isBare || sides.every((side) => side.canSucceed)
    const awaitsContinue =
      body !== undefined && canSucceed && sides.some((side) => side.isUnproven || !side.canSucceed)
    this.#isBodyWithheld = !canSucceed && body !== undefined && body.length > 0
    return {
      head: requestHead(
        this.#request,
        this.#target,
        this.#first,
        isAskedForUrl(this.#target, this.#way),
        {
          proofs: sides.filter((side) => side.canSucceed || !this.#isBare).flatMap(proofsOf),
          framing: framingOf(body?.length, canSucceed, awaitsContinue),
        },
      ),
      ...(body === undefined || !canSucceed || body.length === 0 ? {} : { body }),
      awaitsContinue,
      isExclusive: sides.some(({ isBinding }) => isBinding),
    }
  }

  /** Hears a head. @returns whether another leg follows, so that the body is to be dropped */
  takes(head: ResponseHead, lease: Lease): boolean {
    this.#connection = lease.facts
    const side = this.#askedBy(head)
    this.#asked = side === undefined ? undefined : { head, side }
    this.#isBare = side === undefined && this.#isBodyWithheld
    if (side === undefined) {
      this.#lease = undefined
      const server = this.#server.exchange.accepted(head)
      const proxy = this.#proxy?.exchange.accepted(head)
      this.#verdicts = proxy === undefined ? [server] : [server, proxy]
      if (!this.#isBare) return false
    }
    this.#lease = lease
    if (!lease.isShared) lease.hold()
    // The others are as unproven on this connection as this one, which cannot be proven while they are on it.
    else if (side?.isUnproven === true || side?.exchange.bindsConnection === true) lease.retire()
    return true
  }

  #askedBy(head: ResponseHead): Side | undefined {
    if (this.#proxy !== undefined && asksForProof('proxy', head)) return this.#proxy
    // What a sign-in server or a token endpoint says with a 401 is for whoever makes the detour.
    if (this.#request.identity?.isForProxiesOnly === true) return undefined
    return asksForProof('server', head) ? this.#server : undefined
  }

  /**
   * Answers the challenge that came last, with the detours it takes.
   *
   * @returns why it cannot be answered, for people; `undefined` when the next leg can go out
   * @throws the signal's reason
   */
  async answer(): Promise<string | undefined> {
    const asked = this.#asked
    if (asked === undefined) {
      await this.#beginBare()
      return undefined
    }
    return this.#untilLeft(() => this.#answer(asked))
  }

  /**
   * Ends what waits for others when whoever asks leaves meanwhile: nobody waits for a ticket server that does not answer,
   * and whoever waits for somebody else's trial begins none of their own.
   *
   * @throws the signal's reason
   */
  async #untilLeft<Value>(work: () => Promise<Value>): Promise<Value> {
    const { signal } = this.#request
    const leave = (): void => this.#closeSides()
    signal.addEventListener('abort', leave)
    try {
      const value = await work()
      signal.throwIfAborted()
      return value
    } finally {
      signal.removeEventListener('abort', leave)
    }
  }

  async #answer({ side, head }: Asked): Promise<string | undefined> {
    this.#hasAnswered = true
    if (side === this.#server) await this.#passProxy(head)
    let step = await side.challenged(head, this.#facts(side.target))
    while (step.kind === 'detour') {
      this.#request.signal.throwIfAborted()
      const came = await makeDetour(this.#run, this.#request, step)
      step = await side.exchange.detoured(came, this.#facts(side.target))
    }
    this.#request.signal.throwIfAborted()
    if (step.kind === 'failed') return step.reason
    side.send = step
    if (step.url !== undefined) this.#target = parseTarget(step.url)
    return undefined
  }

  /** What was let through is a request without its body: it has to be made once more, with it (A420). */
  async #beginBare(): Promise<void> {
    await this.check()
    if (++this.#bares > MAXIMUM_BARES) throw new FailureError(takenWithoutBody(this.#target))
    const sides = this.#proxy === undefined ? [this.#server] : [this.#server, this.#proxy]
    for (const side of sides) side.renew()
    this.#connection = undefined
  }

  /** Goes on at another origin (A340): what belongs to this one stays behind. */
  moveTo(way: Way): void {
    const { identity } = this.#request
    this.#lease?.release()
    this.#lease = undefined
    this.#connection = undefined
    this.#way = way
    this.#proxy?.close()
    this.#proxy = identity === undefined ? undefined : proxySide(identity, this.#target, way)
  }

  /** The server has asked, so the proxy has let the request through, and gets another one now. */
  async #passProxy(response: ResponseFacts): Promise<void> {
    const proxy = this.#proxy
    if (proxy === undefined) return
    distrustUnless(await proxy.exchange.accepted(response), this.#target)
    proxy.renew()
    await proxy.prepare(this.#facts('proxy'))
  }

  /**
   * Waits for what the final response proves.
   *
   * @throws {DistrustError} when the server or the proxy did not prove itself
   */
  async check(): Promise<void> {
    const sides = this.#proxy === undefined ? [this.#server] : [this.#server, this.#proxy]
    const waits = sides.some(({ exchange }) => exchange.bindsConnection)
    const work = (): Promise<readonly Verdict[]> => Promise.all(this.#verdicts)
    // One more listener for each of thousands of requests would be dear, and only contexts of a mechanism may hang.
    const verdicts = await (waits ? this.#untilLeft(work) : work())
    for (const verdict of verdicts) distrustUnless(verdict, this.#target)
  }

  /** Which hash of the body of the final response says whether it is the server's; known once that is {@link takes taken}. */
  get awaitsBody(): HashAlgorithm | undefined {
    return this.#server.exchange.awaitsBody
  }

  /**
   * The final response is over.
   *
   * @param bodyHash where it is awaited and the body was taken
   * @throws {DistrustError} when its trailers or its body prove that it is somebody else's (A222)
   */
  finish(trailers: Fields, bodyHash: Uint8Array | undefined): void {
    if (trailers.size === 0 && bodyHash === undefined) return
    const fields = [...trailers]
    distrustUnless(this.#server.exchange.finished(fields, bodyHash), this.#target)
    if (this.#proxy !== undefined) {
      distrustUnless(this.#proxy.exchange.finished(fields), this.#target)
    }
  }

  #facts(target: AuthTarget): RequestFacts {
    const { body, method } = this.#request
    const { url, path } = this.#target
    const connection = this.#connection
    const isProxy = target === 'proxy'
    const { hop } = this.#way
    const isSealed = isProxy
      ? hop !== 'direct' && hop.scheme === 'https'
      : this.#target.scheme === 'https'
    const channelBinding = isSealed ? connection?.channelBinding : undefined
    const bodyHash = body?.hash?.bind(body)
    return {
      method,
      // A125, A223: the server sees the path where the proxy sees the URL.
      requestTarget: isProxy ? url : path,
      // Few schemes want to know it.
      get url(): URL {
        return new URL(url)
      },
      ...(connection === undefined ? {} : { connection }),
      ...(bodyHash === undefined ? {} : { bodyHash }),
      ...(channelBinding === undefined ? {} : { channelBinding }),
      ...(isProxy && connection?.isLoopback === true ? { isLoopback: true } : {}),
    }
  }

  [Symbol.dispose](): void {
    this.#lease?.release()
    // What was not waited for is of no interest any more.
    for (const verdict of this.#verdicts) verdict.catch(() => undefined)
    this.#closeSides()
  }

  #closeSides(): void {
    this.#server.close()
    this.#proxy?.close()
  }
}

const notUsed = 'what is set for it was not used; preemptive authentication sends it unasked'

const unaskedRefusals: ReadonlyMap<number, string> = new Map([
  [
    403,
    `The server refuses the file without asking who is there, as a server does that lets everybody in: ${notUsed}`,
  ],
  [
    404,
    `The server knows no such file and does not ask who is there, as a server does that hides it: ${notUsed}`,
  ],
])

/** The proxy, where it is asked for the whole URL. */
function proxySide(identity: Identity, target: Target, way: Way): Side | undefined {
  const { hop } = way
  if (hop === 'direct' || !isAskedForUrl(target, way)) return undefined
  return new Side('proxy', () => identity.proxy(hop).begin())
}

function takenWithoutBody(target: Target): Failure {
  return failure(
    'BG_E_INVALID_SERVER_RESPONSE',
    'REMOTE_FILE',
    `Cannot send a body to ${describeTarget(target)}: it is asked for only without one`,
  )
}

function proofsOf({ target, send }: Side): readonly Field[] {
  const fields: Field[] = []
  if (send?.header !== undefined) fields.push([targetFields[target].credentials, send.header])
  if (send?.cookie !== undefined) fields.push(['Cookie', send.cookie])
  return fields
}

function framingOf(
  length: number | undefined,
  canSucceed: boolean,
  awaitsContinue: boolean,
): readonly Field[] {
  if (length === undefined) return []
  const fields: Field[] = [['Content-Length', String(canSucceed ? length : 0)]]
  if (awaitsContinue && length > 0) fields.push(['Expect', '100-continue'])
  return fields
}

function distrustUnless(verdict: Verdict, target: Target): void {
  if (verdict.kind === 'refused') throw new DistrustError(distrusted(target, verdict.reason))
}
