/** One request on one connection, and its response. */

import { failure, FailureError, type Failure } from '../job/failure.ts'
import type { Fields } from '../wire/fields.ts'
import type { ResponseHead } from '../wire/wire.ts'
import { describeTarget, type Target } from './target.ts'
import { httpFailure } from './failure.ts'
import type { BodyFlow } from './http.ts'

/** What a leg is made of. */
export interface LegParts {
  readonly target: Target
  readonly method: string
  /** The head of the request, as it is sent. */
  readonly request: Uint8Array
  readonly party: string
  readonly connections: number
  readonly principal: string
  readonly caFile: string | undefined
  readonly stallTimeoutMs: number
  readonly signal: AbortSignal
  readonly consumer: LegConsumer
}

/** Who takes the response. What it throws ends the leg, and the connection with it. */
export interface LegConsumer {
  head(head: ResponseHead, flow: BodyFlow): 'take' | 'drop'
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
  #isSettled = false
  /** Hears when the caller leaves before the response is over. */
  #abandoned: ((leg: Leg) => void) | undefined

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
    return this.isAlone || !this.isIdempotent
  }

  /** Counts that it has to be sent again through no fault of its own. */
  countResend(): void {
    this.#resends++
  }

  /** Says who hears when the caller leaves; the leg is settled by then. */
  tellAbandoned(abandoned: (leg: Leg) => void): void {
    this.#abandoned = abandoned
  }

  /** The caller leaves. */
  leave(reason: unknown): void {
    if (this.#isSettled) return
    this.reject(reason)
    this.#abandoned?.(this)
  }

  /** The response is over. */
  resolve(trailers: Fields): void {
    this.#isSettled = true
    this.#over.resolve(trailers)
  }

  /** The consumer has thrown, or nobody wants the response any more. */
  reject(reason: unknown): void {
    this.#isSettled = true
    // Whatever was thrown is handed on as it is: a signal's reason need not be an error.
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors
    this.#over.reject(reason)
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
