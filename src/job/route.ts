/**
 * Ways to a server. Which one a URL takes is found out by the room `proxy` (settings, scripts, discovery); the room
 * `http` takes it; this is what they say to each other.
 */

/** How a proxy is spoken to: HTTP in clear text or over TLS, SOCKS 4a, SOCKS 5 (RFC 1928). */
export type ProxyScheme = 'http' | 'https' | 'socks4' | 'socks5'

/** One proxy. */
export interface Proxy {
  readonly scheme: ProxyScheme
  /** A name or an address, lower case; IPv6 without brackets. */
  readonly host: string
  /** 1 to 65,535. */
  readonly port: number
}

/** One way: straight to the server, or through one proxy. */
export type Hop = 'direct' | Proxy

/** The ways of one URL, the one to be taken first in front; the others when it cannot be reached. */
export type Route = readonly [Hop, ...Hop[]]

/** Straight to the server and no other way. */
export const directRoute: Route = ['direct']

/** What ways lead to. Every `URL` is one. */
export interface Place {
  /** Scheme, host, and the port unless it is the scheme's own: `http://a.test:8080`. */
  readonly origin: string
  /** Absolute. */
  readonly href: string
}

/** Who knows the ways. */
export interface Routes {
  /**
   * The ways for one URL; asked for every request, also for each redirect (N6, A124), so known answers come quickly.
   *
   * @param place of an http or https URL; path and query of an https URL are nobody's business here
   * @throws {FailureError} `BG_E_INVALID_PROXY_INFO` for lists that do not parse (N2), and what discovery fails with
   */
  find(place: Place): Route | Promise<Route>
  /**
   * Hears that a proxy could not be reached: it is asked last for a while (N75).
   *
   * @param reason for people: sentence case, no full stop, no secret
   */
  failed(proxy: Proxy, reason?: string): void
}

/** BG_JOB_PROXY_USAGE by its number (A4). */
export const proxyUsages = ['preconfig', 'noProxy', 'override', 'autodetect'] as const

/** One of {@link proxyUsages}. */
export type ProxyUsage = (typeof proxyUsages)[number]

/** What SetProxySettings sets (N1). */
export interface ProxySettings {
  readonly usage: ProxyUsage
  /** With `override` only: proxies in the grammar of N10, not checked before the job runs (N2). */
  readonly list?: string
  /** With `override` only: hosts that are reached without them (N20). */
  readonly bypass?: string
  /** With `override`, instead of a list: the URL of a script, or `file:` (N60). */
  readonly script?: string
  /** With `preconfig` only: what the variables of whoever made the job say, in the place of the service's own (N40). */
  readonly environment?: ProxyEnvironment
}

/** Variables that name proxies (N40, N41). */
export const proxyVariables = [
  'http_proxy',
  'HTTP_PROXY',
  'https_proxy',
  'HTTPS_PROXY',
  'all_proxy',
  'ALL_PROXY',
  'no_proxy',
  'NO_PROXY',
] as const

/** Their values, without user information. */
export type ProxyEnvironment = Partial<Readonly<Record<(typeof proxyVariables)[number], string>>>

/** A new job asks what its owner has set (N3). */
export const defaultProxySettings: ProxySettings = { usage: 'preconfig' }

/** `http://host:port`, for people and as a key; there is nothing secret in it. */
export function describeProxy({ scheme, host, port }: Proxy): string {
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`
}
