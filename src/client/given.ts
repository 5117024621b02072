/** What programs give to prove who they are, and how it becomes what the service takes. */

import type { AuthTarget, SchemeName } from '../auth/auth.ts'
import type { CertificateLocation } from '../job/certificate.ts'
import type { GivenToken } from '../job/given-credentials.ts'
import type { CertificateParams, CredentialParams } from '../rpc/contract.ts'
import { clientError } from './errors.ts'

/**
 * A secret: text, or UTF-8 bytes. Bytes stay the caller's, who can wipe them when the call has returned; a text stays
 * in memory until the collector takes it. What this library copies on the way to the service it wipes.
 */
export type SecretText = string | Uint8Array

/** What proves who is asking (BG_AUTH_CREDENTIALS). */
export type JobCredentials =
  /**
   * `DOMAIN\user`, `user@REALM` or `user` (A23), and a password; an empty one is a blank password (A15). Both `null`:
   * who is logged on, for `ntlm` and `negotiate` only (A50).
   */
  | { readonly userName: string | null; readonly password: SecretText | null }
  /** Kerberos tickets or keys that lie on the machine: for `negotiate` only. */
  | GivenToken
  /** A token that does not change (RFC 6750): for `bearer` only. */
  | { readonly kind: 'bearer'; readonly token: SecretText }
  /** An OAuth 2 client that fetches its own tokens (RFC 6749 §4.4): for `bearer` only; `tokenUrl` is https. */
  | {
      readonly kind: 'client'
      readonly clientId: string
      readonly clientSecret: SecretText
      readonly tokenUrl: string
      readonly scope?: string
    }

/** One credential, and who gets it when they ask for it with this scheme (A11). */
export interface JobCredentialPair {
  readonly target: AuthTarget
  readonly scheme: SchemeName
  readonly credentials: JobCredentials
}

/** A client certificate: files of the caller's, or one of a store. */
export type JobCertificate =
  | {
      /** Full path: PEM, or PKCS#12 with the key in it. */
      readonly certificateFile: string
      /** Full path of the private key, where it is not in the same file. */
      readonly keyFile?: string
      /** What opens the key. */
      readonly passphrase?: SecretText
    }
  /** By the SHA-1 of its DER: 40 hexadecimal digits. */
  | { readonly location: CertificateLocation; readonly store: string; readonly hash: string }
  /** By a part of its subject; the first that fits is taken (A72). */
  | { readonly location: CertificateLocation; readonly store: string; readonly name: string }

/** @throws {BackgroundCopyError} `BG_E_INVALID_CREDENTIALS` for bytes that are no UTF-8 */
export function credentialParams({
  target,
  scheme,
  credentials,
}: JobCredentialPair): CredentialParams {
  return { target, scheme, credentials: plain(credentials) }
}

/** @throws {BackgroundCopyError} `BG_E_INVALID_CREDENTIALS` for a passphrase that is no UTF-8 */
export function certificateParams(certificate: JobCertificate): CertificateParams {
  if (!('certificateFile' in certificate)) return certificate
  const { passphrase, ...files } = certificate
  return passphrase === undefined ? files : { ...files, passphrase: text(passphrase) }
}

function plain(given: JobCredentials): CredentialParams['credentials'] {
  if (!('kind' in given)) {
    const { userName, password } = given
    return { userName, password: password === null ? null : text(password) }
  }
  switch (given.kind) {
    case 'bearer':
      return { ...given, token: text(given.token) }
    case 'client':
      return { ...given, clientSecret: text(given.clientSecret) }
    case 'tickets':
    case 'keytab':
      return given
    default:
      return given satisfies never
  }
}

/**
 * A secret as text, exactly as it was given.
 *
 * @throws {BackgroundCopyError} `BG_E_INVALID_CREDENTIALS` for bytes that are no UTF-8
 */
export function text(secret: SecretText): string {
  if (typeof secret === 'string') return secret
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(secret)
  } catch {
    const message = 'Cannot use these credentials: they are not UTF-8'
    throw clientError('BG_E_INVALID_CREDENTIALS', 'NONE', message)
  }
}
