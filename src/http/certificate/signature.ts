/** Signatures as certificates, lists and answers about them carry them: with an AlgorithmIdentifier (RFC 5280 §4.1.1.2). */

import { constants, verify, type KeyObject } from 'node:crypto'
import { contextTag, decodeOid, DerReader, derTags } from '../../auth/spnego/der.ts'

/** Algorithms by the hash that Node is told; `null` where there is nothing to choose. MD5 and SHA-1 are broken. */
const hashes: ReadonlyMap<string, string | null> = new Map([
  ['1.2.840.113549.1.1.11', 'sha256'], // sha256WithRSAEncryption
  ['1.2.840.113549.1.1.12', 'sha384'],
  ['1.2.840.113549.1.1.13', 'sha512'],
  ['1.2.840.10045.4.3.2', 'sha256'], // ecdsa-with-SHA256
  ['1.2.840.10045.4.3.3', 'sha384'],
  ['1.2.840.10045.4.3.4', 'sha512'],
  ['1.3.101.112', null], // Ed25519
  ['1.3.101.113', null], // Ed448
])

/** RSASSA-PSS, which tells its hash in its parameters (RFC 4055 §3.1). */
const RSA_PSS = '1.2.840.113549.1.1.10'

const pssHashes: ReadonlyMap<string, string> = new Map([
  ['2.16.840.1.101.3.4.2.1', 'sha256'],
  ['2.16.840.1.101.3.4.2.2', 'sha384'],
  ['2.16.840.1.101.3.4.2.3', 'sha512'],
])

/** Something that was signed. */
export interface Signed {
  /** The element that the signature is over, whole. */
  readonly content: Uint8Array
  /** The AlgorithmIdentifier, whole. */
  readonly algorithm: Uint8Array
  /** The content of the BIT STRING, with its count of unused bits. */
  readonly signature: Uint8Array
}

/**
 * Whether a key has signed something.
 *
 * @returns false also for algorithms that are broken or unknown
 * @throws {ProtocolError} `ERR_DER_TAG` and its kin when the algorithm is damaged
 */
export function isSignedBy({ content, algorithm, signature }: Signed, key: KeyObject): boolean {
  if (signature[0] !== 0) return false
  const fields = new DerReader(algorithm).enter(derTags.sequence)
  const id = decodeOid(fields.content(derTags.oid))
  const hash = id === RSA_PSS ? pssHash(fields) : hashes.get(id)
  if (hash === undefined) return false
  const padding =
    id === RSA_PSS
      ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_AUTO }
      : {}
  try {
    return verify(hash, content, { key, ...padding }, signature.subarray(1))
  } catch {
    // A key of another kind than the algorithm.
    return false
  }
}

/** RFC 4055 §3.1: SHA-1 where nothing is said. */
function pssHash(fields: DerReader): string | undefined {
  const hash = fields.enterOptional(derTags.sequence)?.enterOptional(contextTag(0))
  if (hash === undefined) return undefined
  return pssHashes.get(decodeOid(hash.enter(derTags.sequence).content(derTags.oid)))
}
