/** Which credentials of a job may answer which scheme of which peer: authentication.md, sections 2 to 4 and 21. */

import type { AuthTarget, SchemeName } from './auth.ts'
import type { CredentialPair, Credentials, PasswordCredentials } from './credentials.ts'
import type { AuthSettings } from './settings.ts'

/** Everything a job was given. */
export interface Wallet {
  /** At most one for each (target, scheme) (A12). */
  readonly pairs: readonly CredentialPair[]
  /** The name and password in the URL of the file that is asked for (A40). */
  readonly urlCredentials?: PasswordCredentials
  /** Who implicit credentials stand for instead of who is logged on: a helper token for the network (A90). */
  readonly helper?: Credentials
  /** Whether challenges of the proxy may be answered with who is logged on (USE_STORED_CREDENTIALS, A63). */
  readonly usesStoredForProxy?: boolean
  /** Whether who is logged on is an account of the system, whom no program of a person may borrow (N96). */
  readonly isServiceAccount?: boolean
}

/** Who asks, and what that has to do with the job. */
export interface Situation {
  readonly target: AuthTarget
  /** The origin of the server or the proxy itself. */
  readonly peer: URL
  /** Whether the peer is a server of another origin than the one the job named, reached by a redirect (A380). */
  readonly isForeign: boolean
  /** Whether the connection leads to a loopback address of this machine, where any program can wait for it. */
  readonly isLoopback?: boolean
}

/** Where credentials come from. */
export type CredentialSource =
  /** Set for this pair. */
  | 'set'
  /** In the URL (A42, A43). */
  | 'url'
  /** Implicit ones of the proxy, which serve the server too (A51). */
  | 'proxy'
  /** Implicit ones that nobody set, by UseLMCompat (A53). */
  | 'policy'
  /** Implicit ones, by USE_STORED_CREDENTIALS (A63). */
  | 'stored'

/** Credentials that may be used, or why there are none. */
export type Entitlement =
  | {
      readonly kind: 'entitled'
      readonly credentials: Credentials
      readonly source: CredentialSource
    }
  | { readonly kind: 'none'; readonly reason: string }

/**
 * Finds the credentials for one scheme of one peer. Nothing is invented: a pair answers its own scheme and target and
 * no other (A22), but for the cases named in {@link CredentialSource}.
 */
export function entitle(
  scheme: SchemeName,
  situation: Situation,
  wallet: Wallet,
  settings: AuthSettings,
): Entitlement {
  const { target, peer, isForeign } = situation
  if (isForeign && !settings.trustedOrigins.includes(peer.origin)) {
    return none('credentials are not sent to another origin')
  }
  if (target === 'proxy' && settings.disableProxyAuthSchemes.includes(scheme)) {
    return none('the administrator does not let proxies be answered with it')
  }
  // A42; the name in a URL is for that URL's own origin.
  const url = target === 'server' && !isForeign ? wallet.urlCredentials : undefined
  if (scheme === 'basic' && url !== undefined) return entitled(url, 'url')
  const pair = wallet.pairs.find((pair) => pair.target === target && pair.scheme === scheme)
  if (pair !== undefined)
    return allow(entitled(pair.credentials, 'set'), situation, wallet, settings)
  if (scheme === 'digest' && url !== undefined) return entitled(url, 'url')
  const source = implicitSource(scheme, target, wallet, settings)
  if (source !== undefined)
    return allow(entitled({ kind: 'implicit' }, source), situation, wallet, settings)
  return none(`no credentials are set for it and the ${target}`)
}

/** Why who is logged on may answer although no pair says so; `undefined` when they may not. */
function implicitSource(
  scheme: SchemeName,
  target: AuthTarget,
  wallet: Wallet,
  settings: AuthSettings,
): CredentialSource | undefined {
  if (!isImplicitScheme(scheme)) return undefined
  if (target === 'proxy' && wallet.usesStoredForProxy === true) return 'stored'
  if (target === 'server' && proxyServesServer(wallet)) return 'proxy'
  // A53 is for applications that set nothing at all for this target.
  const hasPairs =
    wallet.pairs.some((pair) => pair.target === target) ||
    (target === 'server' && wallet.urlCredentials !== undefined)
  const { useLmCompat, lmCompatibilityLevel } = settings
  const isAllowed = useLmCompat === 0 || (useLmCompat === 1 && lmCompatibilityLevel >= 2)
  return isAllowed && !hasPairs ? 'policy' : undefined
}

/** A51: there are implicit credentials for the proxy, and no explicit ones for the server, not even in the URL. */
function proxyServesServer({ pairs, urlCredentials }: Wallet): boolean {
  return (
    urlCredentials === undefined && !pairs.some(isExplicitServer) && pairs.some(isImplicitProxy)
  )
}

function isExplicitServer({ target, credentials }: CredentialPair): boolean {
  return target === 'server' && credentials.kind !== 'implicit'
}

function isImplicitProxy({ target, scheme, credentials }: CredentialPair): boolean {
  return target === 'proxy' && isImplicitScheme(scheme) && credentials.kind === 'implicit'
}

function isImplicitScheme(scheme: SchemeName): boolean {
  return scheme === 'ntlm' || scheme === 'negotiate'
}

/** Who is logged on, or a helper, is told only to hosts of the administrator's list (A61), also after a redirect (A383). */
function allow(
  entitlement: Entitlement & { readonly kind: 'entitled' },
  { target, peer, isLoopback = false }: Situation,
  { helper, isServiceAccount = false }: Wallet,
  settings: AuthSettings,
): Entitlement {
  const { credentials } = entitlement
  if (credentials.kind !== 'implicit') return entitlement
  if (!isImplicitHost(peer.hostname, settings)) {
    return none('who is logged on is not told to hosts outside the list of the administrator')
  }
  // N96: behind the port may be a program of anybody, who would be this account then. A helper was chosen for the job.
  const isLent = isServiceAccount && helper === undefined
  if (target === 'proxy' && isLoopback && isLent && !isNamed(peer.hostname, settings)) {
    return none(
      'no service account is told to a proxy on this machine that is outside the list by its own name',
    )
  }
  return { ...entitlement, credentials: helper ?? credentials }
}

/** Whether the list of the administrator names this very host, and not only hosts like it. */
function isNamed(host: string, { implicitHosts }: Pick<AuthSettings, 'implicitHosts'>): boolean {
  const name = withoutDot(host)
  return implicitHosts.some((entry) => entry.toLowerCase() === name)
}

function withoutDot(host: string): string {
  return host.replace(/\.$/, '')
}

/**
 * Whether a host is on the list of those that get implicit credentials (A61).
 *
 * @param host as in a URL: lower case, IPv6 addresses in brackets
 */
export function isImplicitHost(
  host: string,
  { implicitHosts, machineDomain }: Pick<AuthSettings, 'implicitHosts' | 'machineDomain'>,
): boolean {
  const name = withoutDot(host)
  return implicitHosts.some((entry) => {
    const pattern = entry.toLowerCase()
    if (pattern === '*') return true
    if (pattern === '<local>') return !name.includes('.') && !name.startsWith('[')
    if (pattern === '<domain>') return machineDomain !== '' && isBelow(name, machineDomain)
    return pattern.startsWith('*.') ? name.endsWith(pattern.slice(1)) : name === pattern
  })
}

function isBelow(name: string, domain: string): boolean {
  return name === domain || name.endsWith(`.${domain}`)
}

function entitled(
  credentials: Credentials,
  source: CredentialSource,
): Entitlement & { readonly kind: 'entitled' } {
  return { kind: 'entitled', credentials, source }
}

function none(reason: string): Entitlement {
  return { kind: 'none', reason }
}
