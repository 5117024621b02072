/**
 * One sealed secret as bytes.
 *
 * ```
 *  0   version      1 byte, 1
 *  1   key id      16 bytes   which master key
 * 17   salt        32 bytes   random; the record's own key is HKDF-SHA-256(master key, salt)
 * 49   nonce       12 bytes   random
 * 61   secret      as long as the secret, encrypted with AES-256-GCM
 *  …   tag         16 bytes
 * ```
 *
 * Associated data is everything before the secret, then the context ({@link encodeContext}): a record opens as it was
 * written and where it belongs, or not at all. Keys are used once, so that neither the number of records nor a nonce
 * that comes twice is of any concern (NIST SP 800-38D §8.3).
 */

import { createCipheriv, createDecipheriv, type DecipherGCM } from 'node:crypto'
import type { Random } from '../base/random.ts'
import { encodeContext, recordError, type SealContext } from '../engine/ports/vault.ts'
import { KEY_ID_BYTES, type MasterKey } from './master-key.ts'

const VERSION = 1
const SALT_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16

const SALT_AT = 1 + KEY_ID_BYTES
const NONCE_AT = SALT_AT + SALT_BYTES
const SECRET_AT = NONCE_AT + NONCE_BYTES

/** By how many bytes a record is longer than its secret. */
export const RECORD_OVERHEAD = SECRET_AT + TAG_BYTES

/** Said, because Node would take a shorter tag for as good. */
const options = { authTagLength: TAG_BYTES }

/** Where randomness for records and keys comes from: the platform's cryptographic generator. */
export type SecureRandom = Pick<Random, 'bytes'>

/** Seals `secret`, which stays the caller's, with `key`. */
export function sealRecord(
  key: MasterKey,
  context: SealContext,
  secret: Uint8Array,
  random: SecureRandom,
): Uint8Array {
  const record = new Uint8Array(RECORD_OVERHEAD + secret.length)
  record[0] = VERSION
  record.set(Buffer.from(key.id, 'hex'), 1)
  record.set(random.bytes(SALT_BYTES), SALT_AT)
  record.set(random.bytes(NONCE_BYTES), NONCE_AT)
  const { header, salt, nonce } = parts(record)
  const associated = [header, encodeContext(context)]
  const recordKey = key.recordKey(salt)
  try {
    const cipher = createCipheriv('aes-256-gcm', recordKey, nonce, options)
    cipher.setAAD(Buffer.concat(associated))
    record.set(cipher.update(secret), SECRET_AT)
    cipher.final()
    record.set(cipher.getAuthTag(), SECRET_AT + secret.length)
    return record
  } finally {
    recordKey.fill(0)
  }
}

/**
 * Which master key a record was sealed with.
 *
 * @throws {VaultError} `ERR_VAULT_NEWER`, or `ERR_VAULT_RECORD_REFUSED` when these bytes are no record
 */
export function keyIdOf(context: SealContext, record: Uint8Array): string {
  const version = record[0] ?? 0
  if (version > VERSION) throw recordError('ERR_VAULT_NEWER', context)
  if (version < VERSION || record.length < RECORD_OVERHEAD) {
    throw recordError('ERR_VAULT_RECORD_REFUSED', context)
  }
  return Buffer.from(record.subarray(1, SALT_AT)).toString('hex')
}

/**
 * Opens a record with the key it names.
 *
 * @returns the secret; the caller wipes it
 * @throws {VaultError} `ERR_VAULT_RECORD_REFUSED`
 */
export function openRecord(key: MasterKey, context: SealContext, record: Uint8Array): Uint8Array {
  const { header, salt, nonce, sealed, tag } = parts(record)
  const associated = [header, encodeContext(context)]
  const recordKey = key.recordKey(salt)
  try {
    const decipher = createDecipheriv('aes-256-gcm', recordKey, nonce, options)
    decipher.setAAD(Buffer.concat(associated))
    decipher.setAuthTag(tag)
    const opened = decipher.update(sealed)
    if (!isAuthentic(decipher)) {
      // What was decrypted under a wrong tag is not to be seen by anybody.
      opened.fill(0)
      throw recordError('ERR_VAULT_RECORD_REFUSED', context)
    }
    return new Uint8Array(opened.buffer, opened.byteOffset, opened.length)
  } finally {
    recordKey.fill(0)
  }
}

/** Whether the tag is right: the only way in which the end of a decryption fails. */
function isAuthentic(decipher: DecipherGCM): boolean {
  try {
    decipher.final()
    return true
  } catch {
    return false
  }
}

function parts(record: Uint8Array) {
  const tagAt = record.length - TAG_BYTES
  return {
    header: record.subarray(0, SECRET_AT),
    salt: record.subarray(SALT_AT, NONCE_AT),
    nonce: record.subarray(NONCE_AT, SECRET_AT),
    sealed: record.subarray(SECRET_AT, tagAt),
    tag: record.subarray(tagAt),
  }
}
