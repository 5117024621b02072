/** The other side of {@link ContextHandshake}: asks over HTTP for the tokens of a security context. */

import { LullError } from '../../base/error.ts'
import type { Acceptor, AcceptorRequest, Reception } from '../acceptor.ts'
import { decodeBase64, encodeBase64 } from '../base64.ts'
import { parseCredentials } from '../challenge.ts'
import type { MechanismContext } from '../mechanism.ts'

/** A context of the accepting side, which knows in the end who was let in. */
export interface AcceptingContext {
  readonly context: MechanismContext
  /** Called once the context is complete. */
  user(): string
}

/** How an acceptor behaves. */
export interface ContextAcceptorOptions {
  /** The `auth-scheme` token: `NTLM`, `Negotiate`. */
  readonly token: string
  /** Opens a context for the first token of an exchange. */
  open(request: AcceptorRequest): AcceptingContext
  /** Whether the connection stays authenticated; otherwise every request needs a new exchange. */
  readonly persists: boolean
  /** Whether the response says so, in `Persistent-Auth` (A274). */
  readonly saysPersistence?: boolean
  /** Sent along with the first challenge, such as NegTokenInit2. */
  readonly hint?: Uint8Array
}

/** Makes the side that asks, for one connection. */
export class ContextAcceptor implements Acceptor {
  readonly #options: ContextAcceptorOptions
  #exchange: AcceptingContext | undefined
  #user: string | undefined

  constructor(options: ContextAcceptorOptions) {
    this.#options = options
  }

  async receive(credentials: string | undefined, request: AcceptorRequest): Promise<Reception> {
    if (credentials === undefined) {
      return this.#user !== undefined && this.#options.persists
        ? { kind: 'granted', user: this.#user, fields: [] }
        : this.#challenge()
    }
    const token = this.#read(credentials)
    if (token === undefined) return this.#challenge()
    this.#exchange ??= this.#options.open(request)
    try {
      return await this.#step(this.#exchange, token)
    } catch (error) {
      if (!(error instanceof LullError)) throw error
      return this.#challenge()
    }
  }

  /** Asks from the beginning. */
  #challenge(): Reception {
    this.#forget()
    const { token, hint } = this.#options
    return {
      kind: 'challenged',
      challenges: [hint === undefined ? token : `${token} ${encodeBase64(hint)}`],
    }
  }

  async #step(exchange: AcceptingContext, token: Uint8Array): Promise<Reception> {
    const { token: ours, complete } = await exchange.context.step(token)
    const word = this.#options.token
    const value = ours === undefined ? word : `${word} ${encodeBase64(ours)}`
    if (!complete) return { kind: 'challenged', challenges: [value] }
    const user = exchange.user()
    this.#forget()
    this.#user = user
    const { persists, saysPersistence = false } = this.#options
    return {
      kind: 'granted',
      user,
      fields: [
        ...(ours === undefined ? [] : [['WWW-Authenticate', value] as const]),
        ...(saysPersistence ? [['Persistent-Auth', String(persists)] as const] : []),
      ],
    }
  }

  #forget(): void {
    this.#exchange?.context.close()
    this.#exchange = undefined
    this.#user = undefined
  }

  #read(credentials: string): Uint8Array | undefined {
    const parsed = parseCredentials(credentials)
    if (parsed?.scheme !== this.#options.token.toLowerCase()) return undefined
    return parsed.token68 === undefined ? undefined : decodeBase64(parsed.token68)
  }
}
