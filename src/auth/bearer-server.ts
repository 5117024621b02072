/** The other side of Bearer: who accepts tokens (RFC 6750 §3), and who gives them out (RFC 6749 §4.4). */

import type { Acceptor } from './acceptor.ts'
import { decodeBasic } from './basic-server.ts'
import type { Field } from './auth.ts'
import { fieldValues } from './auth.ts'
import { parseCredentials } from './challenge.ts'
import { formatHex } from './hex.ts'
import { formEncode } from './oauth.ts'
import { encodeOctets } from './octets.ts'
import { formatParameters } from './parameters.ts'
import type { AuthWorld, DetourResponse } from './scheme.ts'
import type { Secret } from './secret.ts'

/** Makes the side that asks for a token; `check` says whose it is. It serves any number of connections. */
export function bearerAcceptor(
  realm: string,
  check: (token: Uint8Array) => string | undefined,
): Acceptor {
  return {
    async receive(credentials) {
      const parsed = credentials === undefined ? undefined : parseCredentials(credentials)
      const token = parsed?.scheme === 'bearer' ? parsed.token68 : undefined
      const user = token === undefined ? undefined : check(encodeOctets(token))
      if (user !== undefined) return { kind: 'granted', user, fields: [] }
      // RFC 6750 §3.1: no error when there was no token.
      const error = token === undefined ? undefined : 'invalid_token'
      return {
        kind: 'challenged',
        challenges: [
          `Bearer ${formatParameters([
            ['realm', realm],
            ['error', error],
          ])}`,
        ],
      }
    },
  }
}

/** Who may fetch tokens, and how long they last. */
export interface TokenIssuerOptions {
  /** Secrets by client id. */
  readonly clients: ReadonlyMap<string, Secret>
  readonly lifetimeS: number
}

/** A request that reached the token endpoint. */
export interface TokenRequest {
  readonly method: string
  readonly fields: readonly Field[]
  readonly body: Uint8Array
}

/** A token endpoint, and the list of the tokens it gave out. */
export class TokenIssuer {
  readonly #options: TokenIssuerOptions
  readonly #world: Pick<AuthWorld, 'random' | 'clock' | 'hashes'>
  readonly #tokens = new Map<string, { readonly client: string; readonly expiresAt: number }>()

  constructor(options: TokenIssuerOptions, world: Pick<AuthWorld, 'random' | 'clock' | 'hashes'>) {
    this.#options = options
    this.#world = world
  }

  /** Answers a request for a token. */
  answer({ method, fields, body }: TokenRequest): Omit<DetourResponse, 'url'> {
    const form = new TextDecoder().decode(body).split('&')
    const isForm = fieldValues(fields, 'Content-Type').includes('application/x-www-form-urlencoded')
    if (method !== 'POST' || !isForm) return json(400, { error: 'invalid_request' })
    const client = this.#client(fields)
    if (client === undefined) return json(401, { error: 'invalid_client' })
    if (!form.includes('grant_type=client_credentials')) {
      return json(400, { error: 'unsupported_grant_type' })
    }
    const token = formatHex(this.#world.random.bytes(16))
    const { lifetimeS } = this.#options
    this.#tokens.set(token, { client, expiresAt: this.#world.clock.now() + lifetimeS * 1000 })
    return json(200, { access_token: token, token_type: 'Bearer', expires_in: lifetimeS })
  }

  /** Whose token this is; `undefined` when it is nobody's, or over. */
  owner(token: Uint8Array): string | undefined {
    const known = this.#tokens.get(new TextDecoder().decode(token))
    return known !== undefined && this.#world.clock.now() < known.expiresAt
      ? known.client
      : undefined
  }

  #client(fields: readonly Field[]): string | undefined {
    const [authorization] = fieldValues(fields, 'Authorization')
    const pair = authorization === undefined ? undefined : decodeBasic(authorization)
    if (pair === undefined) return undefined
    for (const [client, secret] of this.#options.clients) {
      if (formEncode(new TextEncoder().encode(client)) !== pair.userName) continue
      const expected = secret.use((bytes) => encodeOctets(formEncode(bytes)))
      return this.#world.hashes.equal(expected, pair.password) ? client : undefined
    }
    return undefined
  }
}

function json(status: number, value: unknown): Omit<DetourResponse, 'url'> {
  return {
    status,
    fields: [['Content-Type', 'application/json']],
    body: new TextEncoder().encode(JSON.stringify(value)),
  }
}
