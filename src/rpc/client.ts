/** JSON-RPC 2.0, the caller's side. Knows no transport. */

import { LullError } from '../base/error.ts'
import type { ErrorContext } from '../job/failure.ts'
import type { JobEventView, MethodName, Methods } from './contract.ts'
import { EventReader } from './server-sent-events.ts'

/** Carries messages to a service. */
export interface Transport {
  /** Posts a message and gives the response's text. @throws {LullError} `ERR_RPC_UNREACHABLE` */
  post(message: string): Promise<string>
  /** Opens the event stream of these jobs, or of all; ends when the service ends or the signal is aborted. */
  events(
    jobs: readonly string[] | undefined,
    options: { readonly signal: AbortSignal },
  ): AsyncIterable<string>
}

/** A call that the service refused. */
export class RefusedError extends LullError {
  /** `0x80200001`. */
  readonly hresult: string
  readonly context: ErrorContext

  constructor(symbol: string, message: string, hresult: string, context: ErrorContext) {
    super(symbol, message)
    this.hresult = hresult
    this.context = context
  }
}

/** One call of a batch. */
export type Call = {
  [Name in MethodName]: { readonly method: Name; readonly params: Methods[Name]['params'] }
}[MethodName]

/** Speaks the service's language over any transport. */
export class RpcClient {
  readonly #transport: Transport
  #id = 0

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** Makes one call. @throws {RefusedError} when the service refuses it */
  async call<Name extends MethodName>(
    method: Name,
    params: Methods[Name]['params'],
  ): Promise<Methods[Name]['result']> {
    const id = ++this.#id
    const response = await this.#transport.post(
      JSON.stringify({ jsonrpc: '2.0', id, method, params }),
    )
    // The service's own words, made by the same contract.
    return readResult(JSON.parse(response)) as Methods[Name]['result']
  }

  /**
   * Makes several calls of one method with one message and one commit.
   *
   * @returns results and refusals in the order of the calls
   */
  async batch<Name extends MethodName>(
    method: Name,
    params: readonly Methods[Name]['params'][],
  ): Promise<readonly (Methods[Name]['result'] | RefusedError)[]> {
    if (params.length === 0) return []
    const first = this.#id + 1
    const calls = params.map((each) => ({ jsonrpc: '2.0', id: ++this.#id, method, params: each }))
    const responses: unknown = JSON.parse(await this.#transport.post(JSON.stringify(calls)))
    if (!Array.isArray(responses)) throw unreadable(readError(responses))
    const byId = new Map<unknown, unknown>(
      responses.map((each: { id?: unknown }) => [each.id, each]),
    )
    return params.map((_, index) => {
      try {
        return readResult(byId.get(first + index)) as Methods[Name]['result']
      } catch (error) {
        if (error instanceof RefusedError) return error
        throw error
      }
    })
  }

  /** Follows jobs, or all of them: first each as it is, then every change, until aborted or the service ends. */
  async *watch(
    jobs: readonly string[] | undefined,
    options: { readonly signal: AbortSignal },
  ): AsyncGenerator<JobEventView, void> {
    const reader = new EventReader()
    for await (const piece of this.#transport.events(jobs, options)) {
      // The service's own words, made by the same contract.
      for (const { data } of reader.push(piece)) yield JSON.parse(data) as JobEventView
    }
  }
}

interface WireResponse {
  readonly result?: unknown
  readonly error?: {
    readonly message: string
    readonly data?: {
      readonly hresult: string
      readonly symbol: string
      readonly context: ErrorContext
    }
  }
}

function readResult(response: unknown): unknown {
  const { result, error } = asResponse(response)
  if (error !== undefined) throw unreadable(error)
  return result
}

function readError(response: unknown): WireResponse['error'] {
  return asResponse(response).error
}

function asResponse(response: unknown): WireResponse {
  if (typeof response !== 'object' || response === null) {
    throw new LullError(
      'ERR_RPC_RESPONSE',
      'Cannot read the answer of the service: this is another program',
    )
  }
  return response
}

/** The refusal in a response's text; `undefined` when there is none. */
export function refusalIn(text: string): RefusedError | undefined {
  try {
    const error = readError(JSON.parse(text))
    return error === undefined ? undefined : unreadable(error)
  } catch {
    return undefined
  }
}

function unreadable(error: WireResponse['error']): RefusedError {
  const message = error?.message ?? 'The service answered with something else than asked'
  const { symbol, hresult, context } = error?.data ?? {
    symbol: 'E_UNEXPECTED',
    hresult: '0x8000FFFF',
    context: 'GENERAL_QUEUE_MANAGER' as const,
  }
  return new RefusedError(symbol, message, hresult, context)
}
