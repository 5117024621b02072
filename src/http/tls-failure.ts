/** What can go wrong with TLS, as the job's failure. */

import { failure, httpStatusFailure, type Failure } from '../job/failure.ts'
import type { HresultSymbol } from '../job/hresult.ts'
import type { RevocationError } from './certificate/revocation.ts'
import { CERTIFICATE_WANTED, handshakeFacts, type HandshakeFacts } from './certificate/handshake.ts'

/** A certificate that is not trusted: never tried again, because only a person can decide about it. */
interface Distrust {
  readonly symbol: HresultSymbol
  readonly meaning: string
}

const expired = distrust('ERROR_WINHTTP_SECURE_CERT_DATE_INVALID', 'its certificate has expired')
const early = distrust('ERROR_WINHTTP_SECURE_CERT_DATE_INVALID', 'its certificate is not yet valid')
const unknownIssuer = distrust(
  'ERROR_WINHTTP_SECURE_INVALID_CA',
  'its certificate comes from an authority that is not trusted here',
)
const selfSigned = distrust(
  'ERROR_WINHTTP_SECURE_INVALID_CA',
  'its certificate is signed by itself and not trusted here',
)
const invalid = distrust('ERROR_WINHTTP_SECURE_INVALID_CERT', 'its certificate is not valid')
const revoked = distrust('ERROR_WINHTTP_SECURE_CERT_REVOKED', 'its certificate was revoked')
const unchecked = distrust(
  'ERROR_WINHTTP_SECURE_CERT_REV_FAILED',
  'nobody can say whether its certificate was revoked',
)

/** X509_V_ERR_* by the name Node gives them. */
const distrusts: ReadonlyMap<string, Distrust> = new Map<string, Distrust>([
  ['CERT_HAS_EXPIRED', expired],
  ['CERT_NOT_YET_VALID', early],
  ['ERROR_IN_CERT_NOT_AFTER_FIELD', expired],
  ['ERROR_IN_CERT_NOT_BEFORE_FIELD', early],
  [
    'ERR_TLS_CERT_ALTNAME_INVALID',
    distrust('ERROR_WINHTTP_SECURE_CERT_CN_INVALID', 'its certificate is for another name'),
  ],
  [
    'HOSTNAME_MISMATCH',
    distrust('ERROR_WINHTTP_SECURE_CERT_CN_INVALID', 'its certificate is for another name'),
  ],
  ['UNABLE_TO_GET_ISSUER_CERT', unknownIssuer],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', unknownIssuer],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', unknownIssuer],
  ['CERT_UNTRUSTED', unknownIssuer],
  ['INVALID_CA', unknownIssuer],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', selfSigned],
  // Of the authority, where it comes along.
  ['SELF_SIGNED_CERT_IN_CHAIN', unknownIssuer],
  ['CERT_REVOKED', revoked],
  ['UNABLE_TO_GET_CRL', unchecked],
  ['CRL_NOT_YET_VALID', unchecked],
  ['CRL_HAS_EXPIRED', unchecked],
  [
    'INVALID_PURPOSE',
    distrust('ERROR_WINHTTP_SECURE_CERT_WRONG_USAGE', 'its certificate is not one for servers'),
  ],
  ['CERT_SIGNATURE_FAILURE', invalid],
  ['CERT_CHAIN_TOO_LONG', invalid],
  ['CERT_REJECTED', invalid],
  ['PATH_LENGTH_EXCEEDED', invalid],
  ['UNABLE_TO_DECRYPT_CERT_SIGNATURE', invalid],
  ['UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY', invalid],
  ['UNSPECIFIED', invalid],
])

/** What the other side says of the versions and ways in which we speak (RFC 8446 §6), and what else says as much. */
const handshakeMeanings: ReadonlyMap<string, string> = new Map([
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'it does not speak TLS'],
  ['ERR_SSL_PACKET_LENGTH_TOO_LONG', 'it does not speak TLS'],
  ['ERR_SSL_HTTP_REQUEST', 'it does not speak TLS'],
  ['ERR_SSL_UNSUPPORTED_PROTOCOL', 'it speaks only versions of TLS that are broken'],
  ['PROTOCOL_VERSION', 'it speaks only versions of TLS that are broken'],
  ['HANDSHAKE_FAILURE', 'it knows no way of TLS that is known here'],
  ['ERR_SSL_TLSV1_UNRECOGNIZED_NAME', 'it does not know this name'],
  ['UNRECOGNIZED_NAME', 'it does not know this name'],
])

/** Records that were damaged on the way: the same bytes may well arrive the next time. */
const damage = new Set([
  'ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC',
  'ERR_SSL_BAD_RECORD_TYPE',
  'ERR_SSL_UNEXPECTED_EOF_WHILE_READING',
  'BAD_RECORD_MAC',
])

/** What a server says that wants a certificate from us (RFC 8446 §6.2). */
const wantsCertificate = new Set(['CERTIFICATE_REQUIRED', 'NO_CERTIFICATE'])

/**
 * What a server says about our certificate (RFC 8446 §6.2), or about the lack of one: TLS 1.2 knows no alert for that,
 * and servers take one of these.
 */
const refusals: ReadonlyMap<string, string> = new Map([
  ['HANDSHAKE_FAILURE', 'it does not accept our certificate'],
  ['BAD_CERTIFICATE', 'it finds our certificate damaged, or not one for clients'],
  ['UNSUPPORTED_CERTIFICATE', 'it cannot use a certificate of our kind'],
  ['CERTIFICATE_REVOKED', 'our certificate was revoked'],
  ['CERTIFICATE_EXPIRED', 'our certificate has expired'],
  ['CERTIFICATE_UNKNOWN', 'it does not accept our certificate'],
  ['UNKNOWN_CA', 'our certificate comes from an authority that it does not trust'],
  ['ACCESS_DENIED', 'it does not let the owner of our certificate in'],
  ['DECRYPT_ERROR', 'it cannot verify the signature of our key'],
])

/** Whether an error code is one of certificates or of TLS. */
export function isTlsCode(code: string): boolean {
  if (distrusts.has(code) || code === CERTIFICATE_WANTED) return true
  return code.startsWith('ERR_SSL_') || code === 'EPROTO'
}

/**
 * The failure that an error of TLS is.
 *
 * @param code one for which {@link isTlsCode} holds
 * @param host whom we spoke to; without it the sentence names nobody
 */
export function tlsFailure(error: Error, code: string, host = 'the server'): Failure {
  const distrusted = distrusts.get(code)
  if (distrusted !== undefined) {
    const { symbol, meaning } = distrusted
    return failure(symbol, 'GENERAL_TRANSPORT', `Cannot trust ${host}: ${meaning}`)
  }
  const said = alertOf(code) ?? code
  if (damage.has(said)) {
    return failure(
      'ERROR_WINHTTP_CONNECTION_ERROR',
      'GENERAL_TRANSPORT',
      `Cannot go on with ${host}: what came was damaged on the way`,
    )
  }
  const meaning = handshakeMeanings.get(said) ?? `TLS failed (${reasonOf(error, code)})`
  return (
    certificateFailure(handshakeFacts(error), said, host) ??
    failure(
      'ERROR_WINHTTP_SECURE_CHANNEL_ERROR',
      'GENERAL_TRANSPORT',
      `Cannot connect to ${host} securely: ${meaning}`,
    )
  )
}

/** The failure of a server whose certificate was revoked, or of which nobody can say whether it was: both fatal. */
export function revocationFailure(
  { isRevoked, message }: Pick<RevocationError, 'isRevoked' | 'message'>,
  host: string,
): Failure {
  const { symbol, meaning } = isRevoked ? revoked : unchecked
  return failure(symbol, 'GENERAL_TRANSPORT', `Cannot trust ${host}: ${meaning}; ${message}`)
}

/**
 * The failure of a handshake in which the server wanted a certificate from us; `undefined` when it was about something
 * else.
 *
 * @param said the alert
 */
function certificateFailure(
  facts: HandshakeFacts | undefined,
  said: string,
  host: string,
): Failure | undefined {
  const isShown = facts?.hasCertificate === true
  const isWanted = facts?.wantsCertificate === true
  const refusal = isWanted ? refusals.get(said) : undefined
  if (isShown && refusal !== undefined) {
    // A78: as if it had let us in to say so, which is what other servers do.
    return httpStatusFailure(403, `Cannot get in at ${host}: ${refusal}`)
  }
  const isNeeded = wantsCertificate.has(said) || refusal !== undefined
  if (!isNeeded && said !== CERTIFICATE_WANTED) return undefined
  const what = said === CERTIFICATE_WANTED ? 'it asks for' : 'it wants'
  return failure(
    'ERROR_WINHTTP_CLIENT_AUTH_CERT_NEEDED',
    'GENERAL_TRANSPORT',
    `Cannot connect to ${host}: ${what} ${isShown ? 'another certificate than ours' : 'a certificate from us'}`,
  )
}

/** The alert that an error code is about: OpenSSL names each for the version of the protocol that brought it up. */
function alertOf(code: string): string | undefined {
  return /^ERR_SSL_(?:SSLV3|SSL\/TLS|TLSV1|TLSV13)_ALERT_(\w+)$/u.exec(code)?.[1]
}

/** The library's own words, which name no secret: `tlsv1 alert internal error`. */
function reasonOf(error: Error, code: string): string {
  if ('reason' in error && typeof error.reason === 'string') return error.reason
  return code
    .replace(/^ERR_SSL_/u, '')
    .replaceAll('_', ' ')
    .toLowerCase()
}

function distrust(symbol: HresultSymbol, meaning: string): Distrust {
  return { symbol, meaning }
}
