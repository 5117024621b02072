/** What the administrator of the machine decided about authentication; never per job (A58). */

import type { SchemeName } from './auth.ts'
import type { MechanismName } from './mechanism.ts'

/** LmCompatibilityLevel of an NTLM client (A57): which responses it sends. */
export type LmCompatibilityLevel = 0 | 1 | 2 | 3 | 4 | 5

/**
 * UseLMCompat (A53): when implicit credentials are sent although the application set nothing. 0: whenever NTLM or
 * Kerberos is asked for; 1: only if the LM compatibility level is 2 or more; 2: never.
 */
export type UseLmCompat = 0 | 1 | 2

/** Settings of the whole service. */
export interface AuthSettings {
  readonly useLmCompat: UseLmCompat
  readonly lmCompatibilityLevel: LmCompatibilityLevel
  /** Whether NTLM without 128-bit keys is a local failure (A251). */
  readonly ntlmRequires128: boolean
  /** The domain of an NTLM user name that has none (A235); may be empty. */
  readonly defaultDomain: string
  /** The client's NetBIOS name, upper case, at most 15 characters (A237); may be empty. */
  readonly workstation: string
  /**
   * Hosts that get implicit credentials (A61): `host`, `*.domain`, `*` for all, `<local>` for names without a dot,
   * `<domain>` for hosts in {@link machineDomain}.
   */
  readonly implicitHosts: readonly string[]
  /** The DNS domain of this machine, lower case, without leading dot; empty when it has none. */
  readonly machineDomain: string
  /** Whether a password or token may travel in clear text where it was named (A183). */
  readonly allowClearText: boolean
  /** Whether Basic without `charset` sends ISO-8859-1 when every character fits (A201). */
  readonly basicLegacyLatin1: boolean
  /** Other origins (`https://host:port`) that may get a job's explicit credentials after a redirect (A380). */
  readonly trustedOrigins: readonly string[]
  /**
   * Schemes that no proxy is answered with, whatever a job has for it (N96); `kerberos` and `ntlm` also as what Negotiate
   * would be answered with.
   */
  readonly disableProxyAuthSchemes: readonly (SchemeName | MechanismName)[]
  readonly passport: PassportSettings
}

/** Where Passport's configuration is found (A332). */
export interface PassportSettings {
  /** The configuration server; asked when no sign-in server is named. */
  readonly nexusUrl: string
  /** Named directly, instead of asking the configuration server. */
  readonly signIn?: { readonly realm: string; readonly url: string }
}

/** The settings of a service that nobody configured. */
export const defaultAuthSettings: AuthSettings = {
  // A54: 2 on every platform.
  useLmCompat: 2,
  // A57: 0 to 2 have to be asked for.
  lmCompatibilityLevel: 3,
  ntlmRequires128: false,
  defaultDomain: '',
  workstation: '',
  implicitHosts: ['<local>', '<domain>'],
  machineDomain: '',
  allowClearText: true,
  basicLegacyLatin1: false,
  trustedOrigins: [],
  disableProxyAuthSchemes: [],
  passport: { nexusUrl: 'https://nexus.passport.com/rdr/pprdr.asp' },
}
