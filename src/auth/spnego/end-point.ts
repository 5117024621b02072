/** `tls-server-end-point`: a TLS channel by the certificate of its server (RFC 5929 §4, A400). */

import type { HashAlgorithm, Hashes } from '../crypto.ts'
import { joinBytes } from '../ntlm/bytes.ts'
import { contextTag, decodeOid, DerReader, derTags } from './der.ts'

/** An AlgorithmIdentifier (RFC 5280 §4.1.1.2). */
export interface SignatureAlgorithm {
  /** Dotted. */
  readonly id: string
  /** The element of the parameters, whole; absent when there is none. */
  readonly parameters?: Uint8Array
}

/** Signature algorithms whose one hash is told by their name. MD5 and SHA-1 become SHA-256, as RFC 5929 §4.1 says. */
const hashOfSignature: ReadonlyMap<string, HashAlgorithm> = new Map([
  ['1.2.840.113549.1.1.4', 'sha-256'], // md5WithRSAEncryption
  ['1.2.840.113549.1.1.5', 'sha-256'], // sha1WithRSAEncryption
  ['1.3.14.3.2.29', 'sha-256'], // sha1WithRSASignature
  ['1.2.840.10045.4.1', 'sha-256'], // ecdsa-with-SHA1
  ['1.2.840.10040.4.3', 'sha-256'], // dsa-with-sha1
  ['1.2.840.113549.1.1.14', 'sha-224'], // sha224WithRSAEncryption
  ['1.2.840.10045.4.3.1', 'sha-224'], // ecdsa-with-SHA224
  ['1.2.840.113549.1.1.11', 'sha-256'], // sha256WithRSAEncryption
  ['1.2.840.10045.4.3.2', 'sha-256'], // ecdsa-with-SHA256
  ['2.16.840.1.101.3.4.3.2', 'sha-256'], // dsa-with-sha256
  ['1.2.840.113549.1.1.12', 'sha-384'], // sha384WithRSAEncryption
  ['1.2.840.10045.4.3.3', 'sha-384'], // ecdsa-with-SHA384
  ['1.2.840.113549.1.1.13', 'sha-512'], // sha512WithRSAEncryption
  ['1.2.840.10045.4.3.4', 'sha-512'], // ecdsa-with-SHA512
])

/** RSASSA-PSS, which tells its hash in its parameters (RFC 4055 §3.1). */
const rsaPss = '1.2.840.113549.1.1.10'

const hashById: ReadonlyMap<string, HashAlgorithm> = new Map([
  ['1.2.840.113549.2.5', 'sha-256'], // MD5
  ['1.3.14.3.2.26', 'sha-256'], // SHA-1
  ['2.16.840.1.101.3.4.2.4', 'sha-224'],
  ['2.16.840.1.101.3.4.2.1', 'sha-256'],
  ['2.16.840.1.101.3.4.2.2', 'sha-384'],
  ['2.16.840.1.101.3.4.2.3', 'sha-512'],
  ['2.16.840.1.101.3.4.2.6', 'sha-512-256'],
])

/**
 * The hash that a signature algorithm asks for.
 *
 * @returns `undefined` where RFC 5929 defines none, as for Ed25519: then nothing is bound
 * @throws {ProtocolError} `ERR_DER_TAG` and its kin when the parameters of RSASSA-PSS cannot be read
 */
export function endPointHash({ id, parameters }: SignatureAlgorithm): HashAlgorithm | undefined {
  if (id !== rsaPss) return hashOfSignature.get(id)
  // RFC 4055 §3.1: SHA-1 where nothing is said, which becomes SHA-256.
  if (parameters === undefined) return 'sha-256'
  const hash = new DerReader(parameters).enter(derTags.sequence).enterOptional(contextTag(0))
  if (hash === undefined) return 'sha-256'
  return hashById.get(decodeOid(hash.enter(derTags.sequence).content(derTags.oid)))
}

/**
 * The signature algorithm of a certificate.
 *
 * @param certificate DER
 * @throws {ProtocolError} `ERR_DER_TAG` and its kin when it is not a certificate
 */
export function signatureAlgorithmOf(certificate: Uint8Array): SignatureAlgorithm {
  const fields = new DerReader(certificate).enter(derTags.sequence)
  fields.content(derTags.sequence) // tbsCertificate
  const algorithm = fields.enter(derTags.sequence)
  const id = decodeOid(algorithm.content(derTags.oid))
  const tag = algorithm.nextTag
  return tag === undefined ? { id } : { id, parameters: algorithm.element(tag) }
}

const prefix = new TextEncoder().encode('tls-server-end-point:')

/**
 * The application data that binds to a server's certificate: for NTLM, and for Kerberos through its mechanism.
 *
 * @param certificate the end-entity certificate in DER, exactly as the server sent it
 * @returns `undefined` where no hash is defined for it, or this machine does not have that one
 * @throws {ProtocolError} `ERR_DER_TAG` and its kin when it is not a certificate
 */
export function tlsServerEndPoint(certificate: Uint8Array, hashes: Hashes): Uint8Array | undefined {
  const algorithm = endPointHash(signatureAlgorithmOf(certificate))
  if (algorithm === undefined || !hashes.has(algorithm)) return undefined
  return joinBytes(prefix, hashes.hash(algorithm, certificate))
}
