/** One request on one connection, and its response. */

import type { Eventually } from '../base/eventually.ts'
import { failure, FailureError, type Failure } from '../job/failure.ts'
import type { Fields } from '../wire/fields.ts'
import type { ResponseHead } from '../wire/wire.ts'
import type { HandshakeFacts } from './certificate/handshake.ts'
import { describeTarget, type Target } from './target.ts'
import { httpFailure } from './failure.ts'
import type { BodyFlow, RequestBody } from './http.ts'
import type { Way } from './way.ts'

/** What a leg is made of. */
export interface LegParts {
  readonly target: Target
  readonly way: Way
  readonly method: string
  /** The head of a request without a body, as it is sent; or who words the request once the connection is known. */
  readonly request: string | Wording
  /** Whether others may wait for what becomes of it: it is placed even where requests are being worded. */
  readonly isAwaited?: boolean
  readonly party: string
  readonly connections: number
  readonly stallTimeoutMs: number
  readonly signal: AbortSignal
  readonly consumer: LegConsumer
}

/** What a request may have to know of the connection it goes out on; as an object, it stands for the connection. */
export interface ConnectionFacts {
  /** `tls-server-end-point` of the server's certificate (A400); absent in clear text. */
  readonly channelBinding: Uint8Array | undefined
  /** Whether it leads to a loopback address of this machine. */
  readonly isLoopback: boolean
  /** What was seen of its TLS handshake. */
  readonly handshake: HandshakeFacts | undefined
}

/**
 * Words a request for one connection: what proves who is asking may differ from one to the next. Called again for each
 * connection on which the leg is to go out, one call after the other. What it throws ends the leg.
 */
export type Wording = (connection: ConnectionFacts) => Eventually<Worded>

/** A request in its words. */
export interface Worded {
  /** Text of octets. */
  readonly head: string
  readonly body?: RequestBody
  /** Whether the body waits until the server has said that it wants it (RFC 9110 §10.1.1). */
  readonly awaitsContinue: boolean
  /** Whether no other request may be sent behind it: it begins to prove who owns the connection (A366). */
  readonly isExclusive: boolean
}

/** The connection of a response, and what its consumer may do with it. */
export interface Lease extends BodyFlow {
  /** Stands for the connection, and tells of it. */
  readonly facts: ConnectionFacts
  /** Whether other requests are on their way behind this one. */
  readonly isShared: boolean
  /** Keeps the connection for the consumer beyond this response, if it lives as long; to be released. */
  hold(): void
  /** Sends those behind this response elsewhere; the connection ends with it. */
  retire(): void
  /** Sends the next leg of the consumer on the connection it holds. @returns whether it could: else there is nothing to release */
  proceed(leg: Leg): boolean
  /** Gives up a connection that is held. May be called when none is. */
  release(): void
}

/** Who takes the response. What it throws ends the leg, and the connection with it. */
export interface LegConsumer {
  head(head: ResponseHead, lease: Lease): 'take' | 'drop'
  write(bytes: Uint8Array): void
  flush(): void
}

/** Methods that may be sent again when nobody knows whether they arrived (RFC 9110 §9.2.2). */
const idempotentMethods = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE'])

/** How often a leg is sent again on whatever connection there is; the next time it gets one of its own. */
const SHARED_RESENDS = 2

/** A leg from the moment it waits for a connection. */
export class Leg {
  readonly parts: LegParts
  /** Resolves with the trailers when the response is over, rejects when there will be none. */
  readonly over: Promise<Fields>
  /** Whether it was sent behind other legs; the pipeline's to set. */
  isBehindOthers = false
  /** Its place among those that leave with its signal; theirs to set. */
  departure = 0
  readonly #over = Promise.withResolvers<Fields>()
  #resends = 0
  #hasToItself = false
  #isSettled = false
  /** Hears when the caller leaves before the response is over. */
  #abandoned: ((leg: Leg) => void) | undefined
  /** Hears that it is over, one way or the other. */
  #settled: ((leg: Leg) => void) | undefined

  constructor(parts: LegParts) {
    this.parts = parts
    this.over = this.#over.promise
  }

  /** Whether it is over, one way or the other; a response that still comes is for nobody. */
  get isSettled(): boolean {
    return this.#isSettled
  }

  /** Whether it may be sent again when nobody knows what became of it. */
  get isIdempotent(): boolean {
    return idempotentMethods.has(this.parts.method)
  }

  /** Whether it wants a fresh connection: others have failed it too often. */
  get isAlone(): boolean {
    return this.#resends >= SHARED_RESENDS
  }

  /** Whether no other leg may be on the connection at the same time (RFC 9112 §9.3.2). */
  get isExclusive(): boolean {
    return this.#hasToItself || this.isAlone || !this.isIdempotent
  }

  /** From here on nothing is sent behind it. */
  setExclusive(): void {
    this.#hasToItself = true
  }

  /** Counts that it has to be sent again through no fault of its own. */
  countResend(): void {
    this.#resends++
  }

  /** Says who hears when the caller leaves; the leg is settled by then. */
  tellAbandoned(abandoned: (leg: Leg) => void): void {
    this.#abandoned = abandoned
  }

  /** Says who hears that it is settled. */
  tellSettled(settled: (leg: Leg) => void): void {
    this.#settled = settled
  }

  /** The caller leaves. */
  leave(reason: unknown): void {
    if (this.#isSettled) return
    this.reject(reason)
    this.#abandoned?.(this)
  }

  /** The response is over. */
  resolve(trailers: Fields): void {
    this.#settle()
    this.#over.resolve(trailers)
  }

  /** The consumer has thrown, or nobody wants the response any more. */
  reject(reason: unknown): void {
    this.#settle()
    // Whatever was thrown is handed on as it is: a signal's reason need not be an error.
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors
    this.#over.reject(reason)
  }

  #settle(): void {
    this.#isSettled = true
    this.#settled?.(this)
  }

  /** The connection or the server has failed. */
  fail(error: unknown): void {
    const { target } = this.parts
    const reason = httpFailure(error, target) ?? unforeseen(error, target)
    this.reject(error instanceof FailureError ? error : new FailureError(reason, { cause: error }))
  }
}

function unforeseen(error: unknown, target: Target): Failure {
  const reason = error instanceof Error ? error.message : String(error)
  return failure(
    'ERROR_WINHTTP_CONNECTION_ERROR',
    'GENERAL_TRANSPORT',
    `Cannot go on with ${describeTarget(target)}: ${reason}`,
  )
}
