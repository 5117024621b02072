/** What scripts return: `PROXY a:8080; SOCKS b; DIRECT` (N74). */

import type { Hop, ProxyScheme } from '../job/route.ts'
import { defaultProxyPorts, parsePlace } from './proxy-list.ts'

/** More ways than this are not tried for any URL. */
const MOST_HOPS = 64

/** No answer is read further. */
const LONGEST_ANSWER = 65_536

/** How the proxies of a keyword are spoken to. */
const keywords: ReadonlyMap<string, readonly ProxyScheme[]> = new Map([
  ['PROXY', ['http']],
  ['HTTP', ['http']],
  ['HTTPS', ['https']],
  ['SOCKS', ['socks5', 'socks4']],
  ['SOCKS4', ['socks4']],
  ['SOCKS5', ['socks5']],
] as const)

/** The ways a script names, and what it says that names none. */
export interface ScriptAnswer {
  /** In order; at least one. */
  readonly hops: readonly [Hop, ...Hop[]]
  /** Entries that were skipped. */
  readonly skipped: readonly string[]
}

/**
 * Reads what a script returned. Entries that do not parse are skipped; where nothing is left the way is straight (N74);
 * a way straight to the server is never added to proxies (N76).
 */
export function parseScriptAnswer(text: string): ScriptAnswer {
  const hops: Hop[] = []
  const skipped: string[] = []
  for (const each of text.slice(0, LONGEST_ANSWER).split(';')) {
    const entry = each.trim()
    if (entry === '') continue
    const found = parseEntry(entry)
    if (found === undefined) skipped.push(entry.slice(0, 80))
    else if (hops.length + found.length <= MOST_HOPS) hops.push(...found)
  }
  const [first = 'direct', ...others] = hops
  return { hops: [first, ...others], skipped }
}

function parseEntry(entry: string): readonly Hop[] | undefined {
  const [keyword = '', address, ...more] = entry.split(/\s+/u)
  if (keyword.toUpperCase() === 'DIRECT') return address === undefined ? ['direct'] : undefined
  const ways = keywords.get(keyword.toUpperCase())
  if (ways === undefined || address === undefined || more.length > 0) return undefined
  const place = parsePlace(address)
  if (place === undefined) return undefined
  return ways.map((scheme) => ({
    scheme,
    host: place.host,
    port: place.port ?? defaultProxyPorts[scheme],
  }))
}
