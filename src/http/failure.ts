/** Whatever can go wrong between us and a server, as the job's failure with a sentence for people. */

import { networkInterfaces } from 'node:os'
import { MisuseError, ProtocolError } from '../base/error.ts'
import { failure, FailureError, type Failure } from '../job/failure.ts'
import type { HresultSymbol } from '../job/hresult.ts'
import { describeTarget, parseTarget, type Target } from './target.ts'
import { isTlsCode, tlsFailure } from './tls-failure.ts'

/** What was attempted, as far as a sentence needs it. */
export type Attempt = Pick<Target, 'url' | 'host' | 'port'>

/** Whether this machine has any address but loopback's. */
export function hasNetwork(): boolean {
  return Object.values(networkInterfaces()).some((addresses) =>
    addresses?.some(({ internal }) => !internal),
  )
}

/**
 * The failure that an error of a socket, of TLS or of the codec is.
 *
 * @param attempt what was attempted, or its URL; without it the sentence names no place
 * @param isOnline whether this machine has a network: without one, a name that is not found is nobody's fault
 * @returns `undefined` for what does not come from here, such as an error of a file
 */
export function httpFailure(
  error: unknown,
  attempt?: Attempt | string,
  isOnline: () => boolean = hasNetwork,
): Failure | undefined {
  if (error instanceof FailureError) return error.failure
  const to = typeof attempt === 'string' ? attemptOf(attempt) : attempt
  if (error instanceof ProtocolError) return protocolFailure(error, to)
  if (error instanceof MisuseError) return misuseFailure(error)
  if (!(error instanceof Error)) return undefined
  const told = mostTelling(error)
  const code = codeOf(told)
  if (isTlsCode(code)) return tlsFailure(told, code, to?.host)
  const known = systemErrors.get(code)
  if (known === undefined || (known.call !== undefined && callOf(told) !== known.call)) {
    return undefined
  }
  if (known.isAboutNetwork && !isOnline()) return disconnected(to)
  return systemFailure(known, code, told, to)
}

/** The server closed a connection on which it had a request and no answer to it. */
export function closedEarly(attempt: Attempt): Failure {
  return connectionError(attempt, 'the server closed the connection without an answer')
}

/** No byte came for as long as the caller was patient. */
export function stalled(attempt: Attempt, timeoutMs: number, isConnected: boolean): Failure {
  const time = `${Number((timeoutMs / 1000).toFixed(1))} s`
  return failure(
    'ERROR_WINHTTP_TIMEOUT',
    'GENERAL_TRANSPORT',
    isConnected
      ? `Cannot go on with ${describeTarget(attempt)}: no byte came for ${time}`
      : `Cannot connect to ${attempt.host} port ${attempt.port}: no answer within ${time}`,
  )
}

/** The address that a connection was made from is not this machine's any more. */
export function networkGone(attempt: Attempt): Failure {
  return connectionError(attempt, 'the network it came over is gone')
}

/**
 * A body that ends with its connection came over TLS, which does not tell here whether that end was the server's: what
 * cannot be told from a file cut short is not taken (RFC 9112 §9.8).
 */
export function endlessBody(attempt: Attempt): Failure {
  return failure(
    'BG_E_MISSING_FILE_SIZE',
    'REMOTE_FILE',
    `Cannot know the end of ${describeTarget(attempt)}: the server does not say its length`,
  )
}

/** A proxy could not be reached at all: another way may lead to the server (N75). */
export class ProxyUnreachableError extends FailureError {}

/** Whether an error says that the proxy could not be reached, so that the server has seen nothing. */
export function isProxyUnreachable(error: unknown): error is ProxyUnreachableError {
  return error instanceof ProxyUnreachableError
}

/** A server, or a proxy that was asked for the file, had to prove itself and did not: nothing that it sent is to be used. */
export class DistrustError extends FailureError {}

/** What a {@link DistrustError} says. @param reason sentence case, no full stop, no secret */
export function distrusted(attempt: Attempt, reason: string): Failure {
  return failure(
    'ERROR_WINHTTP_LOGIN_FAILURE',
    'REMOTE_FILE',
    `Cannot trust the answer of ${describeTarget(attempt)}: ${reason}`,
    { severity: 'fatal' },
  )
}

/** What an error number of the system means. */
interface SystemError {
  readonly symbol: HresultSymbol
  readonly meaning: string
  /** The only call that this number is known from here; files have some of the same. */
  readonly call?: 'connect'
  /** Whether a machine without a network gives it too. */
  readonly isAboutNetwork?: boolean
}

const systemErrors: ReadonlyMap<string, SystemError> = new Map<string, SystemError>([
  ['ECONNREFUSED', { symbol: 'ERROR_WINHTTP_CANNOT_CONNECT', meaning: 'connection refused' }],
  ['EADDRNOTAVAIL', cannotConnect('there is no local address to connect from', true)],
  ['EAFNOSUPPORT', cannotConnect('this machine has no such addresses', true)],
  ['ENETUNREACH', cannotConnect('no way to its network', true)],
  ['EHOSTUNREACH', cannotConnect('no way to the host', true)],
  ['ENETDOWN', cannotConnect('the network is down', true)],
  ['EHOSTDOWN', cannotConnect('the host is down', true)],
  ['ETIMEDOUT', { symbol: 'ERROR_WINHTTP_TIMEOUT', meaning: 'no answer' }],
  ['EACCES', { ...cannotConnect('not allowed on this machine'), call: 'connect' }],
  ['EPERM', { ...cannotConnect('not allowed on this machine'), call: 'connect' }],
  ['EINVAL', { ...cannotConnect('not an address to connect to'), call: 'connect' }],
  ['EMFILE', { ...cannotConnect('too many open files'), call: 'connect' }],
  ['ENFILE', { ...cannotConnect('too many open files'), call: 'connect' }],
  ['ENOTFOUND', unresolved('the name does not resolve')],
  ['EAI_AGAIN', unresolved('the name server does not answer')],
  ['EAI_NODATA', unresolved('the name has no address')],
  ['EAI_NONAME', unresolved('the name does not resolve')],
  ['EAI_FAIL', unresolved('the name server failed')],
  ['ECONNRESET', broken('the connection was reset')],
  ['ECONNABORTED', broken('the connection was given up')],
  ['EPIPE', broken('the server no longer listens')],
  ['ENOTCONN', broken('the connection was reset')],
])

function cannotConnect(meaning: string, isAboutNetwork = false): SystemError {
  return { symbol: 'ERROR_WINHTTP_CANNOT_CONNECT', meaning, isAboutNetwork }
}

function unresolved(meaning: string): SystemError {
  return { symbol: 'ERROR_WINHTTP_NAME_NOT_RESOLVED', meaning, isAboutNetwork: true }
}

function broken(meaning: string): SystemError {
  return { symbol: 'ERROR_WINHTTP_CONNECTION_ERROR', meaning }
}

function systemFailure(
  { symbol, meaning }: SystemError,
  code: string,
  error: Error,
  to: Attempt | undefined,
): Failure {
  // BITS shows a name that does not resolve as a matter of the remote file (bits-errors.md §2).
  if (symbol === 'ERROR_WINHTTP_NAME_NOT_RESOLVED') {
    return failure(symbol, 'REMOTE_FILE', `Cannot find ${to?.host ?? 'the server'}: ${meaning}`)
  }
  if (symbol === 'ERROR_WINHTTP_CONNECTION_ERROR') return connectionError(to, meaning)
  if (code === 'ETIMEDOUT' && callOf(error) !== 'connect') {
    return failure(symbol, 'GENERAL_TRANSPORT', `Cannot go on with ${place(to)}: ${meaning}`)
  }
  const server = to === undefined ? 'the server' : `${to.host} port ${to.port}`
  return failure(symbol, 'GENERAL_TRANSPORT', `Cannot connect to ${server}: ${meaning}`)
}

function connectionError(to: Attempt | undefined, meaning: string): Failure {
  return failure(
    'ERROR_WINHTTP_CONNECTION_ERROR',
    'GENERAL_TRANSPORT',
    `Cannot go on with ${place(to)}: ${meaning}`,
  )
}

function disconnected(to: Attempt | undefined): Failure {
  return failure(
    'BG_E_NETWORK_DISCONNECTED',
    'GENERAL_TRANSPORT',
    `Cannot reach ${to?.host ?? 'the server'}: this machine has no network`,
    { waitsFor: 'network' },
  )
}

/** The codes of the codec that WinHTTP has a name of its own for; every other is an invalid response. */
const protocolSymbols: ReadonlyMap<string, HresultSymbol> = new Map<string, HresultSymbol>([
  ['ERR_WIRE_START_LINE_TOO_LONG', 'ERROR_WINHTTP_HEADER_SIZE_OVERFLOW'],
  ['ERR_WIRE_FIELD_TOO_LONG', 'ERROR_WINHTTP_HEADER_SIZE_OVERFLOW'],
  ['ERR_WIRE_HEAD_TOO_LONG', 'ERROR_WINHTTP_HEADER_SIZE_OVERFLOW'],
  ['ERR_WIRE_TRAILERS_TOO_LONG', 'ERROR_WINHTTP_HEADER_SIZE_OVERFLOW'],
  ['ERR_WIRE_TOO_MANY_FIELDS', 'ERROR_WINHTTP_HEADER_COUNT_EXCEEDED'],
  ['ERR_WIRE_CHUNK_SIZE_TOO_LONG', 'ERROR_WINHTTP_CHUNKED_ENCODING_HEADER_SIZE_OVERFLOW'],
  ['ERR_WIRE_CHUNK_EXTENSION_TOO_LONG', 'ERROR_WINHTTP_CHUNKED_ENCODING_HEADER_SIZE_OVERFLOW'],
  ['ERR_WIRE_SHORT_BODY', 'ERROR_WINHTTP_CONNECTION_ERROR'],
  ['ERR_WIRE_SHORT_HEAD', 'ERROR_WINHTTP_CONNECTION_ERROR'],
])

function protocolFailure(
  { code, message }: ProtocolError,
  to: Attempt | undefined,
): Failure | undefined {
  if (!code.startsWith('ERR_WIRE_')) return undefined
  const symbol = protocolSymbols.get(code) ?? 'BG_E_INVALID_SERVER_RESPONSE'
  return failure(symbol, 'REMOTE_FILE', `The answer of ${place(to)} is broken: ${message}`)
}

/** Only the caller's own headers can bring these up: everything else that is sent was made here. */
function misuseFailure({ code, message }: MisuseError): Failure | undefined {
  const isOurs = code === 'ERR_HTTP_HEADER' || code.startsWith('ERR_WIRE_FIELD')
  return isOurs ? failure('E_INVALIDARG', 'GENERAL_TRANSPORT', message) : undefined
}

/**
 * One of the errors of an attempt on several addresses: the one that was nearest to success. No way to a network is
 * what IPv6 gives on half of all machines, and hides what happened on the other address.
 */
function mostTelling(error: Error): Error {
  if (!(error instanceof AggregateError)) return error
  const errors = error.errors.filter((each): each is Error => each instanceof Error)
  return errors.find((each) => !unreached.has(codeOf(each))) ?? errors[0] ?? error
}

const unreached = new Set(['ENETUNREACH', 'EHOSTUNREACH', 'EADDRNOTAVAIL', 'EAFNOSUPPORT'])

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : ''
}

function callOf(error: Error): string {
  return 'syscall' in error && typeof error.syscall === 'string' ? error.syscall : ''
}

function place(to: Attempt | undefined): string {
  return to === undefined ? 'the server' : describeTarget(to)
}

function attemptOf(url: string): Attempt | undefined {
  try {
    return parseTarget(url)
  } catch {
    return undefined
  }
}
