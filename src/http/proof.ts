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
import type { Exchange, Step } from '../auth/exchange.ts'
import type { RequestFacts, ResponseFacts, Send, Verdict } from '../auth/scheme.ts'
import type { Field } from '../wire/fields.ts'
import type { ResponseHead } from '../wire/wire.ts'
import { makeDetour, type Run } from './detour.ts'
import { DistrustError, distrusted } from './failure.ts'
import type { HttpRequest } from './http.ts'
import type { ConnectionFacts, Lease, Worded } from './leg.ts'
import { requestHead } from './request-head.ts'
import { isSameOrigin, parseTarget, type Target } from './target.ts'
import { isAskedForUrl, type Way } from './way.ts'

/** One of the two who may ask, and what was said to it. */
class Side {
  readonly target: AuthTarget
  readonly #begin: () => Exchange
  #exchange: Exchange
  /** What goes out on the connection that is in use. */
  send: Send | undefined
  /** Whether this exchange has answered a challenge: then it has begun something that it must go on with. */
  #wasAsked = false

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
    this.#wasAsked = false
    this.send = undefined
  }

  async prepare(facts: RequestFacts): Promise<void> {
    this.send = await this.#exchange.prepare(facts)
  }

  /** The request goes out on a connection that is new to it. */
  async move(facts: RequestFacts): Promise<void> {
    // Nothing was begun that could be gone on with, and nothing is counted against it.
    if (!this.#wasAsked) this.renew()
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

  /** Whether the request may be turned down for want of proof, as far as is known. */
  get isUnproven(): boolean {
    return this.send === undefined && this.#exchange.scheme === undefined
  }

  close(): void {
    this.#exchange.close()
  }
}

/** The proof of one request to one server over one way. */
export class Proof implements Disposable {
  readonly #run: Run
  readonly #request: HttpRequest
  readonly #first: Target
  readonly #way: Way
  readonly #server: Side
  readonly #proxy: Side | undefined
  #target: Target
  /** The connection that the sends of both sides are for. */
  #connection: ConnectionFacts | undefined
  #worded: Promise<unknown> = Promise.resolve()
  #asked: { readonly head: ResponseHead; readonly side: Side } | undefined
  #lease: Lease | undefined
  #verdicts: readonly Promise<Verdict>[] = []
  #hasAnswered = false

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
    const { hop } = way
    this.#server = new Side('server', () =>
      identity.server(target, !isSameOrigin(target, first)).begin(),
    )
    this.#proxy =
      isAskedForUrl(target, way) && hop !== 'direct'
        ? new Side('proxy', () => identity.proxy(hop).begin())
        : undefined
  }

  /** What is asked for: not always what was asked for first (A340). */
  get target(): Target {
    return this.#target
  }

  /** The head that asked for proof last; `undefined` when the last one did not. */
  get asked(): ResponseHead | undefined {
    return this.#asked?.head
  }

  /** The connection on which the next leg goes out, while it is held. */
  get lease(): Lease | undefined {
    return this.#lease
  }

  /** Whether others may wait for the outcome. */
  get isAwaited(): boolean {
    return this.#hasAnswered
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
    const canSucceed = sides.every(({ send }) => send?.canSucceed !== false)
    const awaitsContinue = body !== undefined && canSucceed && sides.some((side) => side.isUnproven)
    return {
      head: requestHead(
        this.#request,
        this.#target,
        this.#first,
        isAskedForUrl(this.#target, this.#way),
        {
          proofs: sides.flatMap(proofsOf),
          framing: framingOf(body?.length, canSucceed, awaitsContinue),
        },
      ),
      ...(body === undefined || !canSucceed || body.length === 0 ? {} : { body }),
      awaitsContinue,
      isExclusive: sides.some(({ isBinding }) => isBinding),
    }
  }

  /** Hears a head. @returns whether it asks for proof, so that its body is to be dropped */
  takes(head: ResponseHead, lease: Lease): boolean {
    this.#connection = lease.facts
    const side = this.#askedBy(head)
    this.#asked = side === undefined ? undefined : { head, side }
    if (side === undefined) {
      this.#lease = undefined
      const response = factsOf(head)
      const proxy = this.#proxy
      this.#verdicts = [
        this.#server.exchange.accepted(response),
        ...(proxy === undefined ? [] : [proxy.exchange.accepted(response)]),
      ]
      return false
    }
    this.#lease = lease
    if (!lease.isShared) lease.hold()
    // The others are as unproven on this connection as this one, which cannot be proven while they are on it.
    else if (side.isUnproven || side.exchange.bindsConnection) lease.retire()
    return true
  }

  #askedBy(head: ResponseHead): Side | undefined {
    const response = factsOf(head)
    if (this.#proxy !== undefined && asksForProof('proxy', response)) return this.#proxy
    return asksForProof('server', response) ? this.#server : undefined
  }

  /**
   * Answers the challenge that came last, with the detours it takes.
   *
   * @returns why it cannot be answered, for people; `undefined` when the next leg can go out
   * @throws the signal's reason
   */
  async answer(): Promise<string | undefined> {
    const asked = this.#asked
    if (asked === undefined) return undefined
    const { side, head } = asked
    const response = factsOf(head)
    this.#hasAnswered = true
    if (side === this.#server) await this.#passProxy(response)
    let step = await side.challenged(response, this.#facts(side.target))
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
    for (const verdict of this.#verdicts) distrustUnless(await verdict, this.#target)
  }

  #facts(target: AuthTarget): RequestFacts {
    const { body, method } = this.#request
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
      requestTarget: isProxy ? this.#target.url : this.#target.path,
      url: new URL(this.#target.url),
      ...(connection === undefined ? {} : { connection }),
      ...(bodyHash === undefined ? {} : { bodyHash }),
      ...(channelBinding === undefined ? {} : { channelBinding }),
    }
  }

  [Symbol.dispose](): void {
    this.#lease?.release()
    // What was not waited for is of no interest any more.
    for (const verdict of this.#verdicts) verdict.catch(() => undefined)
    this.#server.close()
    this.#proxy?.close()
  }
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

function factsOf({ status, fields }: ResponseHead): ResponseFacts {
  return { status, fields: [...fields] }
}

function distrustUnless(verdict: Verdict, target: Target): void {
  if (verdict.kind === 'refused') throw new DistrustError(distrusted(target, verdict.reason))
}
