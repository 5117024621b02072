/** The answers to a challenge, one function for each generation of NTLM (MS-NLMP §3.3, A246). */

import type { Hashes } from '../crypto.ts'
import { md4 } from '../legacy-crypto/md4.ts'
import { joinBytes } from './bytes.ts'
import {
  encodeNtlmv2ClientChallenge,
  type Ntlmv2ClientChallenge,
} from './ntlmv2-client-challenge.ts'
import { encryptWithThirds } from './password-keys.ts'

/** What proves the password, and the key that both sides now share. */
export interface NtlmResponses {
  readonly lmResponse: Uint8Array
  readonly ntResponse: Uint8Array
  /** SessionBaseKey, 16 bytes; belongs to the caller, who wipes it. */
  readonly sessionBaseKey: Uint8Array
}

/**
 * NTLMv1 without extended session security.
 *
 * @param lmHash absent where the LM response may not be sent: the NT response takes its place (A57)
 */
export function respondV1(
  serverChallenge: Uint8Array,
  ntHash: Uint8Array,
  lmHash: Uint8Array | undefined,
): NtlmResponses {
  const ntResponse = encryptWithThirds(ntHash, serverChallenge)
  return {
    lmResponse: lmHash === undefined ? ntResponse : encryptWithThirds(lmHash, serverChallenge),
    ntResponse,
    sessionBaseKey: md4(ntHash),
  }
}

/** NTLMv1 with extended session security, also called the NTLM2 session response. */
export function respondWithSessionSecurity(
  serverChallenge: Uint8Array,
  clientChallenge: Uint8Array,
  ntHash: Uint8Array,
  hashes: Hashes,
): NtlmResponses {
  const both = hashes.hash('md5', serverChallenge, clientChallenge)
  return {
    lmResponse: joinBytes(clientChallenge, new Uint8Array(16)),
    ntResponse: encryptWithThirds(ntHash, both.subarray(0, 8)),
    sessionBaseKey: md4(ntHash),
  }
}

/**
 * NTLMv2.
 *
 * @param key NTOWFv2
 * @param withLm whether LMv2 is sent too; with a timestamp in the challenge it is 24 zeros instead (A247)
 */
export function respondV2(
  serverChallenge: Uint8Array,
  client: Ntlmv2ClientChallenge,
  key: Uint8Array,
  withLm: boolean,
  hashes: Hashes,
): NtlmResponses {
  const temp = encodeNtlmv2ClientChallenge(client)
  const proof = hashes.hmac('md5', key, serverChallenge, temp)
  const { clientChallenge } = client
  return {
    lmResponse: withLm
      ? joinBytes(hashes.hmac('md5', key, serverChallenge, clientChallenge), clientChallenge)
      : new Uint8Array(24),
    ntResponse: joinBytes(proof, temp),
    sessionBaseKey: hashes.hmac('md5', key, proof),
  }
}

/** Nobody: no name and no password (V33). */
export function respondAnonymously(): NtlmResponses {
  return {
    lmResponse: new Uint8Array(1),
    ntResponse: new Uint8Array(),
    sessionBaseKey: new Uint8Array(16),
  }
}
