/** The other side of Digest (RFC 7616, and the form of RFC 2069). */

import type { Acceptor, AcceptorRequest, Reception } from '../acceptor.ts'
import { parseCredentials } from '../challenge.ts'
import type { Hashes } from '../crypto.ts'
import { formatHex } from '../hex.ts'
import { encodeOctets } from '../octets.ts'
import { formatParameters } from '../parameters.ts'
import type { AuthWorld } from '../scheme.ts'
import type { Secret } from '../secret.ts'
import { parseDigestAlgorithm, type DigestAlgorithm } from './algorithm.ts'
import {
  digestResponse,
  formatCount,
  hashUser,
  sessionKey,
  userKey,
  type DigestInput,
  type Qop,
} from './response.ts'

/** What a Digest acceptor asks and checks. */
export interface DigestAcceptorOptions {
  readonly realm: string
  /** Passwords by user name, both UTF-8 in Normalization Form C. */
  readonly users: ReadonlyMap<string, Secret>
  /** Values of `algorithm` in order of preference, a challenge each; `undefined` leaves the parameter out. */
  readonly algorithms?: readonly (string | undefined)[]
  /** What is offered; empty for the form of RFC 2069. */
  readonly qops?: readonly Qop[]
  readonly userhash?: boolean
  readonly utf8?: boolean
  readonly opaque?: string
  readonly domain?: string
  /** How many requests a nonce is good for; after that it is stale. */
  readonly nonceUses?: number
  /** After how many requests a successor is announced with `nextnonce`. */
  readonly nextNonceAfter?: number
}

/** What is known of a nonce that was given out. */
interface IssuedNonce {
  readonly algorithm: DigestAlgorithm
  /** The highest counter seen. */
  count: number
  uses: number
  /** H(A1) of a `-sess` algorithm by user, made with the first cnonce. */
  readonly sessions: Map<string, Secret>
}

/** Nonces that are remembered; the oldest goes first and is stale then. */
const maximumNonces = 10_000

/** Makes the side that asks; it serves any number of connections. */
export function digestAcceptor(
  options: DigestAcceptorOptions,
  world: Pick<AuthWorld, 'hashes' | 'random'>,
): Acceptor {
  return new DigestAcceptor(options, world)
}

/** Fields of the credentials that every form has. */
interface Proof {
  readonly parameters: ReadonlyMap<string, string>
  readonly nonce: string
  readonly issued: IssuedNonce
  readonly input: DigestInput
}

class DigestAcceptor implements Acceptor {
  readonly #options: DigestAcceptorOptions
  readonly #hashes: Hashes
  readonly #world: Pick<AuthWorld, 'hashes' | 'random'>
  readonly #nonces = new Map<string, IssuedNonce>()

  constructor(options: DigestAcceptorOptions, world: Pick<AuthWorld, 'hashes' | 'random'>) {
    this.#options = options
    this.#hashes = world.hashes
    this.#world = world
  }

  async receive(credentials: string | undefined, request: AcceptorRequest): Promise<Reception> {
    const parsed = credentials === undefined ? undefined : parseCredentials(credentials)
    const parameters = parsed?.scheme === 'digest' ? parsed.parameters : new Map<string, string>()
    const nonce = parameters.get('nonce')
    if (nonce === undefined) return this.#challenge(false)
    const issued = this.#nonces.get(nonce)
    if (issued === undefined) return this.#challenge(true)
    const input = this.#input(parameters, nonce, issued, request)
    if (input === undefined) return this.#challenge(false)
    return this.#judge({ parameters, nonce, issued, input })
  }

  #judge(proof: Proof): Reception {
    const { parameters, nonce, issued, input } = proof
    const found = this.#findUser(parameters, issued.algorithm)
    if (found === undefined) return this.#challenge(false)
    const [user, password] = found
    const key = this.#key(user, password, proof)
    const expected = encodeOctets(digestResponse(this.#hashes, key, input))
    const response = encodeOctets(parameters.get('response') ?? '')
    if (!this.#hashes.equal(expected, response)) return this.#challenge(false)
    // The password is right; now the nonce.
    const count = Number.parseInt(input.quality?.nc ?? formatCount(issued.count + 1), 16)
    const isSpent = issued.uses >= (this.#options.nonceUses ?? Number.POSITIVE_INFINITY)
    if (isSpent || count <= issued.count) {
      this.#nonces.delete(nonce)
      return this.#challenge(true)
    }
    issued.count = count
    issued.uses++
    return { kind: 'granted', user, fields: [['Authentication-Info', this.#info(proof, key)]] }
  }

  /** What the digest covers, as this side sees it; `undefined` when the credentials do not fit what was asked. */
  #input(
    parameters: ReadonlyMap<string, string>,
    nonce: string,
    { algorithm }: IssuedNonce,
    request: AcceptorRequest,
  ): DigestInput | undefined {
    const named = parseDigestAlgorithm(parameters.get('algorithm'))
    if (named?.hash !== algorithm.hash || named.isSession !== algorithm.isSession) return undefined
    // A223: byte for byte.
    if (parameters.get('uri') !== request.requestTarget) return undefined
    const quality = this.#quality(parameters)
    if (quality === undefined) return undefined
    return {
      algorithm,
      nonce,
      method: request.method,
      uri: request.requestTarget,
      ...quality,
      ...(request.bodyHash === undefined ? {} : { bodyHash: request.bodyHash }),
    }
  }

  #quality(parameters: ReadonlyMap<string, string>): Pick<DigestInput, 'quality'> | undefined {
    const [qop, nc, cnonce] = ['qop', 'nc', 'cnonce'].map((name) => parameters.get(name))
    const offered = this.#options.qops ?? ['auth']
    if (offered.length === 0) return qop === undefined && nc === undefined ? {} : undefined
    const agreed = offered.find((word) => word === qop)
    if (agreed === undefined || nc === undefined || cnonce === undefined) return undefined
    return /^[0-9a-f]{8}$/.test(nc) ? { quality: { qop: agreed, nc, cnonce } } : undefined
  }

  /** By name, by extended name, or by hash (A218). */
  #findUser(
    parameters: ReadonlyMap<string, string>,
    { hash }: DigestAlgorithm,
  ): readonly [user: string, password: Secret] | undefined {
    const name = parameters.get('username')
    const extended = parameters.get('username*')
    if ((name === undefined) === (extended === undefined)) return undefined
    const isHashed = parameters.get('userhash') === 'true'
    if (isHashed && this.#options.userhash !== true) return undefined
    for (const [user, password] of this.#options.users) {
      const octets = new TextEncoder().encode(user)
      const said = isHashed
        ? hashUser(this.#hashes, hash, octets, this.#options.realm)
        : extended === undefined
          ? user
          : `UTF-8''${encodeURIComponent(user)}`
      if (said === (extended ?? name)) return [user, password]
    }
    return undefined
  }

  #key(user: string, password: Secret, { parameters, nonce, issued }: Proof): Secret {
    const known = issued.sessions.get(user)
    if (known !== undefined) return known
    const { hash, isSession } = issued.algorithm
    const octets = new TextEncoder().encode(user)
    const key = password.use((bytes) =>
      userKey(this.#hashes, hash, octets, this.#options.realm, bytes),
    )
    if (!isSession) return key
    const session = sessionKey(this.#hashes, hash, key, nonce, parameters.get('cnonce') ?? '')
    key.wipe()
    issued.sessions.set(user, session)
    return session
  }

  #info({ nonce, issued, input }: Proof, key: Secret): string {
    const { quality } = input
    const answer = { ...input, method: '' }
    const isLast = issued.uses === this.#options.nextNonceAfter
    return formatParameters([
      // The body of the response is not known here, so that `auth-int` cannot be answered with it.
      [
        'rspauth',
        quality?.qop === 'auth-int' ? undefined : digestResponse(this.#hashes, key, answer),
      ],
      ['qop', quality === undefined ? undefined : { bare: quality.qop }],
      ['cnonce', quality?.cnonce],
      ['nc', quality === undefined ? undefined : { bare: quality.nc }],
      ['nextnonce', isLast ? this.#successor(nonce, issued) : undefined],
    ])
  }

  /** A nonce that goes on with the sessions of another. */
  #successor(nonce: string, { algorithm, sessions }: IssuedNonce): string {
    this.#nonces.delete(nonce)
    return this.#issue(algorithm, sessions)
  }

  #issue(algorithm: DigestAlgorithm, sessions = new Map<string, Secret>()): string {
    const nonce = formatHex(this.#world.random.bytes(16))
    this.#nonces.set(nonce, { algorithm, count: 0, uses: 0, sessions })
    const [oldest] = this.#nonces.keys()
    if (this.#nonces.size > maximumNonces && oldest !== undefined) this.#nonces.delete(oldest)
    return nonce
  }

  #challenge(isStale: boolean): Reception {
    const {
      realm,
      algorithms = ['SHA-256', 'MD5'],
      qops = ['auth'],
      domain,
      opaque,
    } = this.#options
    const challenges = algorithms.map((name) => {
      const algorithm = parseDigestAlgorithm(name)
      if (algorithm === undefined) throw new TypeError(`Cannot offer a digest: ${name}`)
      return `Digest ${formatParameters([
        ['realm', realm],
        ['domain', domain],
        ['qop', qops.length === 0 ? undefined : qops.join(', ')],
        ['algorithm', name === undefined ? undefined : { bare: name }],
        ['nonce', this.#issue(algorithm)],
        ['opaque', opaque],
        ['stale', isStale ? { bare: 'true' } : undefined],
        ['charset', this.#options.utf8 === true ? { bare: 'UTF-8' } : undefined],
        ['userhash', this.#options.userhash === true ? { bare: 'true' } : undefined],
      ])}`
    })
    return { kind: 'challenged', challenges }
  }
}
