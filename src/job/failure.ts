/** What went wrong with a job: the pair (context, HRESULT) of BITS, whether to try again, and a sentence. */

import { LullError } from '../base/error.ts'
import {
  formatHresult,
  hresults,
  httpStatusHresult,
  httpStatusSymbol,
  type HresultSymbol,
} from './hresult.ts'
import type { ShownServer } from './server-validation.ts'

/** Where it went wrong (BG_ERROR_CONTEXT, bits-errors.md §2), by the number the enumeration gives it. */
export const errorContexts = [
  'NONE',
  'UNKNOWN',
  'GENERAL_QUEUE_MANAGER',
  'QUEUE_MANAGER_NOTIFICATION',
  'LOCAL_FILE',
  'REMOTE_FILE',
  'GENERAL_TRANSPORT',
  'REMOTE_APPLICATION',
  'SERVER_CERTIFICATE_CALLBACK',
] as const

/** One of {@link errorContexts}. */
export type ErrorContext = (typeof errorContexts)[number]

/**
 * What a job that cannot go on waits for.
 *
 * - `retry`: the retry delay.
 * - `network`: a network. Not a matter of time: neither retried by timer nor counted (bits-jobs.md §20.1, §20.4), unless
 *   the failure itself says after how long it is to be tried again.
 * - `cost`: a network whose use costs what the job allows; as with `network`.
 * - `space`: room on the volume of the target. Looked at again every few seconds and not counted either.
 * - `tickets`: fresh tickets of who is logged on. Not counted either, because nobody is asked before there are some.
 */
export const waits = ['retry', 'network', 'cost', 'space', 'tickets'] as const

/** One of {@link waits}. */
export type WaitsFor = (typeof waits)[number]

/** One failure of a job: plain data, stored with the job and sent to clients as it stands. */
export interface Failure {
  /** The HRESULT, unsigned 32 bits. */
  readonly hresult: number
  /** Its symbol: `BG_E_HTTP_ERROR_404`. */
  readonly symbol: string
  readonly context: ErrorContext
  /** Whether the service may try again by itself. */
  readonly severity: 'transient' | 'fatal'
  /** What a transient failure waits for. */
  readonly waitsFor: WaitsFor
  /** For people: sentence case, no full stop, no secret. */
  readonly sentence: string
  /** The place of the file concerned in its job, from 0. */
  readonly file?: number
  /** What the server asked for with Retry-After, or when it is worth another look; in milliseconds from then on. */
  readonly retryAfterMs?: number
  /** The server whose certificate somebody has to judge. */
  readonly shown?: ShownServer
}

/** What a failure says besides its code. */
export interface FailureDetails {
  readonly severity?: 'transient' | 'fatal'
  readonly waitsFor?: WaitsFor
  readonly file?: number | undefined
  readonly retryAfterMs?: number | undefined
  readonly shown?: ShownServer | undefined
}

/** Makes a failure from a code in the table; fatal unless the details or the table of transient codes say otherwise. */
export function failure(
  symbol: HresultSymbol,
  context: ErrorContext,
  sentence: string,
  details: FailureDetails = {},
): Failure {
  return {
    hresult: hresults[symbol],
    symbol,
    context,
    severity: details.severity ?? (transientSymbols.has(symbol) ? 'transient' : 'fatal'),
    waitsFor: details.waitsFor ?? 'retry',
    sentence,
    ...(details.file === undefined ? {} : { file: details.file }),
    ...(details.retryAfterMs === undefined ? {} : { retryAfterMs: details.retryAfterMs }),
    ...(details.shown === undefined ? {} : { shown: details.shown }),
  }
}

/** Whether something went wrong where something else was expected. */
export function isFailure(outcome: object): outcome is Failure {
  return 'hresult' in outcome && 'waitsFor' in outcome
}

/** Makes the failure of an HTTP status that was not wanted, in the context REMOTE_FILE. */
export function httpStatusFailure(
  status: number,
  sentence: string,
  details: FailureDetails = {},
): Failure {
  return {
    hresult: httpStatusHresult(status),
    symbol: httpStatusSymbol(status),
    context: 'REMOTE_FILE',
    severity: details.severity ?? (isTransientStatus(status) ? 'transient' : 'fatal'),
    waitsFor: 'retry',
    sentence,
    ...(details.file === undefined ? {} : { file: details.file }),
    ...(details.retryAfterMs === undefined ? {} : { retryAfterMs: details.retryAfterMs }),
  }
}

/** The 3xx that BITS calls fatal; the others of their class are transient (bits-errors.md §4). */
const fatalRedirects = new Set([300, 301, 302, 303, 304, 305, 307])

/**
 * The 4xx that may be tried again. BITS knows 408 and 409; 425 (RFC 8470 §5.2) and 429 (RFC 6585 §4) are younger than
 * its rule and say "later" in so many words.
 */
const transientRequests = new Set([408, 409, 425, 429])

/** The 5xx that will be the same tomorrow (bits-errors.md §4). */
const fatalServerErrors = new Set([501, 505])

/** Whether an HTTP status that was not wanted is worth another try (bits-errors.md §4, bits-jobs.md §20.5). */
export function isTransientStatus(status: number): boolean {
  if (status >= 300 && status < 400) return !fatalRedirects.has(status)
  if (status >= 400 && status < 500) return transientRequests.has(status)
  if (status >= 500 && status < 600) return !fatalServerErrors.has(status)
  return true
}

/** The codes that are transient unless the place that raises them knows better (bits-errors.md §3, §5). */
const transientSymbols: ReadonlySet<HresultSymbol> = new Set([
  'BG_E_DESTINATION_LOCKED',
  'BG_E_NETWORK_DISCONNECTED',
  'BG_E_SESSION_NOT_FOUND',
  'BG_E_NO_PROGRESS',
  'BG_E_CONNECT_FAILURE',
  'BG_E_CONNECTION_CLOSED',
  'BG_E_PROXY_NAME_RESOLUTION_FAILURE',
  'BG_E_BLOCKED_BY_POLICY',
  'BG_E_BLOCKED_BY_COST_TRANSFER_POLICY',
  'BG_E_STANDBY_MODE',
  'BG_E_BLOCKED_BY_BATTERY_POLICY',
  'BG_E_BLOCKED_BY_BATTERY_SAVER',
  'BG_E_BLOCKED_BY_BACKGROUND_ACCESS_POLICY',
  'BG_E_BLOCKED_BY_GAME_MODE',
  'BG_E_BLOCKED_BY_SYSTEM_POLICY',
  'ERROR_WINHTTP_TIMEOUT',
  'ERROR_WINHTTP_NAME_NOT_RESOLVED',
  'ERROR_WINHTTP_CANNOT_CONNECT',
  'ERROR_WINHTTP_CONNECTION_ERROR',
  'ERROR_SHARING_VIOLATION',
  'ERROR_LOCK_VIOLATION',
  'ERROR_DISK_FULL',
  'ERROR_DISK_QUOTA_EXCEEDED',
])

/**
 * The brackets at the end of a failure's last line: `(BG_E_HTTP_ERROR_404 0x80190194, REMOTE_FILE)`.
 */
export function formatFailure({ sentence, symbol, hresult, context }: FailureText): string {
  return `${sentence} (${symbol} ${formatHresult(hresult)}, ${context})`
}

type FailureText = Pick<Failure, 'sentence' | 'symbol' | 'hresult' | 'context'>

/** A call that was refused, with the HRESULT that BITS gives for it. Its `code` is the symbol. */
export class JobError extends LullError {
  readonly hresult: number
  readonly context: ErrorContext

  constructor(
    symbol: HresultSymbol,
    message: string,
    options: { readonly context?: ErrorContext; readonly cause?: unknown } = {},
  ) {
    super(symbol, message, options)
    this.hresult = hresults[symbol]
    this.context = options.context ?? 'GENERAL_QUEUE_MANAGER'
  }
}

/** Carries a failure up to whoever turns it into a report. */
export class FailureError extends LullError {
  readonly failure: Failure

  constructor(reason: Failure, options?: { readonly cause?: unknown }) {
    super(reason.symbol, reason.sentence, options)
    this.failure = reason
  }
}
