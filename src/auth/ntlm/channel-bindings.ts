/** Channel bindings as mechanisms carry them: one hash of everything (RFC 2744 §3.11, RFC 4121 §4.1.1.2, A401). */

import type { Hashes } from '../crypto.ts'
import { encodeUint32, joinBytes } from './bytes.ts'

/** One end of a channel, by type and address. */
export interface ChannelAddress {
  /** A GSS_C_AF number; 0 is unspecified. */
  readonly type: number
  readonly address: Uint8Array
}

/** gss_channel_bindings_struct. */
export interface ChannelBindings {
  readonly initiator: ChannelAddress
  readonly acceptor: ChannelAddress
  readonly applicationData: Uint8Array
}

const unspecified: ChannelAddress = { type: 0, address: new Uint8Array() }

/** Lays the structure out as it is hashed: little-endian, each part after its length. */
export function encodeChannelBindings(bindings: ChannelBindings): Uint8Array {
  const { initiator, acceptor, applicationData } = bindings
  return joinBytes(
    encodeUint32(initiator.type),
    encodeUint32(initiator.address.length),
    initiator.address,
    encodeUint32(acceptor.type),
    encodeUint32(acceptor.address.length),
    acceptor.address,
    encodeUint32(applicationData.length),
    applicationData,
  )
}

/**
 * What goes into AV pair 10 of NTLM and into the checksum of a Kerberos authenticator.
 *
 * @param applicationData `tls-server-end-point:` and a hash (A400); `undefined` on a clear-text hop
 * @returns 16 bytes; zeros when there is no channel (A403)
 */
export function hashChannelBinding(
  applicationData: Uint8Array | undefined,
  hashes: Hashes,
): Uint8Array {
  if (applicationData === undefined) return new Uint8Array(16)
  const bindings = { initiator: unspecified, acceptor: unspecified, applicationData }
  return hashes.hash('md5', encodeChannelBindings(bindings))
}
