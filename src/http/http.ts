/**
 * The room `http`: requests go out over sockets, and bodies come in without ever being copied.
 *
 * Terms (RFC 9110, RFC 9112):
 *
 * - *target*: what one request asks for: scheme, host, port and path. *Origin*: the first three of them.
 * - *exchange*: what a caller asks for: one request and its final response, with every hop between.
 * - *leg*: one request on one connection and its response. A redirect makes another leg; a connection that was lost
 *   before it answered makes the same leg again.
 * - *party*: who the legs belong to (a job). Legs of two parties never share a connection at the same time.
 * - *identity*: as whom a caller asks; it answers challenges. Its *principal* is part of what a lease is made for, so
 *   that a connection that was authenticated is never handed to another.
 * - *way*: how a server is reached: straight, or through a proxy, and with which trust.
 * - *lease*: a connection that works for one party. *Idle*: open and nobody's. *Held*: kept between two legs of one caller.
 * - *pipelining*: sending a request while responses to others are due on the connection (RFC 9112 §9.3.2).
 * - *slab*: the memory a connection reads into, again and again. *Sink*: who takes a body out of it.
 */

import type { HashAlgorithm } from '../auth/crypto.ts'
import { MisuseError } from '../base/error.ts'
import type { CertificateOrder } from '../engine/order.ts'
import type { RedirectPolicy } from '../job/job.ts'
import type { Routes } from '../job/route.ts'
import type { Field, Fields } from '../wire/fields.ts'
import { runExchange } from './exchange.ts'
import type { Identity } from './identity.ts'
import { Pool } from './pool.ts'
import { hostClock, type SteadyClock } from './steady-clock.ts'
import type { TrustOptions } from './trust.ts'
import type { TlsWitness } from './tunnel/tls-witness.ts'

/** What is asked for. */
export interface HttpRequest {
  readonly method: string
  /** Absolute, http or https. User information in it is neither sent nor shown; a fragment is not sent. */
  readonly url: string
  /** Sent in this order. What frames the message or rules the connection is refused (`ERR_HTTP_HEADER`). */
  readonly headers: readonly Field[]
  /** The value of Range: `bytes=100-`. */
  readonly range?: string
  /** The value of If-Range. */
  readonly ifRange?: string
  readonly redirects: RedirectPolicy
  /** Whether a redirect is an answer like others, and is not followed. */
  readonly keepsRedirects?: boolean
  /** Milliseconds without a byte after which the connection is given up; above 0. Waiting for a lease is free. */
  readonly stallTimeoutMs: number
  readonly signal: AbortSignal
  /** PEM file of the authorities that are trusted instead of the platform's. */
  readonly caFile?: string
  /** Whose leg it is. */
  readonly party: string
  /** How many connections to the origin the party may have at the same time, 1 or more; 6 unless it says. */
  readonly connections?: number
  /** Who answers challenges; absent: nobody does, and a 401 is an answer like others. */
  readonly identity?: Identity
  /** Who knows the way; absent: straight. */
  readonly routes?: Routes
  /** What the server gets when it asks for a certificate; for the origin of `url` alone (A82). */
  readonly certificate?: CertificateOrder
  /** Whether a server that asks for a certificate is left when there is none to show it, needed or not (A77). */
  readonly strictCertificates?: boolean
  /** Which checks of a server's certificate are left out or added: the lower five bits of BITS's mask (A79). */
  readonly securityFlags?: number
  /** The public keys of which servers need one, `sha256//BASE64`; absent or empty: any will do. */
  readonly pinnedKeys?: readonly string[]
  /** Pairs of servers and certificates, one of which each connection has to be; absent: every one may. */
  readonly accepted?: readonly string[]
  /** Hears what servers and proxies show over TLS, and needs an {@link identity}: it sees connections of its own alone. */
  readonly witness?: TlsWitness
  readonly body?: RequestBody
}

/** The body of a request. Every leg that can succeed reads it from its beginning. */
export interface RequestBody {
  /** Bytes. */
  readonly length: number
  /** The bytes, in pieces of any length; a piece is not changed before the next one is asked for. */
  read(): AsyncIterable<Uint8Array>
  /** The hash of all of it, for schemes that prove the body too (A220). */
  hash?(algorithm: HashAlgorithm): Uint8Array
}

/** The head of a final response, and where it came from. */
export interface HttpResponse {
  readonly status: number
  readonly fields: Fields
  /** The value of a field, any case; may be called unbound. */
  readonly field: (name: string) => string | undefined
  /** Bytes of the body, where the head says it. */
  readonly length: number | undefined
  /** What answered, without user information and fragment. */
  readonly url: string
  /** Whether `url` is another place than was asked for. */
  readonly isRedirected: boolean
  /** Holds the body back, or lets it go on. */
  readonly flow: BodyFlow
  /**
   * Why a 401 or 407 was not answered, or not again, or a 403 came without a question: sentence case, no full stop, no
   * secret.
   */
  readonly refusal?: string
}

/** The tap of one body: what was read already still comes. While it is shut, nothing counts as stalled. */
export interface BodyFlow {
  pause(): void
  resume(): void
}

/** Who takes the body of a final response. Whatever it throws ends the exchange, and the connection with it. */
export interface BodySink {
  /** Hears the head, once: `take` the body, or `drop` it. */
  head(response: HttpResponse): 'take' | 'drop'
  /**
   * Takes the next bytes of the body: often right behind those before in memory.
   *
   * @param bytes a view of the slab, valid until {@link flush} is called
   */
  write(bytes: Uint8Array): void
  /**
   * Uses up what was written: the slab is reused after this. Called now and then, and when no more of the body comes,
   * whether it came whole or broke off.
   */
  flush(): void
}

/** What is known once the body is over. */
export interface ExchangeResult {
  /** Of the final response. */
  readonly response: HttpResponse
  /** Empty unless the body was chunked and taken whole. */
  readonly trailers: Fields
}

/** What a client is made with. */
export interface HttpClientOptions {
  readonly clock?: SteadyClock
  /** What https proxies are verified against and shown, where it is not as for the server. */
  readonly proxyTrust?: TrustOptions | undefined
}

/** Makes exchanges and keeps the connections between them. */
export class HttpClient {
  readonly #pool: Pool

  constructor({ clock = hostClock, proxyTrust }: HttpClientOptions = {}) {
    this.#pool = new Pool(clock, proxyTrust)
  }

  /**
   * Sends a request, proves who is asking where that is wanted, follows redirects, and gives the body of the final
   * response to the sink. The body of a 401 or 407 that nobody could answer is dropped.
   *
   * @returns when the last byte is flushed
   * @throws {DistrustError} when the server did not prove itself: what the sink was given is not to be trusted
   * @throws {FailureError} when the exchange fails: its `failure` says what to tell and whether to try again
   * @throws {MisuseError} `ERR_HTTP_HEADER` for a header that is not the caller's to set; `ERR_HTTP_CLOSED`
   * @throws the signal's reason, or whatever the sink has thrown
   */
  exchange(request: HttpRequest, sink: BodySink): Promise<ExchangeResult> {
    return runExchange(this.#pool, request, sink)
  }

  /** Closes the idle connections of an identity that is closed: nobody else may have them. */
  retire(identity: Identity): void {
    this.#pool.retire(identity)
  }

  /** The network is another one: what was connected over one that is gone fails now, and not when it has stalled. */
  networkChanged(): void {
    this.#pool.networkChanged()
  }

  /** Breaks off what is under way (`ERR_HTTP_CLOSED`) and resolves when no connection is left. */
  close(): Promise<void> {
    return this.#pool.close(
      new MisuseError('ERR_HTTP_CLOSED', 'Cannot finish: the client is closed'),
    )
  }
}
