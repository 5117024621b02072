/** What one request asks for, taken apart once. */

import { failure, FailureError } from '../job/failure.ts'

/** A place on the web as a request needs it: nothing secret is in it. */
export interface Target {
  /** Absolute, without user information and fragment. */
  readonly url: string
  /** The beginning of `url`: scheme and authority. */
  readonly origin: string
  readonly scheme: 'http' | 'https'
  /** A name or an address; IPv6 without brackets. */
  readonly host: string
  readonly port: number
  /** As in `Host`: the port is left out where it is the scheme's own. */
  readonly authority: string
  /** Path and query: the request target in origin-form (RFC 9112 §3.2.1). */
  readonly path: string
}

const defaultPorts = { http: 80, https: 443 } as const

/** A path that a URL parser leaves as it is, unless it has segments of dots; and no query. */
const plainPath = /^\/[\w\-.~!$&'()*+,;=:@/]*$/

/** What targets at one origin have in common. */
type Site = Omit<Target, 'url' | 'path'>

/** Thousands of files of a job come from one origin: it is taken apart once. */
let last: Site | undefined

/**
 * Takes a URL apart.
 *
 * @param base what a relative reference is relative to
 * @throws {FailureError} `ERROR_WINHTTP_INVALID_URL` or, for anything but http and https,
 *   `ERROR_WINHTTP_UNRECOGNIZED_SCHEME`; both fatal
 */
export function parseTarget(text: string, base?: string): Target {
  const plain = last === undefined ? undefined : plainTarget(last, text)
  if (plain !== undefined) return plain
  const target = parseWhole(text, base)
  const { origin, scheme, host, port, authority } = target
  last = { origin, scheme, host, port, authority }
  return target
}

/** The target of a URL of which nothing needs to be looked at but a plain path. */
function plainTarget(site: Site, url: string): Target | undefined {
  if (!url.startsWith(site.origin)) return undefined
  const path = url.slice(site.origin.length)
  return plainPath.test(path) && !path.includes('/.') ? { ...site, url, path } : undefined
}

function parseWhole(text: string, base: string | undefined): Target {
  const url = URL.parse(text, base)
  if (url === null) {
    // The text itself may hold a password and is not shown.
    throw badUrl('ERROR_WINHTTP_INVALID_URL', 'Cannot fetch this: it is not a valid URL')
  }
  const scheme = url.protocol.slice(0, -1)
  if (scheme !== 'http' && scheme !== 'https') {
    throw badUrl(
      'ERROR_WINHTTP_UNRECOGNIZED_SCHEME',
      `Cannot fetch from a ${scheme} URL: only http and https are known`,
    )
  }
  const { origin, host: authority, hostname, port, pathname, search } = url
  return {
    url: `${origin}${pathname}${search}`,
    origin,
    scheme,
    host: hostname.startsWith('[') ? hostname.slice(1, -1) : hostname,
    port: port === '' ? defaultPorts[scheme] : Number(port),
    authority,
    path: `${pathname}${search}`,
  }
}

/** A target for people: a query may hold a secret and is left out. */
export function describeTarget({ url }: Pick<Target, 'url'>): string {
  const query = url.indexOf('?')
  return query === -1 ? url : url.slice(0, query)
}

/** Whether two targets are at one origin (RFC 6454 §5). */
export function isSameOrigin(a: Target, b: Target): boolean {
  return a.scheme === b.scheme && a.authority === b.authority
}

function badUrl(
  symbol: 'ERROR_WINHTTP_INVALID_URL' | 'ERROR_WINHTTP_UNRECOGNIZED_SCHEME',
  sentence: string,
): FailureError {
  return new FailureError(failure(symbol, 'REMOTE_FILE', sentence, { severity: 'fatal' }))
}
