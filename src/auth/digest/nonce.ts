/** Nonces of one peer: who uses which, how often, and what it proves. */

import { assert } from '../../base/error.ts'
import { encodeBase64 } from '../base64.ts'
import type { AuthWorld, RequestFacts } from '../scheme.ts'
import type { Secret } from '../secret.ts'
import type { DigestChallenge } from './digest-challenge.ts'
import { wordDigest, type DigestWords } from './digest-header.ts'
import { formatCount, sessionKey } from './response.ts'

/** Random octets in a cnonce: more than 128 bits (A216), and a length that base64 needs no padding for. */
const cnonceLength = 33

/** The counter has eight digits (A215). */
const maximumCount = 0xffff_ffff

/** What a nonce is made of. */
export interface NonceParts {
  readonly challenge: DigestChallenge
  /** UTF-8, Normalization Form C. */
  readonly user: Uint8Array
  /** H(user:realm:password) in hexadecimal; copied. */
  readonly userKey: Secret
  /** Absolute URLs, one of which begins every URL that the nonce is good for; `undefined`: all of the peer. */
  readonly space: readonly string[] | undefined
}

/**
 * A nonce, its counter, the key that goes with it, and the words in which it is said.
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
  readonly words: DigestWords
  readonly #space: readonly string[] | undefined
  #value: string
  #count = 0
  #holder: object | undefined
  #onTheirWay = 0
  #isRetired = false

  constructor(
    { challenge, user, userKey, space }: NonceParts,
    { hashes, random }: Pick<AuthWorld, 'hashes' | 'random'>,
  ) {
    const { algorithm, nonce } = challenge
    this.challenge = challenge
    this.#value = nonce
    this.#space = space
    this.cnonce = encodeBase64(random.bytes(cnonceLength))
    this.key = algorithm.isSession
      ? sessionKey(hashes, algorithm.hash, userKey, nonce, this.cnonce)
      : userKey.copy()
    this.words = wordDigest(hashes, user, challenge, this.cnonce)
  }

  /** Whether it is good for this request. */
  covers(request: RequestFacts): boolean {
    if (this.#count >= maximumCount) return false
    if (this.#space === undefined) return true
    const { href } = request.url
    return this.#space.some((uri) => href.startsWith(uri))
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
    return new DigestUse(this, this.#value, formatCount(++this.#count))
  }

  /** One use is over; called by it, once. */
  letGo(): void {
    if (--this.#onTheirWay > 0) return
    this.#holder = undefined
    if (this.#isRetired) this.key.wipe()
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
  #isOver = false

  constructor(nonce: DigestNonce, value: string, nc: string) {
    this.nonce = nonce
    this.value = value
    this.nc = nc
  }

  /** The answer is there and verified, or will never be. May be called twice. */
  release(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.nonce.letGo()
  }
}
