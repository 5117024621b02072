/** The client certificate of a job, as it is named: authentication.md, section 5. Its key is nobody's to read here. */

import { JobError } from './failure.ts'

/** BG_CERT_STORE_LOCATION by its number (A5). */
export const certificateLocations = [
  'currentUser',
  'localMachine',
  'currentService',
  'services',
  'users',
  'currentUserGroupPolicy',
  'localMachineGroupPolicy',
  'localMachineEnterprise',
] as const

/** One of {@link certificateLocations}. */
export type CertificateLocation = (typeof certificateLocations)[number]

/** Where the certificate of a job is found; it can be read back (A74). */
export type ClientCertificate =
  | CertificateFiles
  /** By the SHA-1 thumbprint of its DER: 40 hexadecimal digits, lower case (A71). */
  | { readonly location: CertificateLocation; readonly store: string; readonly hash: string }
  /** By a part of its subject (A72). */
  | { readonly location: CertificateLocation; readonly store: string; readonly name: string }

/** PEM, or PKCS#12 with certificate and key together. */
export interface CertificateFiles {
  /** Full path. */
  readonly certificateFile: string
  /** Full path of the private key, where it is not in the same file. */
  readonly keyFile?: string
}

/** A certificate as an application hands it over. */
export type GivenCertificate =
  | (CertificateFiles & {
      /** What opens the key; secret. */
      readonly passphrase?: string
    })
  | Exclude<ClientCertificate, CertificateFiles>

/** What was given, checked; `passphrase` is UTF-8 and belongs to the caller, who wipes it. */
export interface TakenCertificate {
  readonly certificate: ClientCertificate
  readonly passphrase?: Uint8Array
}

/** Checks a certificate and takes its secret into a buffer. @throws {JobError} as {@link checkCertificate} */
export function takeCertificate(given: GivenCertificate): TakenCertificate {
  if (!('certificateFile' in given)) return { certificate: checkCertificate(given) }
  const { passphrase, ...files } = given
  const certificate = checkCertificate(files)
  if (passphrase === undefined) return { certificate }
  return { certificate, passphrase: new TextEncoder().encode(passphrase) }
}

/** Characters of a store's and a subject's name, the NUL of the former not counted (A71). */
const STORE_NAME_LIMIT = 255
const SUBJECT_NAME_LIMIT = 256

/** @throws {JobError} `E_NOTIMPL` for anything that is no location (A73) */
export function readCertificateLocation(value: unknown): CertificateLocation {
  const location = certificateLocations.find((word) => word === value)
  if (location !== undefined) return location
  throw new JobError(
    'E_NOTIMPL',
    `Cannot use this certificate: the location is one of ${certificateLocations.join(', ')}`,
  )
}

/**
 * Checks how a certificate is named; whether there is one is not looked at.
 *
 * @returns the same, the hash in lower case
 * @throws {JobError} `RPC_X_BAD_STUB_DATA` for a hash that is not 20 bytes, `BG_E_STRING_TOO_LONG`, `E_INVALIDARG` for an
 *   empty name or a path that is not full (A71, A73)
 */
export function checkCertificate(certificate: ClientCertificate): ClientCertificate {
  if ('certificateFile' in certificate) {
    for (const path of [certificate.certificateFile, certificate.keyFile ?? '/']) {
      if (/^(?:\/|[a-z]:[\\/]|\\\\)/iu.test(path) && !path.includes('\0')) continue
      throw refuse('E_INVALIDARG', `${JSON.stringify(path)} is not a full path`)
    }
    return certificate
  }
  const { store } = certificate
  if (store === '') throw refuse('E_INVALIDARG', 'the store has no name')
  if (store.length > STORE_NAME_LIMIT) throw tooLong('store', store, STORE_NAME_LIMIT)
  if ('name' in certificate) {
    if (certificate.name === '') throw refuse('E_INVALIDARG', 'the subject is empty')
    if (certificate.name.length <= SUBJECT_NAME_LIMIT) return certificate
    throw tooLong('subject', certificate.name, SUBJECT_NAME_LIMIT)
  }
  const hash = certificate.hash.toLowerCase()
  if (/^[0-9a-f]{40}$/u.test(hash)) return { ...certificate, hash }
  throw refuse('RPC_X_BAD_STUB_DATA', 'the hash is not 20 bytes in hexadecimal')
}

function tooLong(what: string, name: string, limit: number): JobError {
  const why = `the name of the ${what} has ${name.length} characters, ${limit} is the most`
  return refuse('BG_E_STRING_TOO_LONG', why)
}

function refuse(
  symbol: 'E_INVALIDARG' | 'RPC_X_BAD_STUB_DATA' | 'BG_E_STRING_TOO_LONG',
  why: string,
): JobError {
  return new JobError(symbol, `Cannot use this certificate: ${why}`)
}
