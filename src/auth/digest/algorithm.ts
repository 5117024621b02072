/** The algorithms of Digest (RFC 7616 §6.1). */

import type { HashAlgorithm } from '../crypto.ts'

/** One value of `algorithm`. */
export interface DigestAlgorithm {
  readonly hash: HashAlgorithm
  /** Whether H(A1) is made once for a session, from its first nonce and cnonce (`-sess`, A212). */
  readonly isSession: boolean
}

const hashes: ReadonlyMap<string, HashAlgorithm> = new Map([
  ['md5', 'md5'],
  ['sha-256', 'sha-256'],
  ['sha-512-256', 'sha-512-256'],
])

const sessionSuffix = '-sess'

/** Reads the value of `algorithm` without regard to case; absent means MD5 (A210). `undefined`: not one we know. */
export function parseDigestAlgorithm(name = 'md5'): DigestAlgorithm | undefined {
  const lower = name.toLowerCase()
  const isSession = lower.endsWith(sessionSuffix)
  const hash = hashes.get(isSession ? lower.slice(0, -sessionSuffix.length) : lower)
  return hash === undefined ? undefined : { hash, isSession }
}
