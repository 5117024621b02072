/** CHALLENGE_MESSAGE, the second of NTLM: the number to answer, and who asks (MS-NLMP §2.2.1.2). */

import { ProtocolError } from '../../base/error.ts'
import { decodeAvPairs, encodeAvPairs, type AvPair } from './av-pairs.ts'
import { hasFlag } from './flags.ts'
import { MessageReader, MessageWriter, type NtlmVersion } from './message.ts'
import { decodeText, encodeText } from './text.ts'

/** What the server asks. */
export interface ChallengeMessage {
  readonly flags: number
  /** The domain or server that asks, for people; empty when not sent, or when it cannot be read. */
  readonly targetName: string
  /** 8 bytes. */
  readonly serverChallenge: Uint8Array
  /** In wire order; absent when the flags do not promise it. */
  readonly targetInfo?: readonly AvPair[]
  readonly version?: NtlmVersion
}

const offsets = {
  targetName: 12,
  flags: 20,
  serverChallenge: 24,
  targetInfo: 40,
  version: 48,
  payload: 56,
} as const

/**
 * Encodes a CHALLENGE_MESSAGE.
 *
 * @returns a new array that belongs to the caller
 * @throws {MisuseError} `ERR_NTLM_OEM_TEXT`, `ERR_NTLM_FIELD_TOO_LONG`, `ERR_NTLM_TOO_LONG`
 */
export function encodeChallengeMessage(message: ChallengeMessage): Uint8Array {
  const writer = new MessageWriter('CHALLENGE', offsets.payload)
  writer.uint32(offsets.flags, message.flags)
  writer.bytes(offsets.serverChallenge, message.serverChallenge)
  writer.version(offsets.version, message.version)
  writer.field(offsets.targetName, encodeText(message.targetName, message.flags))
  if (message.targetInfo !== undefined) {
    writer.field(offsets.targetInfo, encodeAvPairs(message.targetInfo))
  }
  return writer.finish()
}

/**
 * Decodes a CHALLENGE_MESSAGE.
 *
 * @param bytes the whole message, little-endian; 32 bytes when the flags promise no more
 * @returns everything copied out of `bytes`
 * @throws {ProtocolError} `ERR_NTLM_TRUNCATED` when the target information points past the end or is promised and absent,
 *   `ERR_NTLM_CHARACTER_SET` when neither Unicode nor OEM is agreed (A245), `ERR_NTLM_AV_LENGTH`, `ERR_NTLM_TYPE`,
 *   `ERR_NTLM_TOO_LONG`
 */
export function decodeChallengeMessage(bytes: Uint8Array): ChallengeMessage {
  const reader = new MessageReader('CHALLENGE', bytes)
  reader.require(offsets.serverChallenge + 8)
  const flags = reader.uint32(offsets.flags)
  if (!hasFlag(flags, 'unicode') && !hasFlag(flags, 'oem')) {
    throw new ProtocolError(
      'ERR_NTLM_CHARACTER_SET',
      'Cannot read CHALLENGE: neither Unicode nor OEM is agreed',
    )
  }
  return {
    flags,
    targetName: readTargetName(reader, flags),
    serverChallenge: reader.bytes(offsets.serverChallenge, 8),
    ...(hasFlag(flags, 'targetInfo')
      ? { targetInfo: decodeAvPairs(reader.field(offsets.targetInfo)) }
      : {}),
    ...(hasVersion(reader, flags) ? { version: reader.version(offsets.version) } : {}),
  }
}

/** No answer depends on it, and there are servers that say wrongly where it is: Squid's ntlm_fake_auth is one. */
function readTargetName(reader: MessageReader, flags: number): string {
  try {
    return decodeText(reader.field(offsets.targetName), flags)
  } catch (error) {
    if (error instanceof ProtocolError) return ''
    throw error
  }
}

/** Nor on this one: who gives back every flag that was asked for need not have it. */
function hasVersion({ length }: MessageReader, flags: number): boolean {
  return hasFlag(flags, 'version') && length >= offsets.version + 8
}
