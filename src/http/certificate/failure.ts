/** What can be wrong with a client certificate on this machine, as the job's failure. */

import { failure, FailureError } from '../../job/failure.ts'
import type { HresultSymbol } from '../../job/hresult.ts'

/** Makes the error of one file. @param why what comes after the colon: no capital, no full stop, no secret */
export type Refuse = (symbol: HresultSymbol, why: string, cause?: unknown) => FailureError

/** What says no to a client certificate by the name of its file. */
export function refusalOf(path: string): Refuse {
  return (symbol, why, cause) =>
    new FailureError(
      failure(symbol, 'LOCAL_FILE', `Cannot use the client certificate ${path}: ${why}`),
      { cause },
    )
}

/** The code that OpenSSL or the system gave an error; empty when there is none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : ''
}
