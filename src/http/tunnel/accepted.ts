/** Whether somebody has accepted the certificate of a server, where somebody judges (A84). */

import { createHash } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { failure, FailureError } from '../../job/failure.ts'
import { acceptedPair } from '../../job/server-validation.ts'
import { chainOf } from '../certificate/handshake.ts'
import type { Place } from './dial.ts'

/**
 * Says no to a server whose certificate nobody has accepted, and what it has shown.
 *
 * @param socket has just been secured, with a handshake of its own
 * @throws {FailureError} `BG_E_SERVER_CERT_VALIDATION_INTERFACE_REQUIRED`, fatal
 */
export function checkAccepted(
  socket: TLSSocket,
  { host, port }: Place,
  accepted: readonly string[],
): void {
  const chain = chainOf(socket)
  const server = `${host.includes(':') ? `[${host}]` : host.toLowerCase()}:${port}`
  const [own] = chain
  const hash = createHash('sha256')
    .update(own?.raw ?? '')
    .digest('hex')
  if (own !== undefined && accepted.includes(acceptedPair({ server, hash }))) return
  const certificates = chain.map(({ raw }) => raw.toString('base64'))
  throw new FailureError(
    failure(
      'BG_E_SERVER_CERT_VALIDATION_INTERFACE_REQUIRED',
      'SERVER_CERTIFICATE_CALLBACK',
      `Cannot go on with ${server}: the program that judges its certificate has not accepted it`,
      { shown: { server, certificates } },
    ),
  )
}
