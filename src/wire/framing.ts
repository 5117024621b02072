/** What the fields of a head say about the message's end and about the connection's (RFC 9112 §6, §9). */

import type { Fields } from './fields.ts'
import { isInformational, isSuccessful, noContent, notModified } from './status.ts'
import type { HttpVersion, RequestFraming, ResponseFraming } from './wire.ts'
import { DIGIT_0, trimBlanks } from './octet.ts'
import { wireError } from './wire-error.ts'

/**
 * How the end of a request body is known.
 *
 * Stricter than RFC 9112 §6.3 asks, so that no peer on the way can have read another message: both fields in one
 * request, any coding but one `chunked`, and codings in HTTP/1.0 are refused.
 *
 * @throws {ProtocolError} `ERR_WIRE_FRAMING_CONFLICT`, `ERR_WIRE_TRANSFER_ENCODING`, `ERR_WIRE_CONTENT_LENGTH`
 */
export function requestFraming(version: HttpVersion, fields: Fields): RequestFraming {
  return explicitFraming(version, fields) ?? { kind: 'none' }
}

/**
 * How the end of a response body is known; as strict as {@link requestFraming}.
 *
 * Where there is no body whatever the fields say (RFC 9112 §6.3, items 1 and 2), they are not looked at: the length in
 * an answer to HEAD is a fact about something else, and is to be had from {@link contentLength}.
 *
 * @param method of the request that is answered
 * @throws {ProtocolError} as {@link requestFraming}
 */
export function responseFraming(
  method: string,
  status: number,
  version: HttpVersion,
  fields: Fields,
): ResponseFraming {
  const isBodiless = isInformational(status) || status === noContent || status === notModified
  if (method === 'HEAD' || isBodiless || isTunnel(method, status)) return { kind: 'none' }
  return explicitFraming(version, fields) ?? { kind: 'close' }
}

/** Whether a response makes the connection a tunnel (RFC 9110 §9.3.6). */
export function isTunnel(method: string, status: number): boolean {
  return method === 'CONNECT' && isSuccessful(status)
}

function explicitFraming(version: HttpVersion, fields: Fields): RequestFraming | undefined {
  const coding = fields.get('transfer-encoding')
  if (coding !== undefined) return chunkedFraming(coding, version, fields)
  const length = contentLength(fields)
  return length === undefined ? undefined : { kind: 'length', length }
}

function chunkedFraming(coding: string, version: HttpVersion, fields: Fields): RequestFraming {
  if (fields.has('content-length')) {
    throw wireError(
      'ERR_WIRE_FRAMING_CONFLICT',
      'Cannot tell where a body ends: there is a Transfer-Encoding and a Content-Length',
    )
  }
  if (version === '1.0') {
    throw wireError(
      'ERR_WIRE_TRANSFER_ENCODING',
      'Cannot tell where a body ends: there is a Transfer-Encoding in HTTP/1.0',
    )
  }
  if (coding.toLowerCase() !== 'chunked') {
    throw wireError(
      'ERR_WIRE_TRANSFER_ENCODING',
      'Cannot tell where a body ends: the Transfer-Encoding is not chunked alone',
    )
  }
  return { kind: 'chunked' }
}

/**
 * The Content-Length, in bytes; `undefined` when there is none. The same number said again, as some proxies do, is one.
 *
 * @throws {ProtocolError} `ERR_WIRE_CONTENT_LENGTH` when it is anything but digits, differs, or is past 2^53 − 1
 * @see RFC 9110 §8.6
 */
export function contentLength(fields: Fields): number | undefined {
  const value = fields.get('content-length')
  if (value === undefined) return undefined
  const alone = byteCount(value)
  if (alone !== undefined) return alone
  const [first = '', ...others] = value
    .split(',')
    .map((member) => trimBlanks(member, 0, member.length))
  const length = byteCount(first)
  if (length === undefined) {
    throw wireError(
      'ERR_WIRE_CONTENT_LENGTH',
      'Cannot read a Content-Length: not a number of bytes',
    )
  }
  if (others.some((other) => other !== first)) {
    throw wireError('ERR_WIRE_CONTENT_LENGTH', 'Cannot read a Content-Length: there are several')
  }
  return length
}

/** The number that digits make; `undefined` when there are none, there is anything else, or it is past 2^53 − 1. */
function byteCount(digits: string): number | undefined {
  let count = 0
  for (let at = 0; at < digits.length; at++) {
    const digit = digits.charCodeAt(at) - DIGIT_0
    if (digit < 0 || digit > 9) return undefined
    count = count * 10 + digit
    if (count > Number.MAX_SAFE_INTEGER) return undefined
  }
  return digits === '' ? undefined : count
}

/**
 * Whether the connection outlives the message (RFC 9112 §9.3).
 *
 * `Proxy-Connection` was never standardised (RFC 9112 appendix C.2.2), but old proxies say by it what others say by
 * `Connection`, and a handshake that is bound to the connection depends on it.
 */
export function keepsAlive(version: HttpVersion, fields: Fields): boolean {
  if (fields.lists('connection', 'close') || fields.lists('proxy-connection', 'close')) return false
  if (version === '1.1') return true
  return fields.lists('connection', 'keep-alive') || fields.lists('proxy-connection', 'keep-alive')
}

/**
 * Whether the client waits for 100 before it sends its body. HTTP/1.0 cannot (RFC 9110 §10.1.1), and where no body
 * follows there is nothing to wait for.
 */
export function expectsContinue(
  version: HttpVersion,
  framing: RequestFraming,
  fields: Fields,
): boolean {
  if (version === '1.0' || framing.kind === 'none') return false
  return fields.lists('expect', '100-continue')
}
