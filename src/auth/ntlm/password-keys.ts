/** The one-way functions of NTLM: from a password to the keys that answer challenges (MS-NLMP §3.3, A246). */

import type { Hashes } from '../crypto.ts'
import { encryptDesBlock, expandDesKey } from '../legacy-crypto/des.ts'
import { md4 } from '../legacy-crypto/md4.ts'
import { isAscii } from '../utf8.ts'
import { joinBytes } from './bytes.ts'
import { encodeUtf16, upperCase, utf16OfUtf8 } from './text.ts'

/**
 * NTOWFv1, the NT hash: as good as the password itself wherever NTLM is spoken (A164).
 *
 * @param password UTF-8
 * @returns 16 bytes that belong to the caller, who wipes them
 */
export function computeNtHash(password: Uint8Array): Uint8Array {
  const utf16 = utf16OfUtf8(password)
  const hash = md4(utf16)
  utf16.fill(0)
  return hash
}

const maximumLmPasswordBytes = 14
const lmConstant = new TextEncoder().encode('KGS!@#$%')

/**
 * LMOWFv1, the LM hash: the password in upper case, in two halves.
 *
 * @param password UTF-8
 * @returns 16 bytes that belong to the caller, who wipes them; `undefined` when it cannot be computed, because the
 *   password has more than 14 characters or one whose OEM code differs from place to place
 */
export function computeLmHash(password: Uint8Array): Uint8Array | undefined {
  if (password.length > maximumLmPasswordBytes || !isAscii(password)) return undefined
  const upper = new Uint8Array(maximumLmPasswordBytes)
  for (const [index, byte] of password.entries()) {
    upper[index] = byte >= 0x61 && byte <= 0x7a ? byte - 0x20 : byte
  }
  const hash = joinBytes(
    encryptWithSeven(upper.subarray(0, 7), lmConstant),
    encryptWithSeven(upper.subarray(7), lmConstant),
  )
  upper.fill(0)
  return hash
}

/**
 * NTOWFv2, which is LMOWFv2 too: the NT hash bound to a user and a domain. The user is taken in upper case, the domain
 * as it is.
 *
 * @returns 16 bytes that belong to the caller, who wipes them
 */
export function computeNtlmv2Key(
  ntHash: Uint8Array,
  user: string,
  domain: string,
  hashes: Hashes,
): Uint8Array {
  return hashes.hmac('md5', ntHash, encodeUtf16(upperCase(user) + domain))
}

/** DES with a key of seven bytes over one block. */
export function encryptWithSeven(key: Uint8Array, block: Uint8Array): Uint8Array {
  const expanded = expandDesKey(key)
  const encrypted = encryptDesBlock(expanded, block)
  expanded.fill(0)
  return encrypted
}

/** DESL (MS-NLMP §6): 8 bytes under the three thirds of a hash of 16, the last filled with zeros; 24 bytes. */
export function encryptWithThirds(hash: Uint8Array, block: Uint8Array): Uint8Array {
  const keys = new Uint8Array(21)
  keys.set(hash)
  const encrypted = joinBytes(
    encryptWithSeven(keys.subarray(0, 7), block),
    encryptWithSeven(keys.subarray(7, 14), block),
    encryptWithSeven(keys.subarray(14), block),
  )
  keys.fill(0)
  return encrypted
}
