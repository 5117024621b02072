/**
 * The loop from a request to its final response:
 *
 * ```
 *  find the way → visit: legs to one target until it answers for good → follow it elsewhere, or final
 * ```
 *
 * A visit is one leg, or as many as it takes to prove who is asking (proof.ts). Where a proxy cannot be reached, the
 * next way is taken.
 */

import { directRoute, type Hop, type Route } from '../job/route.ts'
import type { ResponseHead } from '../wire/wire.ts'
import { Fields } from '../wire/fields.ts'
import { handshakeFacts, mayAskLater, type HandshakeFacts } from './certificate/handshake.ts'
import type { FetchList } from './certificate/revocation-lists.ts'
import { isProxyUnreachable } from './failure.ts'
import { listFetcher } from './fetch-list.ts'
import type { BodySink, ExchangeResult, HttpRequest, HttpResponse, RequestBody } from './http.ts'
import { Leg, type Lease, type LegConsumer, type LegParts, type Wording } from './leg.ts'
import { beginHash, type RunningHash } from './node-hashes.ts'
import { DEFAULT_CONNECTIONS } from './origin.ts'
import type { Pool } from './pool.ts'
import { Proof } from './proof.ts'
import { Hops, isRedirect } from './redirect.ts'
import { ownProofOf, requestHead, type Addition } from './request-head.ts'
import { isSameOrigin, parseTarget, type Target } from './target.ts'
import { isAskedForUrl, plainWay, type Way } from './way.ts'

/** Makes one exchange; see `HttpClient.exchange`. */
export async function runExchange(
  pool: Pool,
  request: HttpRequest,
  sink: BodySink,
): Promise<ExchangeResult> {
  request.signal.throwIfAborted()
  const hops = new Hops(parseTarget(request.url), request.redirects)
  let target = hops.first
  for (;;) {
    const visit = new Visit(pool, request, hops, target, sink)
    const trailers = await visit.run()
    if (visit.response !== undefined) return { response: visit.response, trailers }
    target = visit.next
  }
}

/** Everything that is asked of one target. */
class Visit implements LegConsumer {
  readonly #pool: Pool
  readonly #request: HttpRequest
  readonly #hops: Hops
  readonly #sink: BodySink
  /** What is asked; the proof may ask for another page of the same server (A340). */
  #target: Target
  #way: Way = plainWay
  /** Ways to the target that have not been tried. */
  #others: Hop[] = []
  /** Whether the proof has gone on at another origin, over ways of that (A340). */
  #isElsewhere = false
  #proof: Proof | undefined
  /** Whether the answer may have come of a certificate that was not asked for in time. */
  #isAskedLater = false
  /** Of the final response, where that says whose it is (A222). */
  #bodyHash: RunningHash | undefined
  /** What is on its way. */
  #leg: Leg | undefined
  /** The final response, unless the target led to another one. */
  response: HttpResponse | undefined
  /** Where the exchange goes on, unless this is the end of it. */
  next: Target

  constructor(pool: Pool, request: HttpRequest, hops: Hops, target: Target, sink: BodySink) {
    this.#pool = pool
    this.#request = request
    this.#hops = hops
    this.#target = target
    this.#sink = sink
    this.next = target
  }

  /** Goes one way after the other until one leads to the server. @returns the trailers of the last response */
  run(): Promise<Fields> {
    const { routes } = this.#request
    if (routes === undefined) return this.#go('direct')
    const found = this.#route()
    return found instanceof Promise
      ? found.then((route) => this.#goFirst(route))
      : this.#goFirst(found)
  }

  /** Whoever goes straight to the server has nothing to try instead. */
  #goFirst(route: Route): Promise<Fields> {
    const hop = this.#choose(route)
    return hop === 'direct' ? this.#go(hop) : this.#goOneOf(hop)
  }

  async #goOneOf(first: Hop): Promise<Fields> {
    for (let hop = first; ;) {
      try {
        return await this.#go(hop)
      } catch (error) {
        if (this.#isElsewhere) throw error
        hop = this.#instead(error)
      }
    }
  }

  /** The best way; the others are kept. */
  #choose(route: Route): Hop {
    const [first, ...others] = route.length > 0 ? route : directRoute
    this.#others = others
    return first
  }

  /** Another way than the one whose proxy cannot be reached (N75). @throws the error when that is not so, or was the last */
  #instead(error: unknown): Hop {
    const { hop } = this.#way
    if (hop === 'direct' || !isProxyUnreachable(error)) throw error
    this.#request.routes?.failed(hop, error.message)
    const another = this.#others.shift()
    if (another === undefined) throw error
    return another
  }

  /** The ways to the target, best first. */
  #route(): Route | Promise<Route> {
    const { routes, signal } = this.#request
    const { origin, url: href } = this.#target
    const found = routes?.find({ origin, href }) ?? directRoute
    if (!(found instanceof Promise)) return found
    return found.then((route) => {
      signal.throwIfAborted()
      return route
    })
  }

  #go(hop: Hop): Promise<Fields> {
    this.#way = this.#wayOver(hop)
    const mayBeAskedLate = this.#way.certificate !== undefined && this.#target.scheme === 'https'
    return mayBeAskedLate ? this.#goTwice() : this.#ask()
  }

  /** One way, once more with TLS 1.2 where the server asks for a certificate when it is too late for it (A83). */
  async #goTwice(): Promise<Fields> {
    try {
      const trailers = await this.#ask()
      if (!this.#isAskedLater) return trailers
    } catch (error) {
      const facts = error instanceof Error ? factsBehind(error) : undefined
      if (this.response !== undefined || !mayAskLater({ facts })) throw error
    }
    this.#isAskedLater = false
    this.#way = { ...this.#way, maxVersion: 'TLSv1.2' }
    return this.#ask()
  }

  #ask(): Promise<Fields> {
    const { identity, body } = this.#request
    if (identity !== undefined) return this.#prove()
    const request = body === undefined ? this.#head() : this.#wordingWith(body)
    return this.#pool.run(new Leg(this.#parts({ request })))
  }

  #wayOver(hop: Hop): Way {
    const { identity, caFile, certificate, strictCertificates: isStrict, witness } = this.#request
    const { securityFlags = 0, accepted, pinnedKeys = [] } = this.#request
    const isChoosy = securityFlags !== 0 || accepted !== undefined || pinnedKeys.length > 0
    const isBare = identity === undefined && caFile === undefined && certificate === undefined
    const ownProof = ownProofOf(this.#request.headers)
    const isPlain = ownProof === undefined && isStrict !== true && !isChoosy
    if (hop === 'direct' && isBare && isPlain) return plainWay
    const isOwn = isSameOrigin(this.#target, this.#hops.first)
    return {
      hop,
      ...(identity === undefined ? {} : { identity, isForeign: !isOwn }),
      ...(ownProof === undefined || !isOwn ? {} : { ownProof }),
      ...(caFile === undefined ? {} : { caFile }),
      ...(certificate === undefined || !isOwn ? {} : { certificate }),
      ...(isStrict === undefined ? {} : { isStrict }),
      ...(securityFlags === 0 ? {} : { securityFlags, fetchList: this.#fetchList }),
      ...(pinnedKeys.length === 0 ? {} : { pinnedKeys }),
      ...(accepted === undefined ? {} : { accepted }),
      ...(witness === undefined ? {} : { witness }),
    }
  }

  get #fetchList(): FetchList {
    return listFetcher((request, sink) => runExchange(this.#pool, request, sink), this.#request)
  }

  #head(more?: Addition): string {
    const isWhole = isAskedForUrl(this.#target, this.#way)
    return requestHead(this.#request, this.#target, this.#hops.first, isWhole, more)
  }

  /** A body of nobody in particular is sent at once. */
  #wordingWith(body: RequestBody): Wording {
    const framing = [['Content-Length', String(body.length)]] as const
    const head = this.#head({ proofs: [], framing })
    const more = body.length === 0 ? {} : { body }
    return () => Promise.resolve({ head, ...more, awaitsContinue: false, isExclusive: false })
  }

  #parts(differing: Pick<LegParts, 'request' | 'isAwaited'>): LegParts {
    const request = this.#request
    return {
      ...differing,
      target: this.#target,
      way: this.#way,
      method: request.method,
      party: request.party,
      connections: request.connections ?? DEFAULT_CONNECTIONS,
      stallTimeoutMs: request.stallTimeoutMs,
      signal: request.signal,
      consumer: this,
    }
  }

  /** Leg after leg, until nobody asks for proof any more or none can be given. */
  async #prove(): Promise<Fields> {
    using proof = new Proof(this.#detour, this.#request, this.#hops.first, this.#way, this.#target)
    this.#proof = proof
    for (;;) {
      const trailers = await this.#runLeg(proof)
      const asked = proof.asked
      if (asked === undefined && !proof.isUnfinished) {
        proof.finish(trailers, this.#bodyHash?.digest())
        return trailers
      }
      const reason = await proof.answer()
      if (asked !== undefined && reason !== undefined) {
        this.#final(asked, undefined, reason)
        return Fields.empty
      }
      await this.#follow(proof)
    }
  }

  /** The next leg; elsewhere over one way after the other, because nobody else could go on with this proof. */
  async #runLeg(proof: Proof): Promise<Fields> {
    for (;;) {
      this.#leg = new Leg(this.#parts({ request: proof.wording, isAwaited: proof.isAwaited }))
      try {
        return await this.#run(this.#leg, proof)
      } catch (error) {
        if (!this.#isElsewhere) throw error
        this.#way = this.#wayOver(this.#instead(error))
        proof.moveTo(this.#way)
      }
    }
  }

  /** One leg. @throws {DistrustError} whatever else becomes of it: nothing may be kept of what it brought */
  async #run(leg: Leg, proof: Proof): Promise<Fields> {
    try {
      return await this.#pool.run(leg, proof.lease)
    } finally {
      await proof.check()
    }
  }

  /** Goes on where the proof leads: another page, perhaps over TLS, which is another way then (A124, A340). */
  async #follow(proof: Proof): Promise<void> {
    const before = this.#target
    this.#target = proof.target
    if (isSameOrigin(before, this.#target)) return
    this.#isElsewhere = true
    this.#way = this.#wayOver(this.#choose(await this.#route()))
    proof.moveTo(this.#way)
  }

  readonly #detour = (request: HttpRequest, sink: BodySink): Promise<ExchangeResult> =>
    runExchange(this.#pool, request, sink)

  head(head: ResponseHead, lease: Lease): 'take' | 'drop' {
    if (this.#proof?.takes(head, lease) === true) return 'drop'
    this.#leaveUnlessTrusted()
    if (this.#way.certificate !== undefined && this.#way.maxVersion === undefined) {
      const { handshake: facts } = lease.facts
      this.#isAskedLater = mayAskLater({ facts, status: head.status })
      if (this.#isAskedLater) return 'drop'
    }
    const { method, keepsRedirects = false } = this.#request
    if (!keepsRedirects && isRedirect(method, head.status)) {
      this.next = this.#hops.next(this.#target, head.status, head.fields)
      return 'drop'
    }
    return this.#final(head, lease, this.#proof?.unasked(head))
  }

  /** What somebody sends who has not proved to be the server is not taken to its end. */
  #leaveUnlessTrusted(): void {
    const leg = this.#leg
    this.#proof?.check()?.catch((error: unknown) => leg?.leave(error))
  }

  #final(head: ResponseHead, lease: Lease | undefined, refusal?: string): 'take' | 'drop' {
    const { status, fields, framing } = head
    this.response = {
      status,
      fields,
      field: (name) => fields.get(name),
      length: framing.kind === 'length' ? framing.length : undefined,
      url: this.#target.url,
      isRedirected: !isSamePlace(this.#target, this.#hops.first),
      flow: lease ?? noFlow,
      ...(refusal === undefined ? {} : { refusal }),
    }
    const use = this.#sink.head(this.response)
    const awaited = use === 'take' ? this.#proof?.awaitsBody : undefined
    this.#bodyHash = awaited === undefined ? undefined : beginHash(awaited)
    return use
  }

  write(bytes: Uint8Array): void {
    this.#bodyHash?.update(bytes)
    this.#sink.write(bytes)
  }

  flush(): void {
    this.#sink.flush()
  }
}

/** What was seen of the handshake of the connection that an error ended. */
function factsBehind(error: Error): HandshakeFacts | undefined {
  return (
    handshakeFacts(error) ?? (error.cause instanceof Error ? factsBehind(error.cause) : undefined)
  )
}

/** Of a body that does not come. */
const noFlow = { pause: () => undefined, resume: () => undefined }

function isSamePlace(a: Target, b: Target): boolean {
  return a === b || a.url === b.url
}
