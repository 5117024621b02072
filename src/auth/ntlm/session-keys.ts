/** Keys of a session that both sides derive once the responses are known (MS-NLMP §3.4.5, A246). */

import type { Hashes } from '../crypto.ts'
import { joinBytes } from './bytes.ts'
import { hasFlag } from './flags.ts'
import { encryptWithSeven } from './password-keys.ts'
import type { ResponseKind } from './level.ts'
import type { NtlmResponses } from './responses.ts'

/** Who sends: each direction has keys of its own. */
export type NtlmSide = 'client' | 'server'

/** What the key exchange key depends on. */
export interface KeyExchangeInput extends NtlmResponses {
  readonly kind: ResponseKind
  /** What was agreed. */
  readonly flags: number
  readonly serverChallenge: Uint8Array
  /** LMOWFv1; used with `lmKey` or `requestNonNtSessionKey` only, which this client never agrees to. */
  readonly lmHash?: Uint8Array
}

/**
 * KeyExchangeKey (MS-NLMP §3.4.5.1).
 *
 * @returns 16 bytes that belong to the caller, who wipes them
 */
export function computeKeyExchangeKey(input: KeyExchangeInput, hashes: Hashes): Uint8Array {
  const { kind, flags, sessionBaseKey, lmResponse, lmHash } = input
  if (kind === 'session') {
    return hashes.hmac('md5', sessionBaseKey, input.serverChallenge, lmResponse.subarray(0, 8))
  }
  if (kind === 'v1' && lmHash !== undefined) {
    const block = lmResponse.subarray(0, 8)
    if (hasFlag(flags, 'lmKey')) return weakenedLmKey(lmHash, block)
    if (hasFlag(flags, 'requestNonNtSessionKey')) {
      return joinBytes(lmHash.subarray(0, 8), new Uint8Array(8))
    }
  }
  return sessionBaseKey.slice()
}

function weakenedLmKey(lmHash: Uint8Array, block: Uint8Array): Uint8Array {
  const second = new Uint8Array(7).fill(0xbd)
  second.set(lmHash.subarray(7, 8))
  const key = joinBytes(
    encryptWithSeven(lmHash.subarray(0, 7), block),
    encryptWithSeven(second, block),
  )
  second.fill(0)
  return key
}

const text = new TextEncoder()

/** The constants of MS-NLMP §3.4.5.2 and §3.4.5.3, each with its terminating zero. */
const magic = {
  signing: {
    client: text.encode('session key to client-to-server signing key magic constant\0'),
    server: text.encode('session key to server-to-client signing key magic constant\0'),
  },
  sealing: {
    client: text.encode('session key to client-to-server sealing key magic constant\0'),
    server: text.encode('session key to server-to-client sealing key magic constant\0'),
  },
} as const

/**
 * SIGNKEY (MS-NLMP §3.4.5.2): what one side signs with; exists with extended session security only.
 *
 * @returns 16 bytes that belong to the caller, who wipes them
 */
export function computeSigningKey(
  exportedSessionKey: Uint8Array,
  side: NtlmSide,
  hashes: Hashes,
): Uint8Array {
  return hashes.hash('md5', exportedSessionKey, magic.signing[side])
}

/**
 * SEALKEY (MS-NLMP §3.4.5.3): what one side seals with, as strong as the flags agree on.
 *
 * @returns 8 or 16 bytes that belong to the caller, who wipes them
 */
export function computeSealingKey(
  flags: number,
  exportedSessionKey: Uint8Array,
  side: NtlmSide,
  hashes: Hashes,
): Uint8Array {
  if (hasFlag(flags, 'extendedSessionSecurity')) {
    const length = hasFlag(flags, 'key128') ? 16 : hasFlag(flags, 'key56') ? 7 : 5
    return hashes.hash('md5', exportedSessionKey.subarray(0, length), magic.sealing[side])
  }
  if (!hasFlag(flags, 'lmKey')) return exportedSessionKey.slice()
  return hasFlag(flags, 'key56')
    ? joinBytes(exportedSessionKey.subarray(0, 7), new Uint8Array([0xa0]))
    : joinBytes(exportedSessionKey.subarray(0, 5), new Uint8Array([0xe5, 0x38, 0xb0]))
}
