/** What a Digest challenge says (RFC 7616 §3.3), once it is known to be one that can be answered. */

import type { Challenge } from '../challenge.ts'
import type { Hashes } from '../crypto.ts'
import type { Unable } from '../scheme.ts'
import { parseDigestAlgorithm, type DigestAlgorithm } from './algorithm.ts'
import type { Qop } from './response.ts'

/** A challenge that can be answered. */
export interface DigestChallenge {
  readonly kind: 'digest'
  readonly realm: string
  readonly nonce: string
  /** Returned unchanged. */
  readonly opaque: string | undefined
  /** Whether the credentials were right and only the nonce too old (A221). */
  readonly isStale: boolean
  readonly algorithm: DigestAlgorithm
  /** As the server wrote it; sent back only if it was there (A226). */
  readonly algorithmName: string | undefined
  /** The protection that was chosen; `undefined` for the form of RFC 2069. */
  readonly qop: Qop | undefined
  readonly hashesUser: boolean
  /** The URIs of the protection space, as written, separated by spaces. */
  readonly domain: string | undefined
}

/**
 * Reads a challenge. Parameters that mean nothing to us are ignored (A226).
 *
 * @returns why it cannot be answered: no realm, no nonce, or nothing offered that we, or this platform, can do
 */
export function readDigestChallenge(
  { parameters }: Challenge,
  hashes: Pick<Hashes, 'has'>,
): DigestChallenge | Unable {
  const realm = parameters.get('realm')
  const nonce = parameters.get('nonce')
  if (realm === undefined || nonce === undefined) {
    return unable('Digest: the challenge has no realm or no nonce')
  }
  const algorithmName = parameters.get('algorithm')
  const algorithm = parseDigestAlgorithm(algorithmName)
  if (algorithm === undefined) return unable('Digest: the algorithm is not known')
  if (!hashes.has(algorithm.hash)) {
    return unable(`Digest: this platform has no ${algorithm.hash}`)
  }
  const qop = chooseQop(parameters.get('qop'))
  if (qop === 'none') return unable('Digest: no quality of protection that we know is offered')
  return {
    kind: 'digest',
    realm,
    nonce,
    opaque: parameters.get('opaque'),
    isStale: isTrue(parameters.get('stale')),
    algorithm,
    algorithmName,
    qop,
    hashesUser: isTrue(parameters.get('userhash')),
    domain: parameters.get('domain'),
  }
}

/** `auth` if it is offered, `auth-int` only if it is all there is (A219); nothing offered means RFC 2069. */
function chooseQop(list: string | undefined): Qop | 'none' | undefined {
  const offered = (list ?? '')
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((word) => word !== '')
  if (offered.length === 0) return undefined
  if (offered.includes('auth')) return 'auth'
  return offered.includes('auth-int') ? 'auth-int' : 'none'
}

function isTrue(value: string | undefined): boolean {
  return value?.toLowerCase() === 'true'
}

function unable(reason: string): Unable {
  return { kind: 'unable', reason }
}
