/** Bearer: whoever has the token is let in (RFC 6750); it is given, or fetched by an OAuth 2 client (RFC 6749 §4.4). */

import type { Instant } from '../base/clock.ts'
import type { Challenge } from './challenge.ts'
import type { BearerCredentials, ClientCredentials } from './credentials.ts'
import { formatTokenRequest, isBearerToken, parseTokenResponse } from './oauth.ts'
import { decodeOctets } from './octets.ts'
import type {
  Answer,
  AuthScheme,
  AuthWorld,
  DetourResponse,
  Handshake,
  RequestFacts,
  ResponseFacts,
  Send,
  Session,
  Unable,
  Verdict,
} from './scheme.ts'
import type { Secret } from './secret.ts'

/** Bearer, for servers and proxies. */
export const bearerScheme: AuthScheme = {
  name: 'bearer',
  token: 'Bearer',
  binds: 'request',
  sendsSecret: true,
  accepts: ({ kind }) => kind === 'bearer' || kind === 'client',
  open(opening) {
    const { credentials, peer, world } = opening
    if (!isPrivate(peer)) return unable('Bearer tokens are sent over TLS only')
    if (credentials.kind === 'bearer') {
      return credentials.token.use(isBearerToken)
        ? new BearerSession(world, credentials)
        : unable('Bearer cannot send this token: it has characters that no token has')
    }
    if (credentials.kind === 'client') {
      return URL.canParse(credentials.tokenUrl) && isPrivate(new URL(credentials.tokenUrl))
        ? new BearerSession(world, credentials)
        : unable('Bearer cannot fetch a token: its endpoint is not an https URL')
    }
    return unable('Bearer needs a token, or a client that can fetch one')
  },
}

function unable(reason: string): Unable {
  return { kind: 'unable', reason }
}

const loopback = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/

/** Whether nobody on the way can read along: TLS (RFC 6750 §5.3, RFC 6749 §3.2), or no way at all. */
function isPrivate({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || (protocol === 'http:' && loopback.test(hostname))
}

/** A token that ends within this time is as good as over: it still has to reach the server. */
const expiryMarginMs = 10_000

/** A token in use. */
interface Token {
  readonly secret: Secret
  readonly expiresAt: Instant
}

class BearerSession implements Session {
  readonly world: AuthWorld
  readonly client: ClientCredentials | undefined
  #token: Token | undefined
  /** Whether the peer has asked and taken the token; from then on every request carries the token (A386, A387). */
  wasAsked = false

  constructor(world: AuthWorld, credentials: BearerCredentials | ClientCredentials) {
    this.world = world
    if (credentials.kind === 'client') this.client = credentials
    else this.#token = { secret: credentials.token, expiresAt: Number.POSITIVE_INFINITY }
  }

  /** The token, unless it is over. */
  get token(): Token | undefined {
    const now = this.world.clock.now()
    return this.#token !== undefined && now < this.#token.expiresAt ? this.#token : undefined
  }

  /** Puts a fetched token in the place of the one before. */
  renew(secret: Secret, expiresAt: Instant | undefined): Token {
    this.close()
    const ends = expiresAt === undefined ? Number.POSITIVE_INFINITY : expiresAt - expiryMarginMs
    this.#token = { secret, expiresAt: ends }
    return this.#token
  }

  begin(): Handshake {
    return new BearerHandshake(this)
  }

  close(): void {
    if (this.client === undefined) return
    this.#token?.secret.wipe()
    this.#token = undefined
  }
}

class BearerHandshake implements Handshake {
  readonly #session: BearerSession
  #sent: Token | undefined
  #hasFetched = false

  constructor(session: BearerSession) {
    this.#session = session
  }

  async prepare(_request: RequestFacts, unasked = false): Promise<Send | undefined> {
    const { token, wasAsked } = this.#session
    const isWanted = wasAsked || unasked || this.#sent !== undefined
    return token !== undefined && isWanted ? this.#send(token) : undefined
  }

  async answer(challenge: Challenge): Promise<Answer> {
    const { token, client } = this.#session
    if (challenge.parameters.get('error') === 'insufficient_scope') {
      return { kind: 'refused', reason: 'Bearer: the token does not reach that far' }
    }
    // Another request may have fetched a newer one meanwhile.
    if (token !== undefined && token !== this.#sent) return this.#send(token)
    if (client === undefined || this.#hasFetched) {
      this.#session.wasAsked = false
      return { kind: 'refused', reason: 'Bearer: the token is not accepted' }
    }
    this.#hasFetched = true
    return formatTokenRequest(client)
  }

  async detoured(response: DetourResponse): Promise<Answer> {
    const said = parseTokenResponse(response, this.#session.world.clock.now())
    switch (said.kind) {
      case 'token':
        return this.#send(this.#session.renew(said.token, said.expiresAt))
      case 'denied':
        return { kind: 'refused', reason: `Bearer: no token was given: ${said.error}` }
      case 'unreadable':
        return unable(`Bearer cannot use what the token endpoint said: ${said.reason}`)
      default:
        return said satisfies never
    }
  }

  async accept(_response: ResponseFacts): Promise<Verdict> {
    this.#session.wasAsked ||= this.#sent !== undefined
    return { kind: 'done' }
  }

  close(): void {}

  #send(token: Token): Send {
    this.#sent = token
    const header = token.secret.use((bytes) => `Bearer ${decodeOctets(bytes)}`)
    return { kind: 'send', header, canSucceed: true }
  }
}
