/** The head of a request: what we say, what the caller may say, and what is nobody's to say. */

import { MisuseError } from '../base/error.ts'
import { version } from '../version.ts'
import type { Field } from '../wire/fields.ts'
import { formatFieldLines, formatRequestText, type FieldLines } from '../wire/write.ts'
import type { HttpRequest } from './http.ts'
import { nodeHashes } from './node-hashes.ts'
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

/** What the caller's headers prove by themselves (A46): the application's own authentication. */
export interface OwnProof {
  /** Whether the server is told. */
  readonly isForServer: boolean
  /** What a proxy is told: by CONNECT where it is asked for a connection, as it is. */
  readonly forProxy: readonly Field[]
  /** Equal for equal proofs, and tells nothing of them: a connection on which one was said is for nobody else. */
  readonly key: string
}

/** The caller's headers, looked through once. */
interface Prepared {
  readonly ownProof: OwnProof | undefined
  /** With the defaults that the caller did not override before them. */
  readonly fields: readonly Field[]
  /** The same without credentials: for another origin. */
  readonly fieldsElsewhere: readonly Field[]
  /** What the last request said that others say, too. */
  last: CommonFields | undefined
}

/** The fields that all requests to a server say. */
interface CommonFields {
  readonly authority: string
  readonly given: readonly Field[]
  readonly isAskedForUrl: boolean
  readonly lines: FieldLines
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
 * What headers prove by themselves.
 *
 * @throws {MisuseError} as {@link checkHeaders}
 */
export function ownProofOf(headers: readonly Field[]): OwnProof | undefined {
  return prepare(headers).ownProof
}

function findOwnProof(headers: readonly Field[]): OwnProof | undefined {
  const named = (wanted: string): readonly Field[] =>
    headers.filter(([name]) => name.toLowerCase() === wanted)
  const forServer = named('authorization')
  const forProxy = named('proxy-authorization')
  if (forServer.length === 0 && forProxy.length === 0) return undefined
  const said = JSON.stringify([forServer, forProxy])
  const hash = nodeHashes.hash('sha-256', new TextEncoder().encode(said))
  const key = Buffer.from(hash).toString('base64')
  return { isForServer: forServer.length > 0, forProxy, key }
}

/** What one leg says besides what its request says. */
export interface Addition {
  /** What proves who is asking: in the place of what the caller's headers say under the same names (A46). */
  readonly proofs: readonly Field[]
  /** What frames the body. */
  readonly framing: readonly Field[]
}

const nothingMore: Addition = { proofs: [], framing: [] }

/**
 * Formats the head of one leg, as text of octets.
 *
 * @param target where it goes
 * @param first where the exchange began: what the headers were given for
 * @param isAskedForUrl whether the whole URL is asked for, as proxies want it (RFC 9112 §3.2.2)
 * @throws {MisuseError} `ERR_HTTP_HEADER`, and what `formatRequestText` throws for characters that cannot be sent
 */
export function requestHead(
  request: HttpRequest,
  target: Target,
  first: Target,
  isAskedForUrl = false,
  { proofs, framing }: Addition = nothingMore,
): string {
  const known = prepare(request.headers)
  const isOwn = target === first || isSameOrigin(target, first)
  const given = isOwn ? known.fields : known.fieldsElsewhere
  const asked = isAskedForUrl ? target.url : target.path
  const { method, range, ifRange } = request
  const own = [...proofs, ...framing]
  if (range !== undefined) own.push(['Range', range])
  if (ifRange !== undefined) own.push(['If-Range', ifRange])
  const isOverridden = proofs.length > 0 && known.fields.length > known.fieldsElsewhere.length
  const common = isOverridden
    ? formatFieldLines(commonFields(target.authority, given.filter(unless(proofs)), isAskedForUrl))
    : commonLines(known, target.authority, given, isAskedForUrl)
  const fields = own.length === 0 ? common : { lines: common.lines + formatFieldLines(own).lines }
  return formatRequestText({ method, target: asked, fields })
}

/** Put into words once for thousands of requests to one server. */
function commonLines(
  known: Prepared,
  authority: string,
  given: readonly Field[],
  isAskedForUrl: boolean,
): FieldLines {
  const { last } = known
  const isSame =
    last?.authority === authority && last.given === given && last.isAskedForUrl === isAskedForUrl
  if (isSame) return last.lines
  const lines = formatFieldLines(commonFields(authority, given, isAskedForUrl))
  known.last = { authority, given, isAskedForUrl, lines }
  return lines
}

function commonFields(
  authority: string,
  given: readonly Field[],
  isAskedForUrl: boolean,
): readonly Field[] {
  return [
    ['Host', authority],
    ...(isAskedForUrl ? given : given.filter(isForServers)),
    // RFC 9110 §12.5.3: a coded body would not be the file.
    ['Accept-Encoding', 'identity'],
  ]
}

/** What is for the proxy is not for the server (A46, N97). */
function isForServers([name]: Field): boolean {
  return name.length !== 19 || name.toLowerCase() !== 'proxy-authorization'
}

function unless(proofs: readonly Field[]): (field: Field) => boolean {
  const names = new Set(proofs.map(([name]) => name.toLowerCase()))
  return ([name]) => !names.has(name.toLowerCase())
}

function prepare(headers: readonly Field[]): Prepared {
  const known = prepared.get(headers)
  if (known !== undefined) return known
  checkHeaders(headers)
  const given = new Set(headers.map(([name]) => name.toLowerCase()))
  const fields = [...defaultFields.filter(([name]) => !given.has(name.toLowerCase())), ...headers]
  const fieldsElsewhere = fields.filter(([name]) => !credentialNames.has(name.toLowerCase()))
  const ownProof = findOwnProof(headers)
  const fresh = { fields, fieldsElsewhere, ownProof, last: undefined }
  prepared.set(headers, fresh)
  return fresh
}
