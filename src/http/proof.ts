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
import type { RequestFacts, ResponseFacts, Verdict } from '../auth/scheme.ts'
import { goOnWith, type Eventually } from '../base/eventually.ts'
import { failure, FailureError, type Failure } from '../job/failure.ts'
import type { Field, Fields } from '../wire/fields.ts'
import type { ResponseHead } from '../wire/wire.ts'
import { makeDetour, type Run } from './detour.ts'
import { DistrustError, distrusted } from './failure.ts'
import type { HttpRequest } from './http.ts'
import type { Identity } from './identity.ts'
import type { ConnectionFacts, Lease, Worded } from './leg.ts'
import { Facts, Side } from './proof-side.ts'
import { ownProofOf, requestHead } from './request-head.ts'
import { describeTarget, isSameOrigin, parseTarget, type Target } from './target.ts'
import { isAskedForUrl, type Way } from './way.ts'

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
  #worded: Promise<Worded> | undefined
  #asked: Asked | undefined
  #lease: Lease | undefined
  /** Resolves when both sides have proved what they must, where that was not clear at once; see {@link check}. */
  #judged: Promise<void> | undefined
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
  readonly wording = (connection: ConnectionFacts): Eventually<Worded> => {
    const word = (): Eventually<Worded> => this.#wordFor(connection)
    // One call after the other, as exchanges want it, also when a connection was lost while the first was under way.
    const worded = this.#worded === undefined ? word() : this.#worded.then(word, word)
    if (worded instanceof Promise) this.#worded = worded
    return worded
  }

  #wordFor(connection: ConnectionFacts): Eventually<Worded> {
    if (this.#connection === connection) return this.#word()
    return goOnWith(this.#move(connection), () => this.#word())
  }

  #move(connection: ConnectionFacts): Eventually<void> {
    this.#connection = connection
    const moved = this.#proxy?.move(this.#facts('proxy'))
    return goOnWith(moved, () => this.#server.move(this.#facts('server')))
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
      this.#judged = this.#judge(head)
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
  check(): Promise<void> | undefined {
    return this.#judged
  }

  #judge(head: ResponseHead): Promise<void> | undefined {
    const [server, proxy] = [this.#server.exchange, this.#proxy?.exchange]
    const waits = server.bindsConnection || proxy?.bindsConnection === true
    const verdicts = [server.accepted(head), proxy?.accepted(head)]
    return verdicts.every(isDone) ? undefined : this.#judgeLater(verdicts, waits)
  }

  async #judgeLater(
    verdicts: readonly (Eventually<Verdict> | undefined)[],
    waits: boolean,
  ): Promise<void> {
    const all = (): Promise<readonly (Verdict | undefined)[]> =>
      Promise.all(verdicts.map((verdict) => Promise.resolve(verdict)))
    // One more listener for each of thousands of requests would be dear, and only contexts of a mechanism may hang.
    for (const verdict of await (waits ? this.#untilLeft(all) : all())) {
      if (verdict !== undefined) distrustUnless(verdict, this.#target)
    }
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
    const connection = this.#connection
    const isProxy = target === 'proxy'
    const { hop } = this.#way
    const isSealed = isProxy
      ? hop !== 'direct' && hop.scheme === 'https'
      : this.#target.scheme === 'https'
    return new Facts(this.#target, {
      method,
      // A125, A223: the server sees the path where the proxy sees the URL.
      requestTarget: isProxy ? this.#target.url : this.#target.path,
      connection,
      bodyHash: body?.hash?.bind(body),
      channelBinding: isSealed ? connection?.channelBinding : undefined,
      isLoopback: isProxy && connection?.isLoopback === true,
    })
  }

  [Symbol.dispose](): void {
    this.#lease?.release()
    // What was not waited for is of no interest any more.
    this.#judged?.catch(() => undefined)
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

/** Whether a side has proved at once whatever it must. */
function isDone(verdict: Eventually<Verdict> | undefined): boolean {
  return verdict === undefined || (!(verdict instanceof Promise) && verdict.kind === 'done')
}

function distrustUnless(verdict: Verdict, target: Target): void {
  if (verdict.kind === 'refused') throw new DistrustError(distrusted(target, verdict.reason))
}
