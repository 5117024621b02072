/** The hashes of the room `auth` over `node:crypto`. */

import { createHash, createHmac, getHashes, timingSafeEqual } from 'node:crypto'
import type { HashAlgorithm, Hashes } from '../auth/crypto.ts'

const nodeNames: Readonly<Record<HashAlgorithm, string>> = {
  md5: 'md5',
  'sha-1': 'sha1',
  'sha-224': 'sha224',
  'sha-256': 'sha256',
  'sha-384': 'sha384',
  'sha-512': 'sha512',
  'sha-512-256': 'sha512-256',
}

const available = new Set(getHashes().map((name) => name.toLowerCase()))

/** The port over `node:crypto`; what OpenSSL does not offer, in FIPS mode MD5, is missing here too (A430). */
export const nodeHashes: Hashes = {
  has: (algorithm) => available.has(nodeNames[algorithm]),
  hash(algorithm, ...parts) {
    const hash = createHash(nodeNames[algorithm])
    for (const part of parts) hash.update(part)
    return new Uint8Array(hash.digest())
  },
  hmac(algorithm, key, ...parts) {
    const hmac = createHmac(nodeNames[algorithm], key)
    for (const part of parts) hmac.update(part)
    return new Uint8Array(hmac.digest())
  },
  equal: (left, right) => left.length === right.length && timingSafeEqual(left, right),
}

/** A hash that is fed piece by piece. */
export interface RunningHash {
  update(bytes: Uint8Array): void
  /** Ends it. */
  digest(): Uint8Array
}

/** Begins a hash; the algorithm is one that {@link nodeHashes} has. */
export function beginHash(algorithm: HashAlgorithm): RunningHash {
  const hash = createHash(nodeNames[algorithm])
  return {
    update: (bytes) => void hash.update(bytes),
    digest: () => new Uint8Array(hash.digest()),
  }
}
