/** Nonces of one peer: who uses which, how often, and what it proves. */

import { assert } from '../../base/error.ts'
import { encodeBase64 } from '../base64.ts'
import type { AuthWorld } from '../scheme.ts'
import type { Secret } from '../secret.ts'
import type { DigestChallenge } from './digest-challenge.ts'
import { formatCount, sessionKey } from './response.ts'

/** Random octets in a cnonce: more than 128 bits (A216), and a length that base64 needs no padding for. */
const cnonceLength = 33

/** The counter has eight digits (A215). */
const maximumCount = 0xffff_ffff

/**
 * A nonce, its counter and the key that goes with it.
 *
 * Servers may refuse counters that come out of order (A215), and two connections deliver in no order. So a nonce is in
 * the hands of one connection at a time: whoever has requests on their way holds it, and when the last answer is there
 * the next one, on whatever connection, goes on counting. That needs no more nonces than connections, and a server
 * that closes after every response still asks only once.
 */
export class DigestNonce {
  readonly challenge: DigestChallenge
  readonly cnonce: string
  /** H(A1) in hexadecimal. */
  readonly key: Secret
  /** Absolute URLs, one of which begins every URL that this nonce is good for; `undefined`: all of the peer. */
  readonly space: readonly string[] | undefined
  #value: string
  #count = 0
  #holder: object | undefined
  #onTheirWay = 0
  #isRetired = false

  private constructor(
    challenge: DigestChallenge,
    cnonce: string,
    key: Secret,
    space: readonly string[] | undefined,
  ) {
    this.challenge = challenge
    this.#value = challenge.nonce
    this.cnonce = cnonce
    this.key = key
    this.space = space
  }

  /** @param userKey H(user:realm:password) in hexadecimal; copied */
  static of(
    challenge: DigestChallenge,
    userKey: Secret,
    space: readonly string[] | undefined,
    { hashes, random }: Pick<AuthWorld, 'hashes' | 'random'>,
  ): DigestNonce {
    const cnonce = encodeBase64(random.bytes(cnonceLength))
    const { algorithm, nonce } = challenge
    const key = algorithm.isSession
      ? sessionKey(hashes, algorithm.hash, userKey, nonce, cnonce)
      : userKey.copy()
    return new DigestNonce(challenge, cnonce, key, space)
  }

  /** Whether it is good for this URL. */
  covers(url: string): boolean {
    return this.#count < maximumCount && (this.space?.some((uri) => url.startsWith(uri)) ?? true)
  }

  /** Whether requests on this connection are on their way with it. */
  isHeldBy(connection: object): boolean {
    return this.#holder === connection
  }

  get isFree(): boolean {
    return this.#holder === undefined
  }

  /** Counts a request and holds the nonce for its connection until {@link DigestUse.release}. */
  use(connection: object): DigestUse {
    assert(this.isFree || this.isHeldBy(connection), 'a nonce has one holder')
    this.#holder = connection
    this.#onTheirWay++
    return new DigestUse(this, this.#value, formatCount(++this.#count), () => {
      if (--this.#onTheirWay > 0) return
      this.#holder = undefined
      if (this.#isRetired) this.key.wipe()
    })
  }

  /** Nobody will use it any more; its key goes when the last answer is there. */
  retire(): void {
    this.#isRetired = true
    if (this.isFree) this.key.wipe()
  }

  /** The server wants another value from now on: the count begins anew, the key of a session stays (A222). */
  advance(value: string): void {
    if (value === this.#value) return
    this.#value = value
    this.#count = 0
  }
}

/** One request that went out with a nonce. */
export class DigestUse {
  readonly nonce: DigestNonce
  /** The nonce's value then. */
  readonly value: string
  /** The nonce's count then, as it is written. */
  readonly nc: string
  #release: (() => void) | undefined

  constructor(nonce: DigestNonce, value: string, nc: string, release: () => void) {
    this.nonce = nonce
    this.value = value
    this.nc = nc
    this.#release = release
  }

  /** The answer is there and verified, or will never be. May be called twice. */
  release(): void {
    this.#release?.()
    this.#release = undefined
  }
}
