/** Messages to send: heads and the frames of chunks as bytes. Bodies are sent as they are, beside them. */

import { Fields, type Field } from './fields.ts'
import { encodeOctets } from './octet.ts'
import { wireMisuse, type WireMisuseCode } from './wire-error.ts'

/** The head of a request, to be sent as HTTP/1.1. */
export interface RequestParts {
  /** A token; case matters. */
  readonly method: string
  /** In the form that its reader wants: a path, a whole URL (to a proxy), an authority (CONNECT), or `*`. */
  readonly target: string
  /** Sent in this order and with these names. */
  readonly fields: Iterable<Field> | FieldLines
}

/** Fields in their words, for thousands of heads that have the same. */
export interface FieldLines {
  readonly lines: string
}

/** The head of a response, to be sent as HTTP/1.1. */
export interface ResponseParts {
  /** 100 to 999. */
  readonly status: number
  /** Left out if empty. */
  readonly reason?: string
  /** Sent in this order and with these names. */
  readonly fields: Iterable<Field>
}

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const visibleAscii = /^[\x21-\x7e]+$/
/** What may not stand in a value or a reason: control characters, and what is not one octet. */
const notText = /[^\t\x20-\x7e\x80-\xff]/

/**
 * A request head as bytes. What is sent is what was asked for: nothing is added, least of all a Host or a length.
 *
 * @throws {MisuseError} `ERR_WIRE_METHOD`, `ERR_WIRE_TARGET`, `ERR_WIRE_FIELD_NAME`, `ERR_WIRE_FIELD_VALUE` for a
 *   character that cannot stand there: nothing that comes in a value can ever begin another line
 * @see RFC 9112 §3, §5
 */
export function formatRequest(parts: RequestParts): Uint8Array {
  return encodeOctets(formatRequestText(parts))
}

/**
 * The same as text, each character of which is one octet: sockets send it as `latin1` without a copy of ours.
 *
 * @throws {MisuseError} as {@link formatRequest}
 */
export function formatRequestText({ method, target, fields }: RequestParts): string {
  if (!token.test(method)) throw wireMisuse('ERR_WIRE_METHOD', 'Cannot send a method: not a token')
  if (!visibleAscii.test(target)) {
    throw wireMisuse('ERR_WIRE_TARGET', 'Cannot send a target: not visible ASCII')
  }
  const { lines } = 'lines' in fields ? fields : formatFieldLines(fields)
  return `${method} ${target} HTTP/1.1\r\n${lines}\r\n`
}

/**
 * The lines of fields.
 *
 * @throws {MisuseError} `ERR_WIRE_FIELD_NAME`, `ERR_WIRE_FIELD_VALUE` as {@link formatRequest}
 */
export function formatFieldLines(fields: Iterable<Field>): FieldLines {
  return { lines: formatFields(fields) }
}

/**
 * A response head as bytes; nothing is added.
 *
 * @throws {MisuseError} `ERR_WIRE_STATUS`, `ERR_WIRE_REASON`, `ERR_WIRE_FIELD_NAME`, `ERR_WIRE_FIELD_VALUE`
 * @see RFC 9112 §4, §5
 */
export function formatResponse({ status, reason = '', fields }: ResponseParts): Uint8Array {
  if (!Number.isInteger(status) || status < 100 || status > 999) {
    throw wireMisuse('ERR_WIRE_STATUS', `Cannot send a status: ${status}`)
  }
  checkText(reason, 'ERR_WIRE_REASON', 'a reason phrase')
  // RFC 9112 §4: the space is sent also when no reason follows.
  return encodeOctets(`HTTP/1.1 ${status} ${reason}\r\n${formatFields(fields)}\r\n`)
}

/**
 * One chunk as three pieces to be sent in order: its line, `bytes` itself, and the line end after it.
 *
 * @param bytes not copied
 * @throws {MisuseError} `ERR_WIRE_CHUNK` when there are none: an empty chunk would end the body
 * @see RFC 9112 §7.1
 */
export function formatChunk(
  bytes: Uint8Array,
): readonly [line: Uint8Array, bytes: Uint8Array, lineEnd: Uint8Array] {
  if (bytes.length === 0) throw wireMisuse('ERR_WIRE_CHUNK', 'Cannot send a chunk: it is empty')
  return [encodeOctets(`${bytes.length.toString(16)}\r\n`), bytes, encodeOctets('\r\n')]
}

/**
 * The last chunk, and with it the end of a chunked body.
 *
 * @param trailers fields that are only known now; the receiver may ignore them (RFC 9110 §6.5)
 * @throws {MisuseError} `ERR_WIRE_FIELD_NAME`, `ERR_WIRE_FIELD_VALUE`
 * @see RFC 9112 §7.1.2
 */
export function formatLastChunk(trailers: Iterable<Field> = Fields.empty): Uint8Array {
  return encodeOctets(`0\r\n${formatFields(trailers)}\r\n`)
}

function formatFields(fields: Iterable<Field>): string {
  let lines = ''
  for (const [name, value] of fields) {
    if (!token.test(name)) {
      throw wireMisuse('ERR_WIRE_FIELD_NAME', 'Cannot send a field: its name is not a token')
    }
    checkText(value, 'ERR_WIRE_FIELD_VALUE', name)
    lines += `${name}: ${value}\r\n`
  }
  return lines
}

function checkText(text: string, code: WireMisuseCode, what: string): void {
  if (!notText.test(text)) return
  const at = text.search(notText)
  const character = text.charCodeAt(at).toString(16).toUpperCase().padStart(4, '0')
  throw wireMisuse(code, `Cannot send ${what}: character U+${character} at ${at}`)
}
