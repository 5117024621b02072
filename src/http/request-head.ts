/** The head of a request: what we say, what the caller may say, and what is nobody's to say. */

import { MisuseError } from '../base/error.ts'
import { version } from '../version.ts'
import type { Field } from '../wire/fields.ts'
import { formatRequest } from '../wire/write.ts'
import type { HttpRequest } from './http.ts'
import { isSameOrigin, type Target } from './target.ts'

/** What is said unless the caller says it. */
const defaultFields: readonly Field[] = [
  ['User-Agent', `Lull/${version}`],
  ['Accept', '*/*'],
]

/**
 * What frames messages, rules the connection, or decides which bytes come: set by this room, or by a parameter of the
 * request.
 */
const reservedNames = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'upgrade',
  'expect',
  'accept-encoding',
  'range',
  'if-range',
])

/** What proves who is asking, and is for the origin it was given for alone. */
const credentialNames = new Set(['authorization', 'cookie', 'proxy-authorization'])

/** The caller's headers, looked through once. */
interface Prepared {
  /** With the defaults that the caller did not override before them. */
  readonly fields: readonly Field[]
  /** The same without credentials: for another origin. */
  readonly fieldsElsewhere: readonly Field[]
}

/** Thousands of requests come with one and the same array. */
const prepared = new WeakMap<readonly Field[], Prepared>()

/**
 * Refuses headers that are not the caller's to set.
 *
 * @throws {MisuseError} `ERR_HTTP_HEADER`
 */
export function checkHeaders(headers: readonly Field[]): void {
  for (const [name] of headers) {
    if (reservedNames.has(name.toLowerCase())) {
      throw new MisuseError('ERR_HTTP_HEADER', `Cannot send this header for you: ${name}`)
    }
  }
}

/**
 * Formats the head of one leg.
 *
 * @param target where it goes
 * @param first where the exchange began: what the headers were given for
 * @throws {MisuseError} `ERR_HTTP_HEADER`, and what `formatRequest` throws for characters that cannot be sent
 */
export function requestHead(request: HttpRequest, target: Target, first: Target): Uint8Array {
  const { fields, fieldsElsewhere } = prepare(request.headers)
  const own: Field[] = [
    ['Host', target.authority],
    ...(target === first || isSameOrigin(target, first) ? fields : fieldsElsewhere),
    // RFC 9110 §12.5.3: a coded body would not be the file.
    ['Accept-Encoding', 'identity'],
  ]
  if (request.range !== undefined) own.push(['Range', request.range])
  if (request.ifRange !== undefined) own.push(['If-Range', request.ifRange])
  return formatRequest({ method: request.method, target: target.path, fields: own })
}

function prepare(headers: readonly Field[]): Prepared {
  const known = prepared.get(headers)
  if (known !== undefined) return known
  checkHeaders(headers)
  const given = new Set(headers.map(([name]) => name.toLowerCase()))
  const fields = [...defaultFields.filter(([name]) => !given.has(name.toLowerCase())), ...headers]
  const fieldsElsewhere = fields.filter(([name]) => !credentialNames.has(name.toLowerCase()))
  const fresh = { fields, fieldsElsewhere }
  prepared.set(headers, fresh)
  return fresh
}
