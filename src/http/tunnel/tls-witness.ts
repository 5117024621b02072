/** Tells what the other side of a TLS connection has shown, also where it is not trusted. */

import type { DetailedPeerCertificate, TLSSocket } from 'node:tls'
import type { Secured, ShownCertificate } from '../../job/finding.ts'

/** Hears of every TLS connection. Must not throw. */
export type TlsWitness = (secured: Secured) => void

/**
 * Watches a connection that was begun with `rejectUnauthorized: false`, and breaks it off where the other side is not
 * trusted, before anybody else hears that it was made: by then Node would have taken the certificate away.
 *
 * @param isJudge whether it does; not where others judge by rules of their own
 */
export function watchTls(
  socket: TLSSocket,
  host: string,
  witness: TlsWitness,
  isJudge: boolean,
): void {
  socket.prependListener('secureConnect', () => {
    const shown = socket.getPeerCertificate(true) as Partial<DetailedPeerCertificate>
    const flaw = flawOf(socket)
    witness({
      target: 'server',
      host,
      protocol: socket.getProtocol() ?? 'TLS',
      wantsCertificate: isAsking(socket),
      ...(shown.subject === undefined ? {} : { certificate: describe(shown) }),
      ...(flaw === undefined ? {} : { flaw }),
    })
    if (isJudge && flaw !== undefined)
      socket.destroy(Object.assign(new Error(flaw), { code: flaw }))
  })
}

/** There are shared signatures exactly when there was a question (see certificate/handshake.ts). */
function isAsking(socket: TLSSocket): boolean {
  const shared = socket.getSharedSigalgs() as readonly string[] | null | undefined
  return shared !== undefined && shared !== null && shared.length > 0
}

/** Node's types take the name of the error for the error. */
function flawOf({ authorized, authorizationError }: TLSSocket): string | undefined {
  const flaw = authorizationError as Error | string | null | undefined
  if (authorized) return undefined
  return typeof flaw === 'string' ? flaw : 'UNSPECIFIED'
}

function describe({
  subject,
  issuer,
  subjectaltname = '',
  valid_from = '',
  valid_to = '',
  fingerprint256 = '',
}: Partial<DetailedPeerCertificate>): ShownCertificate {
  return {
    subject: nameOf(subject),
    issuer: nameOf(issuer),
    names: subjectaltname,
    validFrom: instantOf(valid_from),
    validTo: instantOf(valid_to),
    fingerprint: fingerprint256,
  }
}

/** Names of several values have a list of them. */
function nameOf(name: object | undefined): string {
  return Object.entries(name ?? {})
    .flatMap(([key, value]: [string, unknown]) =>
      [value].flat().map((each) => `${key}=${String(each)}`),
    )
    .join(', ')
}

function instantOf(text: string): string {
  const instant = new Date(text)
  return Number.isNaN(instant.getTime()) ? text : instant.toISOString()
}
