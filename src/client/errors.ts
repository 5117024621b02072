/** Errors as programs meet them: one class, with the HRESULT, its symbol, the context and a sentence. */

import { formatHresult } from '../job/hresult.ts'
import type { ErrorContext, Failure } from '../job/failure.ts'
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

  /** The same word that other libraries look for. */
  get code(): string {
    return this.symbol
  }
}

/** A refusal of the service as the SDK's error; every other error stays what it is. */
export function translate(error: unknown): unknown {
  if (!(error instanceof RefusedError)) return error
  const { code: symbol, hresult, context, message } = error
  const view = { hresult, symbol, context, message, file: null, remoteName: null, localName: null }
  return new BackgroundCopyError(view, { cause: error })
}

/** A failure of the engine as the SDK's error. */
export function fromFailure({ hresult, symbol, context, sentence }: Failure): BackgroundCopyError {
  return new BackgroundCopyError({
    hresult: formatHresult(hresult),
    symbol,
    context,
    message: sentence,
    file: null,
    remoteName: null,
    localName: null,
  })
}
