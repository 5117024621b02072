/** AUTHENTICATE_MESSAGE, the third of NTLM: who the client is, and the proof (MS-NLMP §2.2.1.3). */

import { avFlags, readAvFlags } from './av-pairs.ts'
import { MessageReader, MessageWriter, type NtlmVersion } from './message.ts'
import {
  decodeNtlmv2ClientChallenge,
  type Ntlmv2ClientChallenge,
} from './ntlmv2-client-challenge.ts'
import { decodeText, encodeText } from './text.ts'
import { hasFlag } from './flags.ts'

/** What the client answers. */
export interface AuthenticateMessage {
  /** The flags that both sides agreed on (A244). */
  readonly flags: number
  readonly domainName: string
  readonly userName: string
  readonly workstation: string
  /** 24 bytes; 1 for anonymous. */
  readonly lmResponse: Uint8Array
  /** 24 bytes before NTLMv2, more than 44 since; empty for anonymous. */
  readonly ntResponse: Uint8Array
  /** 16 bytes, or empty without key exchange. */
  readonly encryptedRandomSessionKey: Uint8Array
  readonly version?: NtlmVersion
  /** 16 bytes; only when the response announces it (A248). */
  readonly mic?: Uint8Array
}

const offsets = {
  lmResponse: 12,
  ntResponse: 20,
  domainName: 28,
  userName: 36,
  workstation: 44,
  encryptedRandomSessionKey: 52,
  flags: 60,
  version: 64,
  mic: 72,
} as const

/** The length of the MIC. */
export const micBytes = 16

/** The length of NTProofStr, which goes before the client challenge of an NTLMv2 response. */
export const proofBytes = 16

/** The length of every NT response before NTLMv2. */
export const shortResponseBytes = 24

/**
 * Encodes an AUTHENTICATE_MESSAGE, its payload in the order of Windows.
 *
 * @returns a new array that belongs to the caller
 * @throws {MisuseError} `ERR_NTLM_OEM_TEXT`, `ERR_NTLM_FIELD_TOO_LONG`, `ERR_NTLM_TOO_LONG`
 */
export function encodeAuthenticateMessage(message: AuthenticateMessage): Uint8Array {
  const { flags, mic } = message
  const headerLength = mic === undefined ? offsets.mic : offsets.mic + micBytes
  const writer = new MessageWriter('AUTHENTICATE', headerLength)
  writer.uint32(offsets.flags, flags)
  writer.version(offsets.version, message.version)
  if (mic !== undefined) writer.bytes(offsets.mic, mic)
  writer.field(offsets.domainName, encodeText(message.domainName, flags))
  writer.field(offsets.userName, encodeText(message.userName, flags))
  writer.field(offsets.workstation, encodeText(message.workstation, flags))
  writer.field(offsets.lmResponse, message.lmResponse)
  writer.field(offsets.ntResponse, message.ntResponse)
  writer.field(offsets.encryptedRandomSessionKey, message.encryptedRandomSessionKey)
  return writer.finish()
}

/**
 * Decodes an AUTHENTICATE_MESSAGE.
 *
 * @param bytes the whole message, 64 bytes or more, little-endian
 * @returns everything copied out of `bytes`
 * @throws {ProtocolError} `ERR_NTLM_TRUNCATED` when a field points past the end or is promised and absent,
 *   `ERR_NTLM_TEXT`, `ERR_NTLM_AV_LENGTH`, `ERR_NTLM_RESPONSE`, `ERR_NTLM_TYPE`, `ERR_NTLM_TOO_LONG`
 */
export function decodeAuthenticateMessage(bytes: Uint8Array): AuthenticateMessage {
  const reader = new MessageReader('AUTHENTICATE', bytes)
  const flags = reader.uint32(offsets.flags)
  const ntResponse = reader.field(offsets.ntResponse)
  const announced = readAvFlags(clientChallengeOf(ntResponse)?.targetInfo ?? [])
  const hasMic = (announced & avFlags.micPresent) !== 0
  return {
    flags,
    domainName: decodeText(reader.field(offsets.domainName), flags),
    userName: decodeText(reader.field(offsets.userName), flags),
    workstation: decodeText(reader.field(offsets.workstation), flags),
    lmResponse: reader.field(offsets.lmResponse),
    ntResponse,
    encryptedRandomSessionKey: reader.field(offsets.encryptedRandomSessionKey),
    ...(hasFlag(flags, 'version') ? { version: reader.version(offsets.version) } : {}),
    ...(hasMic ? { mic: reader.bytes(offsets.mic, micBytes) } : {}),
  }
}

/**
 * What an NTLMv2 response says besides its proof.
 *
 * @returns `undefined` when the response is anonymous or older than NTLMv2
 * @throws {ProtocolError} as {@link decodeNtlmv2ClientChallenge}
 */
export function clientChallengeOf(ntResponse: Uint8Array): Ntlmv2ClientChallenge | undefined {
  if (ntResponse.length <= shortResponseBytes) return undefined
  return decodeNtlmv2ClientChallenge(ntResponse.subarray(proofBytes))
}

/** A copy of an encoded message with this MIC, or with zeros as it is signed (A248). */
export function withMic(encoded: Uint8Array, mic?: Uint8Array): Uint8Array {
  const copy = encoded.slice()
  copy.fill(0, offsets.mic, offsets.mic + micBytes)
  if (mic !== undefined) copy.set(mic, offsets.mic)
  return copy
}
