/** The cookies in which Passport keeps a proof (A341, A343): as much of RFC 6265 as that needs, with limits. */

import type { Instant } from '../../base/clock.ts'
import { fieldValues, type Field } from '../auth.ts'
import { isSendable } from './header.ts'

/** One cookie. Its value is a secret: whoever has it is let in (A164). */
interface Cookie {
  readonly name: string
  readonly value: string
  /** The host, or with {@link isShared} the domain. */
  readonly domain: string
  /** Whether hosts below the domain get it too. */
  readonly isShared: boolean
  readonly path: string
  readonly isSecure: boolean
  /** When it ends; never, as far as we are concerned, without one. */
  readonly expiresAt: Instant
}

/** RFC 6265 §6.1 asks for at least this much of each. */
const maximumCookies = 50
const maximumCookieLength = 4096

/** Cookies of one side, by the hosts that set them. */
export class CookieJar {
  #cookies: readonly Cookie[] = []

  /** Takes the cookies that a response from `url` sets; one that has ended removes its namesake (RFC 6265 §5.3). */
  store(url: URL, fields: Iterable<Field>, now: Instant): void {
    for (const value of fieldValues(fields, 'set-cookie')) {
      const cookie = parseCookie(value, url, now)
      if (cookie === undefined) continue
      const others = this.#cookies.filter((other) => !isSameCookie(other, cookie))
      this.#cookies = [...others, ...(cookie.expiresAt > now ? [cookie] : [])].slice(
        -maximumCookies,
      )
    }
  }

  /** The value of `Cookie` for a request, the longest paths first (RFC 6265 §5.4); `undefined` when there are none. */
  format(url: URL, now: Instant): string | undefined {
    const fitting = this.#cookies
      .filter((cookie) => cookie.expiresAt > now && fits(cookie, url))
      .toSorted((left, right) => right.path.length - left.path.length)
    return fitting.length === 0
      ? undefined
      : fitting.map(({ name, value }) => `${name}=${value}`).join('; ')
  }

  /** Forgets every cookie. */
  clear(): void {
    this.#cookies = []
  }
}

/** RFC 6265 §5.2 and §5.3. */
function parseCookie(text: string, url: URL, now: Instant): Cookie | undefined {
  const [pair = '', ...attributes] = text.split(';').map((part) => part.trim())
  const equals = pair.indexOf('=')
  if (equals < 1 || text.length > maximumCookieLength || !isSendable(pair)) return undefined
  const named = new Map(attributes.map(splitAttribute))
  const domain = named.get('domain')?.replace(/^\./, '').toLowerCase() ?? ''
  if (domain !== '' && !mayShare(url.hostname, domain)) return undefined
  const path = named.get('path') ?? ''
  return {
    name: pair.slice(0, equals).trim(),
    value: pair.slice(equals + 1).trim(),
    domain: domain === '' ? url.hostname : domain,
    isShared: domain !== '' && domain !== url.hostname,
    path: path.startsWith('/') ? path : defaultPath(url.pathname),
    isSecure: named.has('secure'),
    expiresAt: expiryOf(named, now),
  }
}

function splitAttribute(attribute: string): readonly [string, string] {
  const equals = attribute.indexOf('=')
  return equals < 0
    ? [attribute.toLowerCase(), '']
    : [attribute.slice(0, equals).trim().toLowerCase(), attribute.slice(equals + 1).trim()]
}

/** RFC 6265 §5.1.4. */
function defaultPath(pathname: string): string {
  return pathname.slice(0, Math.max(pathname.lastIndexOf('/'), 1))
}

function expiryOf(attributes: ReadonlyMap<string, string>, now: Instant): Instant {
  const age = attributes.get('max-age') ?? ''
  if (/^-?\d{1,12}$/.test(age)) return now + Number(age) * 1000
  const date = Date.parse(attributes.get('expires') ?? '')
  return Number.isNaN(date) ? Number.POSITIVE_INFINITY : date
}

/** Whether a host may set a cookie for a whole domain; a top-level one is nobody's. */
function mayShare(host: string, domain: string): boolean {
  return host === domain || (domain.includes('.') && host.endsWith(`.${domain}`))
}

function isSameCookie(left: Cookie, right: Cookie): boolean {
  return left.name === right.name && left.domain === right.domain && left.path === right.path
}

function fits({ domain, isShared, path, isSecure }: Cookie, url: URL): boolean {
  const { hostname, pathname, protocol } = url
  const isHost = hostname === domain || (isShared && hostname.endsWith(`.${domain}`))
  const isPath = pathname === path || pathname.startsWith(path.endsWith('/') ? path : `${path}/`)
  return isHost && isPath && (!isSecure || protocol === 'https:')
}
