/** The last check of a server's certificate, between the handshake and the first request: whether it was revoked. */

import { RevocationError } from '../certificate/revocation.ts'
import { chainOf, type HandshakeTerms } from '../certificate/handshake.ts'
import { revocationFailure } from '../tls-failure.ts'
import { FailureError } from '../../job/failure.ts'
import type { TLSSocket } from 'node:tls'
import type { Journey } from './journey.ts'

/**
 * Waits until it is known that no certificate of a connection was revoked, where its terms say so.
 *
 * @param socket has just been secured
 * @throws {FailureError} `ERROR_WINHTTP_SECURE_CERT_REVOKED`, `ERROR_WINHTTP_SECURE_CERT_REV_FAILED` when nobody can
 *   say; the reason of a journey broken off
 */
export async function proveUnrevoked(
  socket: TLSSocket,
  host: string,
  { checkRevocation }: Pick<HandshakeTerms, 'checkRevocation'>,
  journey: Journey,
): Promise<void> {
  if (checkRevocation === undefined) return
  const { signal } = journey
  const aborted = Promise.withResolvers<never>()
  const abort = (): void => aborted.reject(signal.reason)
  signal.addEventListener('abort', abort)
  // The lists have limits of their own.
  journey.isLimited = true
  try {
    await Promise.race([checkRevocation(chainOf(socket)), aborted.promise])
  } catch (error) {
    if (!(error instanceof RevocationError)) throw error
    throw new FailureError(revocationFailure(error, host), { cause: error })
  } finally {
    journey.isLimited = false
    journey.progressed()
    signal.removeEventListener('abort', abort)
  }
}
