/**
 * Below which names of DNS a script is looked for (N82). Whoever owns the name that is asked owns every connection of
 * this machine, so only names are asked that belong to the organisation that set them: the suffixes of this machine and
 * of its connections as they stand, and none that is everybody's to register below.
 */

import { getPublicSuffix } from 'tldts'

/** More suffixes than this are not asked. */
const MOST_SUFFIXES = 3

/** Names that are not for DNS, or that every network has for itself (RFC 6761, RFC 6762, RFC 7686). */
const notInDns = new Set(['local', 'localhost', 'invalid', 'onion', 'arpa', 'alt'])

/** Where this machine says which suffixes it has. */
export interface SuffixPlaces {
  /** Its own name, with or without a suffix. */
  readonly hostName: string
  /** The text of resolv.conf. */
  readonly resolvConf: string
  /** USERDNSDOMAIN of Windows. */
  readonly userDomain: string
}

/** What an administrator may decide otherwise. */
export interface SuffixOptions {
  /** Whether the suffix of the machine's own name is shortened label by label, as long as it is an organisation's. */
  readonly devolves?: boolean | undefined
}

/**
 * The suffixes that may be asked, the machine's own in front. Those that the network names are never shortened: what
 * they belong to is the network's word alone.
 */
export function allowedSuffixes(
  { hostName, resolvConf, userDomain }: SuffixPlaces,
  { devolves = false }: SuffixOptions = {},
): readonly string[] {
  const primary = normalize(afterFirstLabel(hostName))
  const others = [userDomain, ...searchDomains(resolvConf)].map(normalize)
  const asTheyStand = [...new Set([primary, ...others])].filter(isOrganisation)
  const first = asTheyStand.slice(0, MOST_SUFFIXES)
  return devolves ? [...new Set([...first, ...shortened(primary)])] : first
}

/** The suffixes above one that are an organisation's, the longest in front (N82). */
function shortened(suffix: string): readonly string[] {
  const above = afterFirstLabel(suffix)
  return isOrganisation(suffix) && isOrganisation(above) ? [above, ...shortened(above)] : []
}

function afterFirstLabel(name: string): string {
  return name.includes('.') ? name.slice(name.indexOf('.') + 1) : ''
}

/** The last `search` or `domain` line counts (resolv.conf(5)). */
function searchDomains(text: string): readonly string[] {
  const lines = text.split('\n').map((line) => line.trim().split(/\s+/u))
  const last = lines.findLast(([keyword = '']) => keyword === 'search' || keyword === 'domain')
  return last?.slice(1) ?? []
}

function normalize(suffix: string): string {
  return suffix.toLowerCase().replace(/\.$/u, '')
}

/**
 * Whether a suffix can be an organisation's own: two labels or more, and none of the Public Suffix List, neither where
 * a registry registers (`co.uk`) nor where a company lets anybody have a name (`github.io`). A last label that the list
 * does not know counts as everybody's.
 *
 * @see https://publicsuffix.org/list/
 */
export function isOrganisation(suffix: string): boolean {
  const labels = suffix.split('.')
  if (
    labels.length < 2 ||
    !labels.every((each) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?$/u.test(each))
  ) {
    return false
  }
  const last = labels.at(-1) ?? ''
  // Addresses have no suffix.
  if (notInDns.has(last) || /^\d+$/u.test(last)) return false
  return getPublicSuffix(suffix, asItStands) !== suffix
}

/** The name is one already, and both parts of the list count. */
const asItStands = { allowPrivateDomains: true, extractHostname: false, validateHostname: false }
