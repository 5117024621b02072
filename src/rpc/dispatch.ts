/** JSON-RPC 2.0, the service's side: text in, bytes out. Knows no transport. */

import { LullError } from '../base/error.ts'
import { JobError, type ErrorContext } from '../job/failure.ts'
import { formatHresult, hresults, type HresultSymbol } from '../job/hresult.ts'
import { rpcErrorCodes, type MethodName, type Methods, type RpcErrorData } from './contract.ts'
import { DecodeError } from './decode.ts'
import { encodeAll, EncodedJson } from './encoded-json.ts'
import { isMethod, paramDecoders } from './params.ts'

/** What each method does; a long result may be bytes already. */
export type Handlers<Caller> = {
  readonly [Name in MethodName]: (
    params: Methods[Name]['params'],
    caller: Caller,
  ) => Methods[Name]['result'] | EncodedJson | Promise<Methods[Name]['result']>
}

/** What the dispatcher works with. */
export interface Dispatch<Caller> {
  readonly handlers: Handlers<Caller>
  /** Runs the synchronous part of several calls as one commit. */
  readonly batch: <T>(work: () => T) => T
  /** Hears of errors that are nobody's to act on: defects. */
  readonly broken: (error: unknown) => void
}

/** Most calls in one batch. */
export const BATCH_LIMIT = 10_000

type Id = string | number | null

interface ErrorBody {
  readonly code: number
  readonly message: string
  readonly data?: RpcErrorData
}

type Response =
  | { readonly jsonrpc: '2.0'; readonly id: Id; readonly result: unknown }
  | { readonly jsonrpc: '2.0'; readonly id: Id; readonly error: ErrorBody }

/**
 * Answers one message: a call or a batch of calls.
 *
 * The calls of a batch are made in order and committed together; each has its own answer, and one that fails undoes
 * only itself.
 *
 * @returns the response's bytes; `undefined` when only notifications were sent (JSON-RPC 2.0 §4.1)
 * @see JSON-RPC 2.0 §4 to §6
 */
export async function answer<Caller>(
  message: string,
  caller: Caller,
  dispatch: Dispatch<Caller>,
): Promise<readonly Uint8Array[] | undefined> {
  let parsed: unknown
  try {
    parsed = JSON.parse(message)
  } catch {
    const response = refusal(null, 'parseError', 'Cannot read the message: it is not JSON')
    return encodeAll(partsOf(response))
  }
  if (!Array.isArray(parsed)) {
    const response = await call(parsed, caller, dispatch)
    return response === undefined ? undefined : encodeAll(partsOf(response))
  }
  if (parsed.length === 0 || parsed.length > BATCH_LIMIT) {
    const sentence = `Cannot answer a batch of ${parsed.length} calls: it takes 1 to ${BATCH_LIMIT}`
    return encodeAll(partsOf(refusal(null, 'invalidRequest', sentence)))
  }
  const calls: readonly unknown[] = parsed
  const pending = dispatch.batch(() => calls.map((each) => call(each, caller, dispatch)))
  const responses = (await Promise.all(pending)).filter((response) => response !== undefined)
  if (responses.length === 0) return undefined
  const parts = responses.flatMap((response) => [',', ...partsOf(response)])
  return encodeAll(['[', ...parts.slice(1), ']'])
}

/** What a response is written of. */
function partsOf(response: Response): readonly (string | Uint8Array)[] {
  if (!('result' in response && response.result instanceof EncodedJson)) {
    return [JSON.stringify(response)]
  }
  const { id, result } = response
  return [`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":`, ...result.pieces, '}']
}

/** Makes one call; everything up to the handler's first wait happens before this returns. */
async function call<Caller>(
  request: unknown,
  caller: Caller,
  dispatch: Dispatch<Caller>,
): Promise<Response | undefined> {
  const { id, method, params, isNotification } = readRequest(request)
  if (method === undefined) {
    return refusal(id, 'invalidRequest', 'Cannot answer: this is not a JSON-RPC 2.0 request')
  }
  if (!isMethod(method)) {
    const response = refusal(id, 'methodNotFound', `Cannot call ${method}: there is no such method`)
    return isNotification ? undefined : response
  }
  try {
    const result = await invoke(method, params, caller, dispatch)
    return isNotification ? undefined : { jsonrpc: '2.0', id, result }
  } catch (error) {
    if (!(error instanceof LullError)) dispatch.broken(error)
    return isNotification ? undefined : { jsonrpc: '2.0', id, error: errorBody(error) }
  }
}

function invoke<Caller, Name extends MethodName>(
  method: Name,
  params: unknown,
  caller: Caller,
  { handlers }: Dispatch<Caller>,
): Methods[Name]['result'] | EncodedJson | Promise<Methods[Name]['result']> {
  return handlers[method](paramDecoders[method](params ?? {}, 'params'), caller)
}

interface Request {
  readonly id: Id
  readonly method: string | undefined
  readonly params: unknown
  readonly isNotification: boolean
}

function readRequest(request: unknown): Request {
  if (typeof request !== 'object' || request === null) {
    return { id: null, method: undefined, params: undefined, isNotification: false }
  }
  const fields = new Map<string, unknown>(Object.entries(request))
  const id = fields.get('id')
  const method = fields.get('method')
  const params = fields.get('params')
  const isValid =
    fields.get('jsonrpc') === '2.0' &&
    typeof method === 'string' &&
    (isId(id) || id === undefined) &&
    (params === undefined || (typeof params === 'object' && params !== null))
  return {
    id: isId(id) ? id : null,
    method: isValid ? method : undefined,
    params,
    isNotification: isValid && id === undefined,
  }
}

/** An id is given back as it came, so it must be one that can be: a number that was rounded is another one (§5). */
function isId(id: unknown): id is Id {
  if (typeof id !== 'number') return typeof id === 'string' || id === null
  return Number.isFinite(id) && (Number.isSafeInteger(id) || !Number.isInteger(id))
}

/** The answer to a message that is not text. */
export function notTextResponse(): readonly Uint8Array[] {
  return encodeAll(partsOf(refusal(null, 'parseError', 'Cannot read the message: it is not UTF-8')))
}

/** The text of a response that says nothing but why there is none. */
export function errorResponse(error: LullError): string {
  return JSON.stringify({ jsonrpc: '2.0', id: null, error: errorBody(error) })
}

function refusal(id: Id, code: keyof typeof rpcErrorCodes, message: string): Response {
  return { jsonrpc: '2.0', id, error: { code: rpcErrorCodes[code], message } }
}

function errorBody(error: unknown): ErrorBody {
  if (error instanceof DecodeError) {
    return { code: rpcErrorCodes.invalidParams, message: error.message, data: invalidArgument }
  }
  if (error instanceof JobError) {
    const data = {
      hresult: formatHresult(error.hresult),
      symbol: error.code,
      context: error.context,
    }
    return { code: rpcErrorCodes.refused, message: error.message, data }
  }
  if (error instanceof LullError) {
    const symbol = conditions.get(error.code)
    const data =
      symbol === undefined
        ? { ...unexpected, symbol: error.code }
        : { hresult: formatHresult(hresults[symbol]), symbol, context: queueManager }
    return { code: rpcErrorCodes.refused, message: error.message, data }
  }
  return {
    code: rpcErrorCodes.internalError,
    message: 'The service made a mistake; its log says more',
    data: unexpected,
  }
}

/** Conditions of the queue for which BITS has words of its own. */
const conditions: ReadonlyMap<string, HresultSymbol> = new Map([
  ['ERR_STORE_FULL', 'ERROR_DISK_FULL'],
  ['ERR_STORE_DAMAGED', 'BG_E_DATABASE_CORRUPT'],
])

const queueManager: ErrorContext = 'GENERAL_QUEUE_MANAGER'
const invalidArgument: RpcErrorData = {
  hresult: '0x80070057',
  symbol: 'E_INVALIDARG',
  context: queueManager,
}
const unexpected: RpcErrorData = {
  hresult: '0x8000FFFF',
  symbol: 'E_UNEXPECTED',
  context: queueManager,
}
