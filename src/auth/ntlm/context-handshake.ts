/**
 * The legs of a scheme that carries the tokens of a security context and proves a connection: NTLM and Negotiate.
 *
 * A request's attempt is *unasked* when it begins with {@link ContextHandshake.prepare}, and *asked* as soon as the
 * peer has said anything that belongs to it. An unasked attempt that meets a challenge without token has been
 * overlooked, or its ticket has run out, and is made once more; an asked one has been refused.
 */

import { MisuseError, ProtocolError } from '../../base/error.ts'
import { fieldValues, targetFields, type AuthTarget, type Field } from '../auth.ts'
import { decodeBase64, encodeBase64 } from '../base64.ts'
import { parseChallenges, type Challenge } from '../challenge.ts'
import type { MechanismContext } from '../mechanism.ts'
import type {
  Answer,
  Handshake,
  Refused,
  RequestFacts,
  ResponseFacts,
  Send,
  Session,
  Unable,
  Verdict,
} from '../scheme.ts'
import { failureOf } from './failure.ts'

/** What differs between the schemes. */
export interface ContextScheme {
  /** The `auth-scheme` token as it is written: `NTLM`, `Negotiate`. */
  readonly token: string
  /**
   * Opens a context for a connection.
   *
   * @param hint what the peer sent along with its first challenge, before any token of ours
   * @param signal aborts when the context is not wanted any more
   * @throws {MechanismError | ProtocolError | MisuseError} as {@link failureOf} reads them
   */
  open(
    request: RequestFacts,
    hint: Uint8Array | undefined,
    signal: AbortSignal,
  ): Promise<MechanismContext>
  /**
   * Another way to begin, when a first token that proves nothing met a challenge without one: the peer may not have
   * understood its form. `undefined`, or absent, when there is none.
   *
   * @param token the one that was not understood
   */
  otherForm?(request: RequestFacts, token: Uint8Array): MechanismContext | undefined
  /** Whether a token of ours can be the last that the peer needs. */
  canSucceed(token: Uint8Array): boolean
  /** What our side could not do, so that it proves itself with less; for people, where there is anything. */
  shortfall?(): string | undefined
  /**
   * Whether the connection stays authenticated after this last token of ours, when the peer does not say so itself
   * (A274).
   */
  persists(token: Uint8Array): boolean
}

/** A135: no honest exchange needs more. */
const maximumLegs = 10

/** Remembers that proof is wanted, so that a new connection begins with the first leg (A361). Holds no secret. */
export class ContextSession implements Session {
  readonly #scheme: ContextScheme
  readonly #target: AuthTarget
  /** Whether the peer has asked for this scheme before. */
  isWanted = false
  /**
   * Whether connections of this peer stay authenticated where it does not say so and the mechanism promises nothing
   * (A274): found out by one request without a token. `undefined` until then.
   */
  persistence: boolean | undefined

  constructor(scheme: ContextScheme, target: AuthTarget) {
    this.#scheme = scheme
    this.#target = target
  }

  begin(): Handshake {
    return new ContextHandshake(this.#scheme, this.#target, this)
  }

  close(): void {
    this.isWanted = false
    this.persistence = undefined
  }
}

/** Requests that cost nothing but a round trip when they are sent without a token in vain. */
const cheapMethods = new Set(['GET', 'HEAD', 'OPTIONS'])

/** An exchange of tokens that is going on. */
interface Exchange {
  readonly context: MechanismContext
  readonly asked: boolean
  readonly legs: number
  /** Whether our side has nothing more to say or to hear. */
  readonly isComplete: boolean
  /** What was sent last; empty before the first. */
  readonly token: Uint8Array
}

/** One connection. */
class ContextHandshake implements Handshake {
  readonly #scheme: ContextScheme
  readonly #target: AuthTarget
  readonly #session: ContextSession
  #exchange: Exchange | undefined
  /** Whether this request has been refused, or has begun an exchange that the peer asked for. */
  #isSpent = false
  /** Why this request's attempt ended. */
  #failure: Unable | Refused | undefined
  /** Gives up the context that is being opened, so that nobody waits for what has ended. */
  #opening: AbortController | undefined
  #isAuthenticated = false
  /** Whether that is only presumed; and whether the request under way finds out. */
  #isPresumed = false
  #isTest = false
  /** Whether a first leg without proof was let pass: nobody asks here, so it is not sent again unasked. */
  #isPointless = false

  constructor(scheme: ContextScheme, target: AuthTarget, session: ContextSession) {
    this.#scheme = scheme
    this.#target = target
    this.#session = session
  }

  async prepare(request: RequestFacts, unasked = false): Promise<Send | undefined> {
    this.close()
    this.#isSpent = false
    this.#failure = undefined
    this.#isTest = this.#isPresumed && this.#session.persistence === undefined
    if (this.#isAuthenticated && this.#holdsFor(request)) return undefined
    this.#isTest = false
    const isExpected = this.#session.isWanted && !this.#isPointless
    if (!isExpected && !unasked) return undefined
    const answer = await this.#guard(() => this.#open(false, request, undefined))
    // A failure is told when the challenge comes: perhaps nobody asks.
    if (answer.kind === 'send' && (isExpected || answer.canSucceed)) return answer
    this.close()
    return undefined
  }

  /** Whether the request needs no token: what is only presumed is not tried with what is dear. */
  #holdsFor({ method }: RequestFacts): boolean {
    if (!this.#isPresumed || this.#session.persistence === true) return true
    return this.#session.persistence === undefined && cheapMethods.has(method)
  }

  async answer(challenge: Challenge, request: RequestFacts): Promise<Answer> {
    this.#session.isWanted = true
    if (this.#isTest) this.#session.persistence = false
    this.#isTest = false
    this.#isAuthenticated = false
    this.#isPresumed = false
    this.#isPointless = false
    const answer = await this.#guard(() => this.#continue(challenge.token68, request))
    if (answer.kind !== 'send') this.close()
    return answer
  }

  async accept({ status, fields }: ResponseFacts): Promise<Verdict> {
    const exchange = this.#exchange
    if (this.#isTest && status < 400) this.#session.persistence = true
    // The proxy asks on its own account; the server has not seen the request.
    if (exchange === undefined || (this.#target === 'server' && status === 407)) {
      return { kind: 'done' }
    }
    try {
      // A276 speaks of a token that fails, not of one that is missing: CONNECT's 200 has no room for it, and whoever
      // forges a success need not ask for proof in the first place.
      const token = exchange.isComplete ? undefined : this.#finalToken(fields)
      if (token !== undefined && !(await exchange.context.step(token)).complete) {
        throw new ProtocolError(
          'ERR_AUTH_INCOMPLETE',
          `Cannot take the success of ${this.#scheme.token}: the peer has not proved itself`,
        )
      }
    } catch (error) {
      this.close()
      return { kind: 'refused', reason: failureOf(error).reason }
    }
    const isProof = this.#scheme.canSucceed(exchange.token)
    const said = saidPersistence(fields)
    const persists = said ?? this.#scheme.persists(exchange.token)
    this.#isPointless = !isProof
    this.#isPresumed = !persists && said === undefined && this.#session.persistence !== false
    this.#isAuthenticated = isProof && (persists || this.#isPresumed)
    this.close()
    return { kind: 'done' }
  }

  /** Ends the exchange; whether the connection is authenticated is remembered. */
  close(): void {
    this.#opening?.abort()
    this.#opening = undefined
    this.#exchange?.context.close()
    this.#exchange = undefined
  }

  async #guard(work: () => Promise<Send | Unable | Refused>): Promise<Answer> {
    try {
      return await work()
    } catch (error) {
      this.#isSpent = true
      this.#failure = failureOf(error)
      return this.#failure
    }
  }

  #open(asked: boolean, request: RequestFacts, hint: Uint8Array | undefined): Promise<Send> {
    return this.#begin(asked, (signal) => this.#scheme.open(request, hint, signal))
  }

  /** @param open gives the context, which may still be on its way */
  async #begin(
    asked: boolean,
    open: (signal: AbortSignal) => MechanismContext | Promise<MechanismContext>,
  ): Promise<Send> {
    this.close()
    this.#isSpent = asked
    const opening = new AbortController()
    this.#opening = opening
    const context = await open(opening.signal)
    if (this.#opening !== opening) {
      context.close()
      throw closed()
    }
    this.#opening = undefined
    const token = new Uint8Array()
    return this.#step({ context, asked, legs: 0, isComplete: false, token }, undefined)
  }

  async #continue(
    token68: string | undefined,
    request: RequestFacts,
  ): Promise<Send | Unable | Refused> {
    const exchange = this.#exchange
    const token = token68 === undefined ? undefined : this.#decode(token68)
    if (exchange === undefined) {
      return this.#isSpent ? this.#refuse() : this.#open(true, request, token)
    }
    if (token === undefined) return this.#beginAgain(exchange, request)
    if (exchange.isComplete || exchange.legs >= maximumLegs) return this.#refuse()
    this.#isSpent = true
    return this.#step({ ...exchange, asked: true }, token)
  }

  /** A challenge without token in the middle of an exchange. */
  async #beginAgain(exchange: Exchange, request: RequestFacts): Promise<Send | Unable | Refused> {
    if (!exchange.asked) return this.#open(true, request, undefined)
    const { token, legs } = exchange
    const isUnproved = legs === 1 && !this.#scheme.canSucceed(token)
    const other = isUnproved ? this.#scheme.otherForm?.(request, token) : undefined
    return other === undefined ? this.#refuse() : this.#begin(true, () => other)
  }

  async #step(exchange: Exchange, theirs: Uint8Array | undefined): Promise<Send> {
    // Before the step, so that closing the handshake reaches a context that is at work.
    this.#exchange = exchange
    const { token, complete } = await exchange.context.step(theirs)
    if (this.#exchange !== exchange) throw closed()
    if (token === undefined) {
      throw new ProtocolError(
        'ERR_AUTH_SILENCE',
        `Cannot answer ${this.#scheme.token}: asked again after the last token`,
      )
    }
    this.#exchange = { ...exchange, legs: exchange.legs + 1, isComplete: complete, token }
    return {
      kind: 'send',
      header: `${this.#scheme.token} ${encodeBase64(token)}`,
      canSucceed: this.#scheme.canSucceed(token),
    }
  }

  #refuse(): Unable | Refused {
    this.#isSpent = true
    const shortfall = this.#scheme.shortfall?.()
    this.#failure ??= {
      kind: 'refused',
      reason: `${this.#scheme.token}: the peer refused these credentials`,
      ...(shortfall === undefined ? {} : { shortfall }),
    }
    return this.#failure
  }

  #decode(token68: string): Uint8Array {
    const token = decodeBase64(token68)
    if (token !== undefined) return token
    throw new ProtocolError(
      'ERR_AUTH_BASE64',
      `Cannot read the token of ${this.#scheme.token}: it is not base64`,
    )
  }

  /** The token that came with a success: as a challenge (A270), or as a proxy's information about it. */
  #finalToken(fields: Iterable<Field>): Uint8Array | undefined {
    const { challenge, info } = targetFields[this.#target]
    const said = [...fieldValues(fields, challenge), ...fieldValues(fields, info)]
    const wanted = this.#scheme.token.toLowerCase()
    const token68 = parseChallenges(said).find(({ scheme }) => scheme === wanted)?.token68
    return token68 === undefined ? undefined : this.#decode(token68)
  }
}

function closed(): MisuseError {
  return new MisuseError('ERR_AUTH_CLOSED', 'Cannot go on with a handshake: it was closed')
}

/** `Persistent-Auth` of a final response; other values than these two say nothing (A274). */
function saidPersistence(fields: Iterable<Field>): boolean | undefined {
  const [value] = fieldValues(fields, 'persistent-auth')
  const word = value?.trim().toLowerCase()
  return word === 'true' ? true : word === 'false' ? false : undefined
}
