/** What this room fails with. */

import { failure, FailureError } from '../job/failure.ts'

/** A proxy list or a bypass list does not parse, found when the job runs (N2). Fatal. */
export function invalidProxyInfo(sentence: string): FailureError {
  return new FailureError(failure('BG_E_INVALID_PROXY_INFO', 'GENERAL_TRANSPORT', sentence))
}

/** A script that has to decide did not (N5, `pac_mandatory`). May work later. */
export function scriptFailed(sentence: string, code: string, cause: unknown): FailureError {
  const symbol =
    code === 'ERR_PAC_UNREACHABLE'
      ? 'ERROR_WINHTTP_UNABLE_TO_DOWNLOAD_SCRIPT'
      : 'ERROR_WINHTTP_BAD_AUTO_PROXY_SCRIPT'
  return new FailureError(
    failure(symbol, 'GENERAL_TRANSPORT', sentence, { severity: 'transient' }),
    { cause },
  )
}
