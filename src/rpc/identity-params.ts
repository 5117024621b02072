/** Decoders of what says as whom, and which way, a job asks. Errors name places and never what was found there. */

import {
  certificateLocations,
  readCertificateLocation,
  type CertificateLocation,
} from '../job/certificate.ts'
import {
  readAuthScheme,
  readAuthTarget,
  type GivenCredentials,
  type GivenPair,
  type GivenPassword,
  type GivenToken,
} from '../job/given-credentials.ts'
import { readProxyUsage } from '../job/proxy-rules.ts'
import type { ProxyEnvironment, ProxySettings } from '../job/route.ts'
import type { CertificateParams } from './contract.ts'
import {
  DecodeError,
  mapped,
  nullable,
  oneOf,
  optional,
  record,
  secretly,
  text,
  type Decoder,
  type Fields,
} from './decode.ts'

/** Names and passwords have limits and codes of their own (A16), so here they may be of any length. */
const anyText = text(Number.MAX_SAFE_INTEGER)

const path = text(4_096)

const password: Decoder<GivenPassword> = record<GivenPassword>({
  userName: nullable(anyText),
  password: nullable(anyText),
})

const tickets = record<Extract<GivenToken, { kind: 'tickets' }>>({
  kind: oneOf(['tickets']),
  cache: text(4_096),
  principal: optional(text(1_024)),
})

const keytab = record<Extract<GivenToken, { kind: 'keytab' }>>({
  kind: oneOf(['keytab']),
  principal: text(1_024),
  keytab: path,
})

const bearer = record<Extract<GivenCredentials, { kind: 'bearer' }>>({
  kind: oneOf(['bearer']),
  token: anyText,
})

const client = record<Extract<GivenCredentials, { kind: 'client' }>>({
  kind: oneOf(['client']),
  clientId: anyText,
  clientSecret: anyText,
  tokenUrl: text(2_200),
  scope: optional(text(4_096)),
})

/** The decoder that the field `kind` chooses. */
function byKind<T>(
  decoders: Readonly<Record<string, Decoder<T>>>,
  otherwise?: Decoder<T>,
): Decoder<T> {
  const kinds = Object.keys(decoders)
  return (value, path) => {
    const kind =
      typeof value === 'object' && value !== null && 'kind' in value ? value.kind : undefined
    if (kind === undefined && otherwise !== undefined) return otherwise(value, path)
    const decoder =
      typeof kind === 'string' && Object.hasOwn(decoders, kind) ? decoders[kind] : undefined
    if (decoder === undefined)
      throw new DecodeError(`${path}.kind`, `one of ${kinds.join(', ')}`, kind)
    return decoder(value, path)
  }
}

/** Tickets or a keytab. */
export const token: Decoder<GivenToken> = byKind<GivenToken>({ tickets, keytab })

/** One pair; a target and a scheme that are none have codes of their own (A1, A2). */
export const credentialFields: Fields<GivenPair> = {
  target: readAuthTarget,
  scheme: readAuthScheme,
  credentials: secretly(byKind<GivenCredentials>({ tickets, keytab, bearer, client }, password)),
}

export const proxyFields: Fields<ProxySettings> = {
  usage: readProxyUsage,
  list: optional(anyText),
  bypass: optional(anyText),
  script: optional(anyText),
  environment: optional(
    record<ProxyEnvironment>({
      http_proxy: optional(anyText),
      HTTP_PROXY: optional(anyText),
      https_proxy: optional(anyText),
      HTTPS_PROXY: optional(anyText),
      all_proxy: optional(anyText),
      ALL_PROXY: optional(anyText),
      no_proxy: optional(anyText),
      NO_PROXY: optional(anyText),
    }),
  ),
}

export const proxy: Decoder<ProxySettings> = record(proxyFields)

/** Everything a certificate may be named by; {@link oneCertificate} says what belongs together. */
export interface CertificateWords {
  readonly certificateFile?: string
  readonly keyFile?: string
  readonly passphrase?: string
  readonly location?: CertificateLocation
  readonly store?: string
  readonly hash?: string
  readonly name?: string
}

export const certificateFields: Fields<CertificateWords> = {
  certificateFile: optional(path),
  keyFile: optional(path),
  passphrase: optional(secretly(anyText)),
  location: optional(readCertificateLocation),
  store: optional(anyText),
  hash: optional(anyText),
  name: optional(anyText),
}

export const certificate: Decoder<CertificateParams> = mapped(
  record(certificateFields),
  oneCertificate,
)

/** @throws {DecodeError} when the words do not name one certificate */
export function oneCertificate(words: CertificateWords, path: string): CertificateParams {
  const { certificateFile, keyFile, passphrase, location, store, hash, name } = words
  const isInStore = (location ?? store ?? hash ?? name) !== undefined
  if (certificateFile !== undefined && !isInStore) {
    return {
      certificateFile,
      ...(keyFile === undefined ? {} : { keyFile }),
      ...(passphrase === undefined ? {} : { passphrase }),
    }
  }
  const isFile = (certificateFile ?? keyFile ?? passphrase) !== undefined
  if (!isFile && location !== undefined && store !== undefined) {
    if (hash !== undefined && name === undefined) return { location, store, hash }
    if (name !== undefined && hash === undefined) return { location, store, name }
  }
  const expected = `certificateFile (keyFile, passphrase), or location (${certificateLocations.join(', ')}), store, and either hash or name`
  throw new DecodeError(path, expected, words)
}
