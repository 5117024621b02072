/** How a command fails: an exit status and a last line. */

import { formatFailure, type ErrorContext } from '../job/failure.ts'
import { hresults, type HresultSymbol } from '../job/hresult.ts'
import type { RefusedError } from '../rpc/client.ts'
import type { FailureView } from '../rpc/contract.ts'
import { harmless } from './columns.ts'

/** What the shell is told. */
export const exitStatus = {
  ok: 0,
  jobError: 1,
  usage: 2,
  unreachable: 3,
  interrupted: 130,
} as const

/** A command that failed; `message` is the sentence of the last line. */
export class CliError extends Error {
  readonly status: number
  readonly symbol: string
  readonly hresult: number
  readonly context: ErrorContext

  constructor(
    status: number,
    failure: { readonly symbol: string; readonly hresult: number; readonly context: ErrorContext },
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
    this.name = 'CliError'
    this.status = status
    this.symbol = failure.symbol
    this.hresult = failure.hresult
    this.context = failure.context
  }

  /** `lull: SENTENCE (SYMBOL 0xHEX, CONTEXT)`. */
  get lastLine(): string {
    const { symbol, hresult, context, message } = this
    const sentence = harmless(message.replaceAll(/\s+/gu, ' '))
    return `lull: ${formatFailure({ sentence, symbol, hresult, context })}`
  }
}

/** Wrong usage: exit status 2. */
export function usageError(sentence: string): CliError {
  return withSymbol(exitStatus.usage, 'E_INVALIDARG', 'NONE', sentence)
}

/** An error with a code of the table. */
export function withSymbol(
  status: number,
  symbol: HresultSymbol,
  context: ErrorContext,
  sentence: string,
  options?: ErrorOptions,
): CliError {
  return new CliError(status, { symbol, hresult: hresults[symbol], context }, sentence, options)
}

/** A job that failed: exit status 1. */
export function jobFailed({
  symbol,
  hresult,
  context,
  message,
  remoteName,
}: FailureView): CliError {
  const about = remoteName === null || message.includes(remoteName) ? '' : `: ${remoteName}`
  return new CliError(
    exitStatus.jobError,
    { symbol, hresult: Number(hresult), context },
    `${message}${about}`,
  )
}

/** Refusals that say: these words could never be right. */
const misuse: ReadonlySet<string> = new Set<HresultSymbol>(['E_INVALIDARG', 'BG_E_STRING_TOO_LONG'])

/** A refusal of the service: exit status 2 where the words were wrong, else 1. */
export function refused({ code, hresult, context, message }: RefusedError): CliError {
  const status = misuse.has(code) ? exitStatus.usage : exitStatus.jobError
  return new CliError(status, { symbol: code, hresult: Number(hresult), context }, message)
}
