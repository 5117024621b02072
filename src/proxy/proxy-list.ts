/**
 * Lists of proxies: `http=p1:80 https=https://p2 socks=p3` (N10 to N16).
 *
 * `http=` and `https=` name the proxy for URLs of that scheme; how the proxy itself is spoken to is said by the scheme
 * in front of its name, and is clear-text HTTP where there is none (N11).
 */

import { isIPv6 } from 'node:net'
import type { Hop, ProxyScheme } from '../job/route.ts'
import { parseHost, parsePort } from './address.ts'
import { invalidProxyInfo } from './failure.ts'

/** What a list has proxies for: URLs of two schemes, anything by way of SOCKS, anything else. */
export type ProxyListKey = 'http' | 'https' | 'socks' | 'any'

/** Proxies by what they are for, in the order of the list (N14). */
export type ProxyList = Readonly<Partial<Record<ProxyListKey, readonly Hop[]>>>

/** No list is longer: 32,000 characters may be set (N1), and what desktops store is shorter still. */
export const LONGEST_LIST = 65_536

/** Entries are separated by any of these (N10). */
export const listSeparators = /[ \t\r\n;,]+/u

/** How a proxy is spoken to, by the scheme in front of its name; `socks` alone tries 5, then 4a, as in scripts (N74). */
const schemes: ReadonlyMap<string, readonly ProxyScheme[]> = new Map([
  ['http', ['http']],
  ['https', ['https']],
  ['socks', ['socks5', 'socks4']],
  ['socks4', ['socks4']],
  ['socks4a', ['socks4']],
  ['socks5', ['socks5']],
  ['socks5h', ['socks5']],
] as const)

/** Ports of proxies that name none (N13). */
export const defaultProxyPorts: Readonly<Record<ProxyScheme, number>> = {
  http: 80,
  https: 443,
  socks4: 1080,
  socks5: 1080,
}

/** The words in front of `=`; Internet Explorer's `ftp` and `gopher` are known and concern nobody here. */
const protocols: ReadonlyMap<string, ProxyListKey | 'other'> = new Map([
  ['http', 'http'],
  ['https', 'https'],
  ['socks', 'socks'],
  ['ftp', 'other'],
  ['gopher', 'other'],
] as const)

/**
 * Reads a list of proxies.
 *
 * @throws {FailureError} `BG_E_INVALID_PROXY_INFO` when an entry does not parse, or there is none
 */
export function parseProxyList(text: string): ProxyList {
  if (text.length > LONGEST_LIST) {
    throw invalidProxyInfo(`Cannot use the proxy list: it is ${text.length} characters long`)
  }
  const list: Partial<Record<ProxyListKey, Hop[]>> = {}
  const entries = text.split(listSeparators).filter((entry) => entry !== '')
  if (entries.length === 0) throw invalidProxyInfo('Cannot use the proxy list: it is empty')
  for (const [index, entry] of entries.entries()) {
    const parsed = parseEntry(entry)
    if (parsed === undefined) {
      // A list with user information is not shown: the password may be what did not parse.
      const shown = text.includes('@') ? `its entry ${index + 1}` : entry.slice(0, 80)
      throw invalidProxyInfo(`Cannot use the proxy list: no proxy is meant by ${shown}`)
    }
    if (parsed.key !== 'other') (list[parsed.key] ??= []).push(...parsed.hops)
  }
  return list
}

function parseEntry(
  entry: string,
): { readonly key: ProxyListKey | 'other'; readonly hops: readonly Hop[] } | undefined {
  const equals = entry.indexOf('=')
  const key = equals < 0 ? 'any' : protocols.get(entry.slice(0, equals).toLowerCase())
  if (key === undefined) return undefined
  const hops = parseProxyAddress(
    entry.slice(equals + 1),
    key === 'socks' ? ['socks5', 'socks4'] : ['http'],
  )
  return hops === undefined ? undefined : { key, hops }
}

/**
 * Reads one proxy: `[scheme://][user:password@]host[:port][/]`, or `direct://`. User and password are not kept: they
 * belong into the job's credentials (N15).
 *
 * @param without how it is spoken to where no scheme says so
 * @returns the same proxy once for each way it may be spoken to; undefined for what is no proxy
 */
export function parseProxyAddress(
  text: string,
  without: readonly ProxyScheme[] = ['http'],
): readonly Hop[] | undefined {
  const [, scheme, rest = ''] = /^(?:([a-z][a-z\d+.-]*):\/\/)?(.*)$/isu.exec(text) ?? []
  if (scheme?.toLowerCase() === 'direct') return rest === '' ? ['direct'] : undefined
  const ways = scheme === undefined ? without : schemes.get(scheme.toLowerCase())
  if (ways === undefined) return undefined
  const place = parsePlace(rest.slice(rest.lastIndexOf('@') + 1).replace(/\/$/u, ''))
  if (place === undefined) return undefined
  return ways.map((scheme) => ({
    scheme,
    host: place.host,
    port: place.port ?? defaultProxyPorts[scheme],
  }))
}

/** Reads `host`, `host:port`, `[IPv6]` or `[IPv6]:port`. */
export function parsePlace(
  text: string,
): { readonly host: string; readonly port?: number } | undefined {
  const [, name = '', colon, digits = ''] = /^(\[[^\]]*\]|[^:]*)(:)?(.*)$/su.exec(text) ?? []
  const host = parseHost(name)
  if (host === undefined) return undefined
  if (colon === undefined) return digits === '' ? { host } : undefined
  const port = parsePort(digits)
  return port === undefined ? undefined : { host, port }
}

/**
 * The proxies of a list for a URL: those of its scheme, else SOCKS, else those for everything (N12), in order.
 *
 * @returns empty when the list has none for it
 */
export function proxiesFor(list: ProxyList, url: URL): readonly Hop[] {
  const own = url.protocol === 'https:' ? list.https : list.http
  return own ?? list.socks ?? list.any ?? []
}

/**
 * The list of a desktop that keeps its proxies apart.
 *
 * @param addresses as {@link parseProxyAddress} reads them; empty ones are not set
 * @param place whose they are, for people
 * @throws {FailureError} `BG_E_INVALID_PROXY_INFO` when one does not parse
 */
export function listOf(
  addresses: Readonly<Record<'http' | 'https' | 'socks', string>>,
  place: string,
): ProxyList {
  const list: Partial<Record<ProxyListKey, readonly Hop[]>> = {}
  for (const use of ['http', 'https', 'socks'] as const) {
    const address = addresses[use]
    if (address === '') continue
    const hops = parseProxyAddress(address, use === 'socks' ? ['socks5', 'socks4'] : ['http'])
    if (hops === undefined) {
      throw invalidProxyInfo(`Cannot use ${place}: its ${use} proxy has no valid host and port`)
    }
    list[use] = hops
  }
  return list
}

/** Host and port where they are stored apart; port 0 is none, and no host is nothing. */
export function joinAddress(host: string, port: string): string {
  if (host === '') return ''
  const name = isIPv6(host) ? `[${host}]` : host
  return port === '' || port === '0' ? name : `${name}:${port}`
}
