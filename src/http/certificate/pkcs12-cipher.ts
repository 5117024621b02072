/** What protects the contents of a PKCS#12 file: password-based encryption, and the code that shows they are whole. */

import { createDecipheriv, createHash, createHmac, pbkdf2Sync, timingSafeEqual } from 'node:crypto'
import { contextTag, decodeOid, derTags, type DerReader } from '../../auth/spnego/der.ts'
import { ProtocolError } from '../../base/error.ts'

/** The file is encrypted in a way that is not offered here. */
export class CipherError extends ProtocolError {}

/** A password in the two forms that the schemes take. The owner wipes it. */
export interface Password extends Disposable {
  /** UTF-8, for PBES2. */
  readonly octets: Uint8Array
  /** BMPString with its terminator, for everything older (RFC 7292 §B.1). */
  readonly wide: Uint8Array
}

/** Of numbers that say how slow a derivation is; beyond these a file would hold everything up for minutes. */
const MAX_PBKDF2_ROUNDS = 10_000_000
const MAX_LEGACY_ROUNDS = 1_000_000

/** Tags that only these files use. */
export const moreTags = { integer: 0x02, set: 0x31 } as const

const oids = {
  pbes2: '1.2.840.113549.1.5.13',
  pbkdf2: '1.2.840.113549.1.5.12',
  pbmac1: '1.2.840.113549.1.5.14',
} as const

/** PBES2's block ciphers in CBC mode (RFC 8018 §B.2), with the bytes of their keys. */
const blockCiphers: ReadonlyMap<string, readonly [name: string, keyBytes: number]> = new Map([
  ['2.16.840.1.101.3.4.1.2', ['aes-128-cbc', 16] as const],
  ['2.16.840.1.101.3.4.1.22', ['aes-192-cbc', 24] as const],
  ['2.16.840.1.101.3.4.1.42', ['aes-256-cbc', 32] as const],
  ['1.2.840.113549.3.7', ['des-ede3-cbc', 24] as const],
])

const hmacs: ReadonlyMap<string, string> = new Map([
  ['1.2.840.113549.2.7', 'sha1'],
  ['1.2.840.113549.2.8', 'sha224'],
  ['1.2.840.113549.2.9', 'sha256'],
  ['1.2.840.113549.2.10', 'sha384'],
  ['1.2.840.113549.2.11', 'sha512'],
])

const hashes: ReadonlyMap<string, string> = new Map([
  ['1.3.14.3.2.26', 'sha1'],
  ['2.16.840.1.101.3.4.2.4', 'sha224'],
  ['2.16.840.1.101.3.4.2.1', 'sha256'],
  ['2.16.840.1.101.3.4.2.2', 'sha384'],
  ['2.16.840.1.101.3.4.2.3', 'sha512'],
])

/** RFC 7292 §C: triple DES with three and with two keys, which OpenSSL still knows… */
const tripleDes: ReadonlyMap<string, number> = new Map([
  ['1.2.840.113549.1.12.1.3', 24],
  ['1.2.840.113549.1.12.1.4', 16],
])

/** …and what it has put away with its legacy provider, which Node does not load. */
const putAway: ReadonlyMap<string, string> = new Map([
  ['1.2.840.113549.1.12.1.1', 'RC4'],
  ['1.2.840.113549.1.12.1.2', 'RC4'],
  ['1.2.840.113549.1.12.1.5', 'RC2'],
  ['1.2.840.113549.1.12.1.6', 'RC2'],
  ['1.2.840.113549.1.5.1', 'MD2'],
  ['1.2.840.113549.1.5.3', 'DES'],
  ['1.2.840.113549.1.5.4', 'MD2'],
  ['1.2.840.113549.1.5.6', 'RC2'],
  ['1.2.840.113549.1.5.10', 'DES'],
  ['1.2.840.113549.1.5.11', 'RC2'],
])

/** What a key is derived for (RFC 7292 §B.3). */
const purposes = { key: 1, iv: 2, mac: 3 } as const

/**
 * The forms of a password, the likeliest first: of an empty one some programs write the terminator and others nothing.
 *
 * @param octets UTF-8; copied
 */
export function passwordForms(octets: Uint8Array): readonly Password[] {
  const utf8 = Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength)
  // The only way from UTF-8 to UTF-16 that Node offers is a string.
  const wide = Buffer.from(`${utf8.toString('utf8')}\0`, 'utf16le').swap16()
  const form = (wide: Uint8Array): Password => {
    const own = octets.slice()
    const wipe = (): void => {
      own.fill(0)
      wide.fill(0)
    }
    return { octets: own, wide, [Symbol.dispose]: wipe }
  }
  return octets.length === 0 ? [form(wide), form(new Uint8Array(0))] : [form(wide)]
}

/**
 * Decrypts.
 *
 * @param algorithm the content of its AlgorithmIdentifier
 * @returns bytes of their own, as secret as what they are
 * @throws {CipherError} `ERR_PKCS12_CIPHER` for an encryption that is not offered
 * @throws {Error} of OpenSSL, when the password is another
 */
export function decrypt(algorithm: DerReader, data: Uint8Array, password: Password): Uint8Array {
  const oid = decodeOid(algorithm.content(derTags.oid))
  if (oid === oids.pbes2) return decryptPbes2(algorithm.enter(derTags.sequence), data, password)
  const keyBytes = tripleDes.get(oid)
  if (keyBytes === undefined) throw unknownCipher(oid)
  const parameters = algorithm.enter(derTags.sequence)
  const salt = parameters.content(derTags.octetString)
  const rounds = readRounds(parameters, MAX_LEGACY_ROUNDS)
  const derived = deriveLegacy('sha1', password.wide, salt, rounds, purposes.key, keyBytes)
  const iv = deriveLegacy('sha1', password.wide, salt, rounds, purposes.iv, 8)
  // Two keys are three of which the last is the first again.
  const key = keyBytes === 24 ? derived : Buffer.concat([derived, derived.subarray(0, 8)])
  try {
    return decipher('des-ede3-cbc', key, iv, data)
  } finally {
    derived.fill(0)
    key.fill(0)
  }
}

/** RFC 8018 §6.2. */
function decryptPbes2(parameters: DerReader, data: Uint8Array, { octets }: Password): Uint8Array {
  const derivation = parameters.enter(derTags.sequence)
  const scheme = parameters.enter(derTags.sequence)
  const cipherOid = decodeOid(scheme.content(derTags.oid))
  const [cipher, keyBytes] = blockCiphers.get(cipherOid) ?? []
  if (cipher === undefined || keyBytes === undefined) throw unknownCipher(cipherOid)
  const iv = scheme.content(derTags.octetString)
  const key = deriveModern(derivation, octets, keyBytes)
  try {
    return decipher(cipher, key, iv, data)
  } finally {
    key.fill(0)
  }
}

function decipher(name: string, key: Uint8Array, iv: Uint8Array, data: Uint8Array): Uint8Array {
  const cipher = createDecipheriv(name, key, iv)
  const [body, rest] = [cipher.update(data), cipher.final()]
  const whole = new Uint8Array(body.length + rest.length)
  whole.set(body)
  whole.set(rest, body.length)
  body.fill(0)
  rest.fill(0)
  return whole
}

/**
 * Whether the code of a file agrees (RFC 7292 §4, RFC 9579 for PBMAC1): then the password is right and nothing damaged.
 *
 * @param mac the content of MacData
 */
export function isWhole(mac: DerReader, contents: Uint8Array, password: Password): boolean {
  const digest = mac.enter(derTags.sequence)
  const algorithm = digest.enter(derTags.sequence)
  const expected = digest.content(derTags.octetString)
  const oid = decodeOid(algorithm.content(derTags.oid))
  const salt = mac.content(derTags.octetString)
  const rounds = mac.atEnd ? 1 : readRounds(mac, MAX_LEGACY_ROUNDS)
  if (oid === oids.pbmac1) {
    const parameters = algorithm.enter(derTags.sequence)
    const derivation = parameters.enter(derTags.sequence)
    const hmac = hmacs.get(decodeOid(parameters.enter(derTags.sequence).content(derTags.oid)))
    if (hmac === undefined) throw unknownCipher(oid)
    return agrees(hmac, deriveModern(derivation, password.octets, undefined), contents, expected)
  }
  const hash = hashes.get(oid)
  if (hash === undefined) throw unknownCipher(oid)
  const length = createHash(hash).digest().length
  const key = deriveLegacy(hash, password.wide, salt, rounds, purposes.mac, length)
  return agrees(hash, key, contents, expected)
}

function agrees(
  hash: string,
  key: Uint8Array,
  contents: Uint8Array,
  expected: Uint8Array,
): boolean {
  const found = createHmac(hash, key).update(contents).digest()
  key.fill(0)
  return found.length === expected.length && timingSafeEqual(found, expected)
}

/** PBKDF2 (RFC 8018 §A.2). @param keyBytes where the derivation does not say it itself */
function deriveModern(
  derivation: DerReader,
  octets: Uint8Array,
  keyBytes: number | undefined,
): Uint8Array {
  const oid = decodeOid(derivation.content(derTags.oid))
  if (oid !== oids.pbkdf2) throw unknownCipher(oid)
  const parameters = derivation.enter(derTags.sequence)
  const salt = parameters.content(derTags.octetString)
  const rounds = readRounds(parameters, MAX_PBKDF2_ROUNDS)
  const saidBytes =
    parameters.nextTag === moreTags.integer ? readRounds(parameters, MAX_KEY_BYTES) : undefined
  const prfOid = parameters.atEnd
    ? '1.2.840.113549.2.7'
    : decodeOid(parameters.enter(derTags.sequence).content(derTags.oid))
  const prf = hmacs.get(prfOid)
  const length = keyBytes ?? saidBytes
  if (prf === undefined || length === undefined) throw unknownCipher(prfOid)
  return pbkdf2Sync(octets, salt, rounds, length, prf)
}

const MAX_KEY_BYTES = 1_024

/** RFC 7292 §B.2, for keys of any length. Its names: D, S, P, I, A, B. */
function deriveLegacy(
  hash: string,
  wide: Uint8Array,
  salt: Uint8Array,
  rounds: number,
  purpose: number,
  length: number,
): Uint8Array {
  const block = hash === 'sha384' || hash === 'sha512' ? 128 : 64
  const d = new Uint8Array(block).fill(purpose)
  const i = Buffer.concat([repeat(salt, block), repeat(wide, block)])
  const key = new Uint8Array(length)
  for (let filled = 0; filled < length;) {
    let a = createHash(hash).update(d).update(i).digest()
    for (let round = 1; round < rounds; round++) a = createHash(hash).update(a).digest()
    key.set(a.subarray(0, length - filled), filled)
    filled += a.length
    addToBlocks(i, repeat(a, block), block)
  }
  i.fill(0)
  return key
}

/** As many whole copies as fill a number of blocks, cut off at its end. */
function repeat(bytes: Uint8Array, block: number): Uint8Array {
  const filled = new Uint8Array(Math.ceil(bytes.length / block) * block)
  for (let at = 0; at < filled.length; at++) filled[at] = bytes[at % bytes.length] ?? 0
  return filled
}

/** To each block of `i`, as a number, adds B and 1; what overflows is lost. */
function addToBlocks(i: Uint8Array, b: Uint8Array, block: number): void {
  for (let start = 0; start < i.length; start += block) {
    let carry = 1
    for (let at = block - 1; at >= 0; at--) {
      carry += (i[start + at] ?? 0) + (b[at] ?? 0)
      i[start + at] = carry & 0xff
      carry >>= 8
    }
  }
}

function readRounds(reader: DerReader, limit: number): number {
  let number = 0
  for (const octet of reader.content(moreTags.integer)) number = number * 256 + octet
  if (number < 1 || number > limit) {
    throw new CipherError('ERR_PKCS12_CIPHER', `${number} rounds or bytes, ${limit} is the most`)
  }
  return number
}

function unknownCipher(oid: string): CipherError {
  return new CipherError('ERR_PKCS12_CIPHER', putAway.get(oid) ?? `the algorithm ${oid}`)
}

/** `[0]` when it holds what was encrypted: implicit, so an octet string by another name; in pieces, constructed. */
export function implicitOctets(reader: DerReader): Uint8Array {
  const whole = reader.optional(0x80)
  if (whole !== undefined) return whole
  const pieces = reader.enter(contextTag(0))
  const found: Uint8Array[] = []
  while (!pieces.atEnd) found.push(pieces.content(derTags.octetString))
  return Buffer.concat(found)
}
