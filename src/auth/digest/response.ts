/** The arithmetic of Digest (RFC 7616 §3.4): strings of octets in, hexadecimal out. */

import type { HashAlgorithm, Hashes } from '../crypto.ts'
import { formatHex } from '../hex.ts'
import { encodeOctets } from '../octets.ts'
import { Secret } from '../secret.ts'
import type { DigestAlgorithm } from './algorithm.ts'

/** How much a digest protects: the request line, or the body too. */
export type Qop = 'auth' | 'auth-int'

/**
 * H(A1) of a user, before `-sess`: `H(user:realm:password)`.
 *
 * @param user UTF-8, Normalization Form C
 * @param realm the octets between the quotes, without escapes (A217)
 * @returns lower-case hexadecimal, as good as the password for this realm (A164); the caller wipes it
 */
export function userKey(
  hashes: Hashes,
  algorithm: HashAlgorithm,
  user: Uint8Array,
  realm: string,
  password: Uint8Array,
): Secret {
  return hexSecret(hashes.hash(algorithm, user, encodeOctets(`:${realm}:`), password))
}

/** H(A1) of a `-sess` algorithm: `H(H(user:realm:password):nonce:cnonce)`, with the first nonce and cnonce (A212). */
export function sessionKey(
  hashes: Hashes,
  algorithm: HashAlgorithm,
  key: Secret,
  nonce: string,
  cnonce: string,
): Secret {
  return key.use((bytes) =>
    hexSecret(hashes.hash(algorithm, bytes, encodeOctets(`:${nonce}:${cnonce}`))),
  )
}

/** What `username` says when the server wants it hashed: `H(user:realm)` (A218). */
export function hashUser(
  hashes: Hashes,
  algorithm: HashAlgorithm,
  user: Uint8Array,
  realm: string,
): string {
  return hashes.hex(algorithm, user, `:${realm}`)
}

/** What is said of the protection, and goes into the digest for that reason. */
export interface Quality {
  readonly qop: Qop
  readonly nc: string
  readonly cnonce: string
}

/** Everything that goes into one digest besides the key. */
export interface DigestInput {
  readonly algorithm: DigestAlgorithm
  readonly nonce: string
  /** Absent in the form of RFC 2069. */
  readonly quality?: Quality | undefined
  /** Empty for the digest of a response, `rspauth` (A222). */
  readonly method: string
  /** The request-target (A223). */
  readonly uri: string
  /** The hash of the body, for `auth-int`; the body is empty when it is absent. */
  readonly bodyHash?: ((algorithm: HashAlgorithm) => Uint8Array) | undefined
}

/**
 * The value of `response` or, with an empty method, of `rspauth`.
 *
 * @param key H(A1) in hexadecimal
 * @returns lower-case hexadecimal
 */
export function digestResponse(hashes: Hashes, key: Secret, input: DigestInput): string {
  const { hash } = input.algorithm
  const { nonce, quality, method, uri } = input
  const a2 =
    quality?.qop === 'auth-int' ? `${method}:${uri}:${bodyOf(hashes, input)}` : `${method}:${uri}`
  const middle =
    quality === undefined ? nonce : `${nonce}:${quality.nc}:${quality.cnonce}:${quality.qop}`
  const rest = `:${middle}:${hashes.hex(hash, a2)}`
  return key.use((bytes) => hashes.hex(hash, bytes, rest))
}

function bodyOf(hashes: Hashes, { algorithm: { hash }, bodyHash }: DigestInput): string {
  return bodyHash === undefined ? hashes.hex(hash) : formatHex(bodyHash(hash))
}

/** The counter as it is written: eight lower-case hexadecimal digits (A215). */
export function formatCount(count: number): string {
  return count.toString(16).padStart(8, '0')
}

function hexSecret(bytes: Uint8Array): Secret {
  const secret = new Secret(encodeOctets(formatHex(bytes)))
  bytes.fill(0)
  return secret
}
