/** Who a job asks, in few words. */

import type { Peer } from './identity.ts'

/** How many hosts are named before the others are counted. */
const NAMED = 2

/** The hosts of these URLs, and whether all of them are reached over TLS. */
export function describeHosts(urls: readonly string[]): Peer {
  const parsed = urls.flatMap((url) => (URL.canParse(url) ? [new URL(url)] : []))
  const hosts = [...new Set(parsed.map(({ host }) => host))]
  const more = hosts.length - NAMED
  const named = hosts.slice(0, NAMED).join(more > 0 ? ', ' : ' and ')
  return {
    name: more > 0 ? `${named} and ${more} more` : named,
    isSecure: parsed.length > 0 && parsed.every(({ protocol }) => protocol === 'https:'),
  }
}
