/**
 * Below which names of DNS a script is looked for (N82). Whoever owns the name that is asked owns every connection of
 * this machine, so only names are asked that belong to the organisation that set them: the suffixes of this machine and
 * of its connections as they stand, never a part of them, and none that could belong to everybody.
 */

/** More suffixes than this are not asked. */
const MOST_SUFFIXES = 3

/** Names that are not for DNS, or that every network has for itself (RFC 6761, RFC 6762, RFC 7686). */
const notInDns = new Set(['local', 'localhost', 'invalid', 'onion', 'arpa', 'alt'])

/**
 * Second labels below which countries register names for everybody: `wpad.co.uk` would be somebody's. What is missing
 * here is a name of an organisation at worst too many, because it is asked only where somebody set it as it stands.
 */
const registries = new Set(
  `ac asn ass asso biz co com coop csiro edu firm fin gen gob gouv gov govt gv idv ind info int lg ltd me med
  mil mod mus muni name ne net nhs nic nom nsn or org plc pro pub re sch school store tm tv web`.split(
    /\s+/u,
  ),
)

/** Where this machine says which suffixes it has. */
export interface SuffixPlaces {
  /** Its own name, with or without a suffix. */
  readonly hostName: string
  /** The text of resolv.conf. */
  readonly resolvConf: string
  /** USERDNSDOMAIN of Windows. */
  readonly userDomain: string
}

/** The suffixes that may be asked, the machine's own in front. */
export function allowedSuffixes({
  hostName,
  resolvConf,
  userDomain,
}: SuffixPlaces): readonly string[] {
  const primary = hostName.includes('.') ? hostName.slice(hostName.indexOf('.') + 1) : ''
  const all = [primary, userDomain, ...searchDomains(resolvConf)].map(normalize)
  return [...new Set(all)].filter(isOrganisation).slice(0, MOST_SUFFIXES)
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

/** Whether a suffix can be an organisation's own: two labels or more, and not those that a country registers below. */
export function isOrganisation(suffix: string): boolean {
  const labels = suffix.split('.')
  const [last = '', second = ''] = labels.toReversed()
  if (
    labels.length < 2 ||
    !labels.every((each) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?$/u.test(each))
  ) {
    return false
  }
  // Addresses have no suffix.
  if (notInDns.has(last) || /^\d+$/u.test(last)) return false
  return labels.length > 2 || last.length > 2 || !registries.has(second)
}
