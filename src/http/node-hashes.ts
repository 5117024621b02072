/** The hashes of the room `auth` over `node:crypto`. */

import { createHash, createHmac, getHashes, hash, timingSafeEqual } from 'node:crypto'
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

const ascii = /^[\t\x20-\x7e]*$/

const available = new Set(getHashes().map((name) => name.toLowerCase()))

/** The port over `node:crypto`; what OpenSSL does not offer, in FIPS mode MD5, is missing here too (A430). */
export const nodeHashes: Hashes = {
  has: (algorithm) => available.has(nodeNames[algorithm]),
  hash(algorithm, ...parts) {
    const hash = createHash(nodeNames[algorithm])
    for (const part of parts) hash.update(part)
    return new Uint8Array(hash.digest())
  },
  hex(algorithm, ...parts) {
    const [first] = parts
    // As text Node hashes UTF-8, which ASCII is, too.
    if (parts.length === 1 && typeof first === 'string' && ascii.test(first)) {
      return hash(nodeNames[algorithm], first)
    }
    const whole = join(parts)
    const text = hash(nodeNames[algorithm], whole)
    // There may be a key among the parts.
    whole.fill(0)
    return text
  },
  hmac(algorithm, key, ...parts) {
    const hmac = createHmac(nodeNames[algorithm], key)
    for (const part of parts) hmac.update(part)
    return new Uint8Array(hmac.digest())
  },
  equal: (left, right) => left.length === right.length && timingSafeEqual(left, right),
}

/**
 * Where the parts of one hash are put together; zeros between two of them. A hash of one piece in one call makes no
 * object that outlives it, and takes half the time of one that is fed piece by piece.
 */
let joined = Buffer.alloc(1024)

/** Puts parts together. @returns where they stand until the next call; to be wiped before */
function join(parts: readonly (Uint8Array | string)[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  if (length > joined.length) joined = Buffer.alloc(length * 2)
  let at = 0
  for (const part of parts) {
    if (typeof part === 'string') joined.write(part, at, 'latin1')
    else joined.set(part, at)
    at += part.length
  }
  return new Uint8Array(joined.buffer, joined.byteOffset, length)
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
