/** Whether a server has one of the public keys that are pinned. */

import { createHash, X509Certificate } from 'node:crypto'
import { failure, FailureError } from '../../job/failure.ts'

/**
 * Says no to a server with another key, whoever has certified that.
 *
 * @param certificate DER; `undefined` when it has shown none
 * @param pins `sha256//BASE64`
 * @throws {FailureError} `ERROR_WINHTTP_SECURE_INVALID_CERT`, fatal
 */
export function checkPinned(
  certificate: Uint8Array | undefined,
  host: string,
  pins: readonly string[],
): void {
  const found = certificate === undefined ? undefined : pinOf(new X509Certificate(certificate))
  if (found !== undefined && pins.includes(found)) return
  throw new FailureError(
    failure(
      'ERROR_WINHTTP_SECURE_INVALID_CERT',
      'GENERAL_TRANSPORT',
      `Cannot trust ${host}: its public key is none of those that are pinned${found === undefined ? '' : `, but ${found}`}`,
    ),
  )
}

function pinOf({ publicKey }: X509Certificate): string {
  const der = publicKey.export({ type: 'spki', format: 'der' })
  return `sha256//${createHash('sha256').update(der).digest('base64')}`
}
