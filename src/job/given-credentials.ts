/**
 * Credentials as an application hands them over (SetCredentials), and what of it is refused at once: authentication.md,
 * section 2.
 */

import type { AuthTarget, SchemeName } from '../auth/auth.ts'
import type { Credentials, CredentialPair } from '../auth/credentials.ts'
import { Secret } from '../auth/secret.ts'
import { decodeIdentity, isEncodedIdentity } from './encoded-identity.ts'
import { JobError } from './failure.ts'

/** Every target, and every scheme, in the order of BITS's numbers (A1, A2). */
export const authTargets: readonly AuthTarget[] = ['server', 'proxy']
export const authSchemes: readonly SchemeName[] = [
  'basic',
  'digest',
  'ntlm',
  'negotiate',
  'passport',
  'bearer',
]

/** UTF-16 units of a user name and a password, the terminating NUL not counted (A16). */
export const USER_NAME_LIMIT = 300
export const PASSWORD_LIMIT = 65_536

/** What proves who is asking. Texts here are as secret as they are: nothing prints them. */
export type GivenCredentials =
  | GivenPassword
  | GivenToken
  /** A fixed bearer token (RFC 6750). */
  | { readonly kind: 'bearer'; readonly token: string }
  /** An OAuth 2 client that fetches its own tokens (RFC 6749 §4.4); `tokenUrl` is https. */
  | {
      readonly kind: 'client'
      readonly clientId: string
      readonly clientSecret: string
      readonly tokenUrl: string
      readonly scope?: string
    }

/**
 * A name and a password (A3), an empty one being a blank password (A15); both `null` for who is logged on (A50). A
 * password that begins with `BTAI1:` is an encoded identity (A157).
 */
export interface GivenPassword {
  readonly userName: string | null
  readonly password: string | null
}

/** A name and a password, both there. */
export interface Login {
  readonly userName: string
  readonly password: string
}

/** An identity that lies on the machine: Kerberos tickets or keys. Its paths are no secrets. */
export type GivenToken =
  /** A credential cache (`FILE:/tmp/krb5cc_1000`), and which principal of a collection. */
  | { readonly kind: 'tickets'; readonly cache: string; readonly principal?: string }
  /** A principal and the full path of the keytab with its keys. */
  | { readonly kind: 'keytab'; readonly principal: string; readonly keytab: string }

/** What one call of SetCredentials sets: one pair of target and scheme (A11). */
export interface GivenPair {
  readonly target: AuthTarget
  readonly scheme: SchemeName
  readonly credentials: GivenCredentials
}

/** @throws {JobError} `BG_E_INVALID_AUTH_TARGET` for anything that is no target (A1) */
export function readAuthTarget(value: unknown): AuthTarget {
  const target = authTargets.find((word) => word === value)
  if (target !== undefined) return target
  throw new JobError(
    'BG_E_INVALID_AUTH_TARGET',
    `Cannot use these credentials: the target is one of ${authTargets.join(', ')}`,
  )
}

/** @throws {JobError} `BG_E_INVALID_AUTH_SCHEME` for anything that is no scheme (A2) */
export function readAuthScheme(value: unknown): SchemeName {
  const scheme = authSchemes.find((word) => word === value)
  if (scheme !== undefined) return scheme
  throw new JobError(
    'BG_E_INVALID_AUTH_SCHEME',
    `Cannot use these credentials: the scheme is one of ${authSchemes.join(', ')}`,
  )
}

/**
 * Checks one pair and takes its secrets into buffers.
 *
 * @returns a pair whose secrets belong to the caller, who wipes them
 * @throws {JobError} `E_INVALIDARG` (A14, A15, and credentials of a kind that the scheme does not know),
 *   `BG_E_USERNAME_TOO_LARGE`, `BG_E_PASSWORD_TOO_LARGE` (A16), `BG_E_INVALID_CREDENTIALS` for an encoded identity that
 *   is none (A157)
 */
export function takePair({ target, scheme, credentials }: GivenPair): CredentialPair {
  return { target, scheme, credentials: take(scheme, credentials) }
}

function take(scheme: SchemeName, given: GivenCredentials): Credentials {
  if (!('kind' in given)) return takePassword(scheme, given)
  if (!kindsOf[scheme].includes(given.kind)) {
    throw refuse(scheme, `it does not take credentials of the kind ${given.kind}`)
  }
  switch (given.kind) {
    case 'tickets':
    case 'keytab':
      return takeToken(given)
    case 'bearer':
      checkPasswordLength(scheme, given.token)
      if (!/^[\w.~+/-]+=*$/u.test(given.token)) throw refuse(scheme, 'the token is no token68')
      return { kind: 'bearer', token: Secret.fromText(given.token) }
    case 'client': {
      const { clientId, clientSecret, tokenUrl, scope } = given
      checkUserNameLength(scheme, clientId)
      checkPasswordLength(scheme, clientSecret)
      checkTokenUrl(scheme, tokenUrl)
      return {
        kind: 'client',
        clientId,
        clientSecret: Secret.fromText(clientSecret),
        tokenUrl,
        ...(scope === undefined ? {} : { scope }),
      }
    }
    default:
      return given satisfies never
  }
}

/** Which kinds a scheme takes besides a name and a password. */
const kindsOf: Readonly<Record<SchemeName, readonly string[]>> = {
  basic: [],
  digest: [],
  ntlm: [],
  negotiate: ['tickets', 'keytab'],
  passport: [],
  bearer: ['bearer', 'client'],
}

/** Schemes that know who is logged on (A50); Passport never does (A60). */
const implicitSchemes: ReadonlySet<SchemeName> = new Set(['ntlm', 'negotiate'])

function takePassword(scheme: SchemeName, { userName, password }: GivenPassword): Credentials {
  if (scheme === 'bearer') throw refuse(scheme, 'it takes a token, not a user name and a password')
  if (userName === null && password === null && implicitSchemes.has(scheme)) {
    return { kind: 'implicit' }
  }
  if (userName === null || password === null) {
    throw refuse(
      scheme,
      implicitSchemes.has(scheme)
        ? 'user name and password are both given or both null'
        : 'it needs a user name and a password',
    )
  }
  checkUserNameLength(scheme, userName)
  checkPasswordLength(scheme, password)
  if (implicitSchemes.has(scheme) && isEncodedIdentity(password)) {
    const identity = decodeIdentity(password)
    if (identity.kind === 'password' || identity.kind === 'implicit') return identity
    const isToken = identity.kind === 'tickets' || identity.kind === 'keytab'
    if (isToken && kindsOf[scheme].includes(identity.kind)) return takeToken(identity)
    throw refuse(scheme, `it does not take an identity of the kind ${identity.kind}`)
  }
  return { kind: 'password', userName, password: Secret.fromText(password) }
}

/**
 * Checks an identity that lies on the machine.
 *
 * @throws {JobError} `E_INVALIDARG` when a part of it is empty, or a keytab has no full path
 */
export function takeToken(given: GivenToken): Credentials & { readonly kind: GivenToken['kind'] } {
  if (given.kind === 'tickets') {
    if (given.cache === '') throw refuse('negotiate', 'the credential cache has no name')
    return given
  }
  if (given.principal === '') throw refuse('negotiate', 'the principal is empty')
  if (!/^(?:\/|[a-z]:[\\/]|\\\\)/iu.test(given.keytab)) {
    throw refuse('negotiate', 'the keytab is not named by a full path')
  }
  return given
}

/**
 * Takes the name and password of a URL into a buffer (A40).
 *
 * @throws {JobError} `BG_E_USERNAME_TOO_LARGE`
 */
export function takeLogin({ userName, password }: Login): Credentials {
  checkUserNameLength('basic', userName)
  return { kind: 'password', userName, password: Secret.fromText(password) }
}

function checkUserNameLength(scheme: SchemeName, userName: string): void {
  if (userName.length <= USER_NAME_LIMIT) return
  throw new JobError(
    'BG_E_USERNAME_TOO_LARGE',
    `Cannot use these credentials for ${scheme}: the user name has ${userName.length} characters, ${USER_NAME_LIMIT} is the most`,
  )
}

function checkPasswordLength(scheme: SchemeName, password: string): void {
  if (password.length <= PASSWORD_LIMIT) return
  throw new JobError(
    'BG_E_PASSWORD_TOO_LARGE',
    `Cannot use these credentials for ${scheme}: the password has ${password.length} characters, ${PASSWORD_LIMIT} is the most`,
  )
}

/** Client secret and token travel there: over TLS, and nowhere else. */
function checkTokenUrl(scheme: SchemeName, tokenUrl: string): void {
  const url = URL.canParse(tokenUrl) ? new URL(tokenUrl) : undefined
  const isUsable =
    url?.protocol === 'https:' && url.username === '' && url.password === '' && url.hash === ''
  if (isUsable) return
  throw refuse(scheme, 'the token endpoint is no https URL without user information and fragment')
}

function refuse(scheme: SchemeName, why: string): JobError {
  return new JobError('E_INVALIDARG', `Cannot use these credentials for ${scheme}: ${why}`)
}
