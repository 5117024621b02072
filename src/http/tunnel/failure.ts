/** What can go wrong with a proxy, as the job's failure. */

import {
  failure,
  FailureError,
  httpStatusFailure,
  type Failure,
  type FailureDetails,
} from '../../job/failure.ts'
import type { HresultSymbol } from '../../job/hresult.ts'
import { describeProxy, type Proxy } from '../../job/route.ts'
import { httpFailure, ProxyUnreachableError, type Attempt } from '../failure.ts'
import { isTlsCode } from '../tls-failure.ts'

/**
 * What becomes of an error of a socket to a proxy, of TLS to it, or of what it sends.
 *
 * @returns the failure; one that is a failure already as it is
 */
export function proxyError(error: unknown, proxy: Proxy): FailureError {
  if (error instanceof FailureError) return error
  return new FailureError(proxyFailure(error, proxy), { cause: error })
}

/** As {@link proxyError}, of a proxy to which there was no connection: the server has seen nothing (N75). */
export function unreachable(error: unknown, proxy: Proxy): FailureError {
  if (error instanceof FailureError) return error
  return new ProxyUnreachableError(proxyFailure(error, proxy), { cause: error })
}

/** As {@link proxyError}, but for an error that TLS has nothing to do with, which stays as it is. */
export function proxyTlsError(error: Error, proxy: Proxy): Error {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  return proxy.scheme === 'https' && isTlsCode(code) ? proxyError(error, proxy) : error
}

/** No answer to an attempt to connect, or to hear SOCKS (N98). */
export function proxySilent(proxy: Proxy, limitMs: number): FailureError {
  return new ProxyUnreachableError(
    failure(
      'ERROR_WINHTTP_TIMEOUT',
      'GENERAL_TRANSPORT',
      `Cannot reach ${nameOf(proxy)}: no answer within ${limitMs / 1000} s`,
    ),
  )
}

/** No answer to what a proxy that speaks was asked for (N98). */
export function noAnswer(proxy: Proxy, limitMs: number): FailureError {
  return notThrough(proxy, 'ERROR_WINHTTP_TIMEOUT', `no answer within ${limitMs / 1000} s`)
}

/** The proxy is gone before it has answered. */
export function closedByProxy(proxy: Proxy): FailureError {
  const reason = 'it closed the connection without an answer'
  return notThrough(proxy, 'ERROR_WINHTTP_CONNECTION_ERROR', reason)
}

/** The proxy does not do what it was asked to. */
export function notThrough(
  proxy: Proxy,
  symbol: HresultSymbol,
  reason: string,
  details: FailureDetails = {},
): FailureError {
  return new FailureError(
    failure(symbol, 'GENERAL_TRANSPORT', `Cannot go through ${nameOf(proxy)}: ${reason}`, details),
  )
}

/** The proxy wants a proof that it does not get: BG_E_HTTP_ERROR_407. @param reason sentence case, no secret */
export function proxyRefused(proxy: Proxy, reason: string): FailureError {
  return new FailureError(
    httpStatusFailure(407, `Cannot go through ${nameOf(proxy)}: ${lowerFirst(reason)}`),
  )
}

/** The proxy answers CONNECT with a status of its own, which is never the server's (N91). */
export function proxyStatus(
  proxy: Proxy,
  status: number,
  retryAfterMs: number | undefined,
): FailureError {
  return new FailureError(
    httpStatusFailure(status, `Cannot go through ${nameOf(proxy)}: it answers ${status}`, {
      retryAfterMs,
    }),
  )
}

/** What an {@link Attempt} at the proxy itself says of it. */
export function attemptAt(proxy: Proxy): Attempt {
  return { url: describeProxy(proxy), host: `the proxy ${proxy.host}`, port: proxy.port }
}

function proxyFailure(error: unknown, proxy: Proxy): Failure {
  const told = httpFailure(error, attemptAt(proxy))
  if (told === undefined) {
    const reason = error instanceof Error ? error.message : String(error)
    return failure('ERROR_WINHTTP_CONNECTION_ERROR', 'GENERAL_TRANSPORT', `Cannot go on with ${nameOf(proxy)}: ${reason}`) // prettier-ignore
  }
  const symbol = proxySymbol(told.symbol)
  if (symbol === undefined) return told
  const { severity, waitsFor } = told
  return failure(symbol, told.context, told.sentence, { severity, waitsFor })
}

/** The code that means the same of a proxy, where there is one. */
function proxySymbol(symbol: string): HresultSymbol | undefined {
  if (symbol === 'ERROR_WINHTTP_NAME_NOT_RESOLVED') return 'BG_E_PROXY_NAME_RESOLUTION_FAILURE'
  if (symbol === 'ERROR_WINHTTP_CLIENT_AUTH_CERT_NEEDED') {
    return 'ERROR_WINHTTP_CLIENT_AUTH_CERT_NEEDED_PROXY'
  }
  return symbol.startsWith('ERROR_WINHTTP_SECURE_')
    ? 'ERROR_WINHTTP_SECURE_FAILURE_PROXY'
    : undefined
}

function nameOf(proxy: Proxy): string {
  return `the proxy ${describeProxy(proxy)}`
}

/** A sentence in the middle of another; names such as NTLM keep their letters. */
function lowerFirst(sentence: string): string {
  return /^[A-Z][a-z]/.test(sentence)
    ? sentence.slice(0, 1).toLowerCase() + sentence.slice(1)
    : sentence
}
