/** TLS: on a socket of its own, or inside one that somebody else has opened. */

import { isIP, type Socket } from 'node:net'
import {
  connect,
  TLSSocket,
  type ConnectionOptions,
  type PeerCertificate,
  type SecureContext,
} from 'node:tls'
import { tlsServerEndPoint } from '../../auth/spnego/end-point.ts'
import { Handshake, type HandshakeTerms } from '../certificate/handshake.ts'
import { nodeHashes } from '../node-hashes.ts'
import { asciiName } from './addresses.ts'
import type { Place } from './dial.ts'
import { happens, type Journey } from './journey.ts'
import { checkAccepted } from './accepted.ts'
import { checkPinned } from './pinned.ts'
import { proveUnrevoked } from './unrevoked.ts'
import { watchTls, type TlsWitness } from './tls-witness.ts'

/** What makes a connection one of TLS. */
export interface ConnectionTls {
  readonly context: SecureContext
  /** Of an earlier connection to the same peer (RFC 8446 §2.2). */
  readonly session: Buffer | undefined
  /** Hears of sessions for the next connection. */
  readonly keepSession: (session: Buffer) => void
  /** What is checked besides, and watched for. */
  readonly terms?: HandshakeTerms | undefined
  /** Hears what the other side has shown. */
  readonly witness?: TlsWitness | undefined
}

/**
 * Begins TLS.
 *
 * @param host whom the certificate has to be for
 * @param options the socket to speak it in, or where to open one
 * @returns at once: what it says before `secureConnect` is from somebody who has not proved itself
 */
export function beginTls(
  host: string,
  { context, session, keepSession, terms, witness }: ConnectionTls,
  options: ConnectionOptions,
): TLSSocket {
  const handshake = terms === undefined ? undefined : new Handshake(terms)
  const socket = connect({
    ...handshake?.options,
    // Who watches judges, too.
    ...(witness === undefined ? {} : { rejectUnauthorized: false }),
    // Not only where to go: a certificate is for this address when there is no name.
    host,
    ...options,
    // RFC 6066 §3: an address is not a server name, and a name has no dot at its end.
    ...(isIP(host) === 0 ? { servername: asciiName(host).replace(/\.$/, '') } : {}),
    secureContext: context,
    ALPNProtocols: ['http/1.1'],
    ...(session === undefined ? {} : { session }),
  })
  handshake?.watch(socket, host)
  if (witness !== undefined) watchTls(socket, host, witness, (terms?.securityFlags ?? 0) === 0)
  const known = session === undefined ? undefined : sessionCertificates.get(session)
  if (known !== undefined) inherited.set(socket, known)
  socket.on('session', (session: Buffer) => {
    const certificate = certificateOf(socket)
    if (certificate !== undefined) sessionCertificates.set(session, certificate)
    keepSession(session)
  })
  return socket
}

/** The certificates with which sessions began: on a connection that resumes one, the server shows none. */
const sessionCertificates = new WeakMap<Buffer, Uint8Array>()

/** What each socket has for a certificate if it resumes the session it was given. */
const inherited = new WeakMap<TLSSocket, Uint8Array>()

/** What each socket was shown: making it out takes a while. */
const shown = new WeakMap<TLSSocket, Uint8Array>()

/** The certificate of the peer in DER, as it was received. */
function certificateOf(socket: TLSSocket): Uint8Array | undefined {
  if (socket.isSessionReused()) return inherited.get(socket)
  const known = shown.get(socket)
  if (known !== undefined) return known
  // Not getPeerX509Certificate(), which takes the certificate out of the connection: the next call has none.
  const certificate = socket.getPeerCertificate() as Partial<PeerCertificate> | null
  if (certificate?.raw !== undefined) shown.set(socket, certificate.raw)
  return certificate?.raw
}

/**
 * Speaks TLS inside a socket that leads to the peer already.
 *
 * @throws the error of the handshake or of the certificate, or the reason of a journey broken off
 */
export async function secureInside(
  outer: Socket,
  place: Place,
  tls: ConnectionTls,
  journey: Journey,
): Promise<TLSSocket> {
  const socket = journey.own(beginTls(place.host, tls, { socket: outer }))
  await secured(socket, place, tls, journey)
  return socket
}

/**
 * Waits until the peer has proved itself in every way that is asked for.
 *
 * @throws as {@link secureInside}, `proveUnrevoked` and `checkAccepted`
 */
export async function secured(
  socket: TLSSocket,
  place: Place,
  { terms }: ConnectionTls,
  journey: Journey,
): Promise<void> {
  const { host } = place
  await happens(socket, 'secureConnect')
  if (terms === undefined) return
  if (terms.pinnedKeys !== undefined) checkPinned(certificateOf(socket), host, terms.pinnedKeys)
  await proveUnrevoked(socket, host, terms, journey)
  // Last, and before anything is sent (A84).
  if (terms.accepted !== undefined) checkAccepted(socket, place, terms.accepted)
}

/**
 * What proofs on a connection are bound to: `tls-server-end-point` of the certificate that the peer has shown, also
 * when its session was resumed.
 *
 * @returns `undefined` in clear text and for certificates without a defined hash (A400, A403)
 */
export function channelBindingOf(socket: Socket): Uint8Array | undefined {
  if (!(socket instanceof TLSSocket)) return undefined
  const certificate = certificateOf(socket)
  return certificate === undefined ? undefined : tlsServerEndPoint(certificate, nodeHashes)
}
