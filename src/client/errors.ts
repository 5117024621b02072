/** Errors as programs meet them: one class, with the HRESULT, its symbol, the context and a sentence. */

import { LullError } from '../base/error.ts'
import { formatHresult, hresults, type HresultSymbol } from '../job/hresult.ts'
import type { ErrorContext } from '../job/failure.ts'
import type { FailureView } from '../rpc/contract.ts'
import { RefusedError } from '../rpc/client.ts'

/** What a call or a job failed with. */
export class BackgroundCopyError extends Error {
  /** Unsigned 32 bits: 0x80190194. */
  readonly hresult: number
  /** `BG_E_HTTP_ERROR_404`; the stable part. */
  readonly symbol: string
  readonly context: ErrorContext
  /** The file concerned, where there is one. */
  readonly remoteName: string | undefined
  readonly localName: string | undefined

  constructor(view: FailureView, options?: ErrorOptions) {
    super(view.message, options)
    this.name = 'BackgroundCopyError'
    this.hresult = Number(view.hresult)
    this.symbol = view.symbol
    this.context = view.context
    this.remoteName = view.remoteName ?? undefined
    this.localName = view.localName ?? undefined
  }

  /**
   * The same word that other libraries look for: the symbol, or more precisely why the service could not be reached
   * (`ERR_SERVICE_LOCKED`, `ERR_STORE_NEWER`).
   */
  get code(): string {
    return this.cause instanceof LullError ? this.cause.code : this.symbol
  }
}

/**
 * A refusal of the service as the SDK's error, and so is every reason why it could not be asked
 * (`RPC_S_SERVER_UNAVAILABLE`); a defect, or an abort, stays what it is.
 */
export function translate(error: unknown): unknown {
  if (!(error instanceof LullError)) return error
  const { message } = error
  if (error instanceof RefusedError) {
    const { code: symbol, hresult, context } = error
    return new BackgroundCopyError(
      { hresult, symbol, context, message, ...noFile },
      { cause: error },
    )
  }
  return unavailable(message, error)
}

/** The error of a service that cannot be asked. */
export function unavailable(message: string, cause?: LullError): BackgroundCopyError {
  return clientError('RPC_S_SERVER_UNAVAILABLE', 'GENERAL_QUEUE_MANAGER', message, cause)
}

/** An error that is found on this side, with a code of the table. */
export function clientError(
  symbol: HresultSymbol,
  context: ErrorContext,
  message: string,
  cause?: LullError,
): BackgroundCopyError {
  const hresult = formatHresult(hresults[symbol])
  return new BackgroundCopyError({ hresult, symbol, context, message, ...noFile }, { cause })
}

const noFile = { file: null, remoteName: null, localName: null }
