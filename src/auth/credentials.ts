/** What a job was given to prove who it is. */

import type { AuthTarget, SchemeName } from './auth.ts'
import type { Secret } from './secret.ts'

/** One credential. Whoever made it owns its secrets and wipes them; who uses it wipes only what it derived. */
export type Credentials =
  | PasswordCredentials
  | ImplicitCredentials
  | KeytabCredentials
  | TicketCredentials
  | BearerCredentials
  | ClientCredentials

/** A name and a password (BG_BASIC_CREDENTIALS, A3): for Basic, Digest, NTLM, Negotiate and Passport. */
export interface PasswordCredentials {
  readonly kind: 'password'
  /** As it was given: `DOMAIN\user`, `user@REALM` or `user` (A23); see {@link parseUserName}. */
  readonly userName: string
  /** UTF-8, not normalised; empty is a blank password (A15). */
  readonly password: Secret
}

/** The logged-on identity of the job's owner or helper (A50): NTLM and Negotiate only. */
export interface ImplicitCredentials {
  readonly kind: 'implicit'
}

/** A Kerberos principal whose keys lie in a keytab: Negotiate only. */
export interface KeytabCredentials {
  readonly kind: 'keytab'
  readonly principal: string
  /** Full path. */
  readonly keytab: string
}

/** Tickets somebody else fetched: Negotiate only. */
export interface TicketCredentials {
  readonly kind: 'tickets'
  /** A credential cache by its residual name: `FILE:/tmp/krb5cc_1000`, `KEYRING:…`, `DIR:…`. */
  readonly cache: string
  /** Which principal of a cache collection; the default one when absent. */
  readonly principal?: string
}

/** A fixed bearer token (RFC 6750). */
export interface BearerCredentials {
  readonly kind: 'bearer'
  /** The b64token, ASCII. */
  readonly token: Secret
}

/** An OAuth 2 client that fetches its own tokens (RFC 6749 §4.4). */
export interface ClientCredentials {
  readonly kind: 'client'
  readonly clientId: string
  /** UTF-8. */
  readonly clientSecret: Secret
  /** The token endpoint; https, without user information and fragment. */
  readonly tokenUrl: string
  /** Space-separated, as in RFC 6749 §3.3. */
  readonly scope?: string
}

/** One credential and where it may be used: what one call of SetCredentials makes (A11). */
export interface CredentialPair {
  readonly target: AuthTarget
  readonly scheme: SchemeName
  readonly credentials: Credentials
}

/** A user name in its parts. */
export interface UserName {
  /** Before the first backslash; empty when there is none. May also be the name of a server (A23). */
  readonly domain: string
  /** The name without domain; still with its `@realm` in the form `user@REALM`. */
  readonly user: string
  /** After the last `@` of a name without domain, for Kerberos; empty when there is none. */
  readonly realm: string
}

/**
 * Splits a user name at its first backslash (A235); a name with `@` and without backslash stays whole in `user` and
 * tells its realm besides (A236).
 */
export function parseUserName(userName: string): UserName {
  const backslash = userName.indexOf('\\')
  if (backslash >= 0) {
    return { domain: userName.slice(0, backslash), user: userName.slice(backslash + 1), realm: '' }
  }
  const at = userName.lastIndexOf('@')
  return { domain: '', user: userName, realm: at > 0 ? userName.slice(at + 1) : '' }
}

/**
 * Whether two credentials are the same identity with the same secret, so that a peer who refused one has refused the
 * other (A136).
 */
export function sameCredentials(left: Credentials, right: Credentials): boolean {
  if (left === right) return true
  switch (left.kind) {
    case 'password':
      return (
        right.kind === 'password' &&
        left.userName === right.userName &&
        left.password.equals(right.password)
      )
    case 'implicit':
      return right.kind === 'implicit'
    case 'keytab':
      return (
        right.kind === 'keytab' &&
        left.principal === right.principal &&
        left.keytab === right.keytab
      )
    case 'tickets':
      return (
        right.kind === 'tickets' && left.cache === right.cache && left.principal === right.principal
      )
    case 'bearer':
      return right.kind === 'bearer' && left.token.equals(right.token)
    case 'client':
      return (
        right.kind === 'client' &&
        left.clientId === right.clientId &&
        left.tokenUrl === right.tokenUrl &&
        left.scope === right.scope &&
        left.clientSecret.equals(right.clientSecret)
      )
    default:
      return left satisfies never
  }
}

/** Wipes what is secret in a credential. May be called twice. */
export function wipeCredentials(credentials: Credentials): void {
  switch (credentials.kind) {
    case 'password':
      return credentials.password.wipe()
    case 'bearer':
      return credentials.token.wipe()
    case 'client':
      return credentials.clientSecret.wipe()
    case 'implicit':
    case 'keytab':
    case 'tickets':
      return undefined
    default:
      return credentials satisfies never
  }
}
