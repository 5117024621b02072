/**
 * The loop from a request to its final response:
 *
 * ```
 *  send a leg → its head → decide: follow (drop the body, next leg) or give it to the sink → final
 * ```
 *
 * A third decision has its place beside `follow`: a challenge that somebody can answer for this principal makes
 * another leg to the same target, on the same connection.
 */

import type { ResponseHead } from '../wire/wire.ts'
import type { BodyFlow, BodySink, ExchangeResult, HttpRequest, HttpResponse } from './http.ts'
import { Leg, type LegConsumer } from './leg.ts'
import { DEFAULT_CONNECTIONS } from './origin.ts'
import type { Pool } from './pool.ts'
import { Hops, isRedirect } from './redirect.ts'
import { requestHead } from './request-head.ts'
import { parseTarget, type Target } from './target.ts'

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
    const step = new Step(request, hops, target, sink)
    const trailers = await pool.run(step.leg())
    if (step.response !== undefined) return { response: step.response, trailers }
    target = step.next
  }
}

/** One leg of an exchange: hears its response and decides what it means. */
class Step implements LegConsumer {
  readonly #request: HttpRequest
  readonly #hops: Hops
  readonly #target: Target
  readonly #sink: BodySink
  /** The final response, unless the leg led to another one. */
  response: HttpResponse | undefined
  /** Where the next leg goes, unless this one was the last. */
  next: Target

  constructor(request: HttpRequest, hops: Hops, target: Target, sink: BodySink) {
    this.#request = request
    this.#hops = hops
    this.#target = target
    this.#sink = sink
    this.next = target
  }

  leg(): Leg {
    const request = this.#request
    return new Leg({
      target: this.#target,
      method: request.method,
      request: requestHead(request, this.#target, this.#hops.first),
      party: request.party,
      connections: request.connections ?? DEFAULT_CONNECTIONS,
      principal: request.principal ?? '',
      caFile: request.caFile,
      stallTimeoutMs: request.stallTimeoutMs,
      signal: request.signal,
      consumer: this,
    })
  }

  head(head: ResponseHead, flow: BodyFlow): 'take' | 'drop' {
    if (isRedirect(this.#request.method, head.status)) {
      this.next = this.#hops.next(this.#target, head.status, head.fields)
      return 'drop'
    }
    this.response = this.#describe(head, flow)
    return this.#sink.head(this.response)
  }

  write(bytes: Uint8Array): void {
    this.#sink.write(bytes)
  }

  flush(): void {
    this.#sink.flush()
  }

  #describe({ status, fields, framing }: ResponseHead, flow: BodyFlow): HttpResponse {
    return {
      status,
      fields,
      field: (name) => fields.get(name),
      length: framing.kind === 'length' ? framing.length : undefined,
      url: this.#target.url,
      isRedirected: this.#target !== this.#hops.first,
      flow,
    }
  }
}
