/** NTLMv2_CLIENT_CHALLENGE, the *temp* of the formulas: what NTLMv2 proves besides the password (MS-NLMP §2.2.2.7). */

import { ProtocolError } from '../../base/error.ts'
import type { Instant } from '../../base/clock.ts'
import { decodeAvPairs, encodeAvPairs, type AvPair } from './av-pairs.ts'
import { joinBytes, viewOf } from './bytes.ts'

/** What the client says at the time of its response. */
export interface Ntlmv2ClientChallenge {
  /** FILETIME, 8 bytes: the server's when it sent one, otherwise ours (A247). */
  readonly timestamp: Uint8Array
  /** 8 bytes. */
  readonly clientChallenge: Uint8Array
  /** The server's pairs and what the client added to them. */
  readonly targetInfo: readonly AvPair[]
}

const offsets = { timestamp: 8, clientChallenge: 16, targetInfo: 28 } as const

/** RespType and HiRespType 1, then six reserved bytes. */
const start = new Uint8Array([1, 1, 0, 0, 0, 0, 0, 0])
const reserved = new Uint8Array(4)

/** Encodes the structure, in a new array that belongs to the caller. */
export function encodeNtlmv2ClientChallenge(challenge: Ntlmv2ClientChallenge): Uint8Array {
  return joinBytes(
    start,
    challenge.timestamp,
    challenge.clientChallenge,
    reserved,
    encodeAvPairs(challenge.targetInfo),
    reserved,
  )
}

/**
 * Decodes the structure.
 *
 * @returns everything copied out of `bytes`
 * @throws {ProtocolError} `ERR_NTLM_TRUNCATED`, `ERR_NTLM_AV_LENGTH`, or `ERR_NTLM_RESPONSE` when it is another kind
 *   of response
 */
export function decodeNtlmv2ClientChallenge(bytes: Uint8Array): Ntlmv2ClientChallenge {
  if (bytes.length < offsets.targetInfo) {
    throw new ProtocolError(
      'ERR_NTLM_TRUNCATED',
      `Cannot read an NTLMv2 response: ${bytes.length} bytes after the proof`,
    )
  }
  if (bytes[0] !== 1 || bytes[1] !== 1) {
    throw new ProtocolError(
      'ERR_NTLM_RESPONSE',
      `Cannot read an NTLMv2 response: version ${bytes[0]}.${bytes[1]}`,
    )
  }
  return {
    timestamp: bytes.slice(offsets.timestamp, offsets.timestamp + 8),
    clientChallenge: bytes.slice(offsets.clientChallenge, offsets.clientChallenge + 8),
    targetInfo: decodeAvPairs(bytes.subarray(offsets.targetInfo)),
  }
}

/** 100-nanosecond steps from 1601-01-01 to 1970-01-01. */
const filetimeOfEpoch = 116_444_736_000_000_000n

/** An instant as FILETIME: 8 bytes, 100-nanosecond steps since 1601 (MS-DTYP §2.3.3). */
export function encodeFiletime(instant: Instant): Uint8Array {
  const bytes = new Uint8Array(8)
  const steps = filetimeOfEpoch + BigInt(Math.floor(instant)) * 10_000n
  viewOf(bytes).setBigUint64(0, steps, true)
  return bytes
}

/** The instant of a FILETIME of 8 bytes; fractions of a millisecond are lost. */
export function decodeFiletime(bytes: Uint8Array): Instant {
  return Number((viewOf(bytes).getBigUint64(0, true) - filetimeOfEpoch) / 10_000n)
}
