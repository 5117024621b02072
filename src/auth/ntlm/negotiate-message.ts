/** NEGOTIATE_MESSAGE, the first of NTLM: what the client can do (MS-NLMP §2.2.1.1). */

import { hasFlag } from './flags.ts'
import { MessageReader, MessageWriter, type NtlmVersion } from './message.ts'
import { encodeText, decodeText } from './text.ts'

/** What the client offers. */
export interface NegotiateMessage {
  readonly flags: number
  /** Empty in what we write (A243); always OEM on the wire, whatever the flags say. */
  readonly domainName: string
  /** As {@link domainName}. */
  readonly workstation: string
  readonly version?: NtlmVersion
}

const offsets = { flags: 12, domainName: 16, workstation: 24, version: 32, payload: 40 } as const

/** No flag of a character set: OEM. */
const oem = 0

/**
 * Encodes a NEGOTIATE_MESSAGE, always in the form of 40 bytes and more: acceptors refuse the one of 32.
 *
 * @returns a new array that belongs to the caller
 * @throws {MisuseError} `ERR_NTLM_OEM_TEXT` when a name is not ASCII
 */
export function encodeNegotiateMessage(message: NegotiateMessage): Uint8Array {
  const writer = new MessageWriter('NEGOTIATE', offsets.payload)
  writer.uint32(offsets.flags, message.flags)
  writer.version(offsets.version, message.version)
  if (message.domainName !== '') {
    writer.field(offsets.domainName, encodeText(message.domainName, oem))
  }
  if (message.workstation !== '') {
    writer.field(offsets.workstation, encodeText(message.workstation, oem))
  }
  return writer.finish()
}

/**
 * Decodes a NEGOTIATE_MESSAGE.
 *
 * @param bytes the whole message; 16 bytes when the flags promise no more
 * @throws {ProtocolError} `ERR_NTLM_TRUNCATED` when a field points past the end or is promised and absent,
 *   `ERR_NTLM_TYPE`, `ERR_NTLM_TOO_LONG`
 */
export function decodeNegotiateMessage(bytes: Uint8Array): NegotiateMessage {
  const reader = new MessageReader('NEGOTIATE', bytes)
  const flags = reader.uint32(offsets.flags)
  const domain = hasFlag(flags, 'oemDomainSupplied')
    ? reader.field(offsets.domainName)
    : new Uint8Array()
  const workstation = hasFlag(flags, 'oemWorkstationSupplied')
    ? reader.field(offsets.workstation)
    : new Uint8Array()
  return {
    flags,
    domainName: decodeText(domain, oem),
    workstation: decodeText(workstation, oem),
    // Clients of 32 bytes exist that set the flag nevertheless.
    ...(hasFlag(flags, 'version') && reader.length >= offsets.payload
      ? { version: reader.version(offsets.version) }
      : {}),
  }
}
