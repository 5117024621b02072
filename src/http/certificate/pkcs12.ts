/**
 * Reads PKCS#12 (RFC 7292): certificates and keys in one file behind one password.
 *
 * OpenSSL could, but Node has it trust every authority in the file for whatever the connection leads to; a client
 * certificate is to say who we are and never whom we believe.
 */

import { contextTag, decodeOid, derTags, DerReader } from '../../auth/spnego/der.ts'
import { ProtocolError } from '../../base/error.ts'
import { readBer } from './ber.ts'
import {
  CipherError,
  decrypt,
  implicitOctets,
  isWhole,
  moreTags,
  passwordForms,
  type Password,
} from './pkcs12-cipher.ts'

/** What is in a file. */
export interface Pkcs12 {
  /** DER, in their order. */
  readonly certificates: readonly Uint8Array[]
  /** PKCS#8 in DER, decrypted: secret, and the caller's to wipe. */
  readonly keys: readonly Uint8Array[]
}

/** The password is another one, or the file is damaged: the file does not tell which. */
export class PasswordError extends ProtocolError {}

type Wanted = 'everything' | 'keys'

const types = {
  data: '1.2.840.113549.1.7.1',
  encryptedData: '1.2.840.113549.1.7.6',
  keyBag: '1.2.840.113549.1.12.10.1.1',
  shroudedKeyBag: '1.2.840.113549.1.12.10.1.2',
  certificateBag: '1.2.840.113549.1.12.10.1.3',
  nestedBag: '1.2.840.113549.1.12.10.1.6',
  x509: '1.2.840.113549.1.9.22.1',
} as const

/** The only version there is. */
const VERSION = 3

/** Bags in bags: more is an attempt to keep us busy. */
const MAX_NESTING = 4

/** Whether bytes begin as such a file does: a sequence with the number 3. */
export function isPkcs12(bytes: Uint8Array): boolean {
  try {
    return begin(bytes) !== undefined
  } catch {
    return false
  }
}

/**
 * Reads the whole file.
 *
 * @param passphrase UTF-8; empty for none
 * @throws {PasswordError} `ERR_PKCS12_PASSWORD`
 * @throws {CipherError} `ERR_PKCS12_CIPHER` with what is not offered as its message
 * @throws {ProtocolError} when it is no such file, or damaged
 */
export function readPkcs12(bytes: Uint8Array, passphrase: Uint8Array): Pkcs12 {
  return read(bytes, passphrase, 'everything')
}

/**
 * The keys alone: macOS and older Windows encrypt certificates, which are no secret, in ways that are out of use (RC2),
 * but not keys.
 *
 * @returns PKCS#8 in DER, decrypted: secret, and the caller's to wipe
 * @throws as {@link readPkcs12}
 */
export function readPkcs12Keys(bytes: Uint8Array, passphrase: Uint8Array): readonly Uint8Array[] {
  return read(bytes, passphrase, 'keys').keys
}

function read(bytes: Uint8Array, passphrase: Uint8Array, wanted: Wanted): Pkcs12 {
  const file = begin(bytes)
  if (file === undefined) throw damaged('its version')
  const contents = readContents(file.enter(derTags.sequence))
  const mac = file.atEnd ? undefined : file.element(derTags.sequence)
  const forms = passwordForms(passphrase)
  try {
    for (const password of forms) {
      if (mac !== undefined && !isWhole(new DerReader(mac).enter(derTags.sequence), contents, password)) continue // prettier-ignore
      return new Opener(password, wanted).open(contents)
    }
    throw wrongPassword()
  } finally {
    for (const password of forms) password[Symbol.dispose]()
  }
}

/** The file behind its version; `undefined` when that is another. */
function begin(bytes: Uint8Array): DerReader | undefined {
  const file = readBer(bytes).enter(derTags.sequence)
  const [version, ...more] = file.content(moreTags.integer)
  return version === VERSION && more.length === 0 ? file : undefined
}

/** The octets of a ContentInfo of type data. */
function readContents(info: DerReader): Uint8Array {
  const type = decodeOid(info.content(derTags.oid))
  if (type !== types.data) throw new CipherError('ERR_PKCS12_CIPHER', 'a public key instead of a password') // prettier-ignore
  return info.enter(contextTag(0)).content(derTags.octetString)
}

/** Collects what is in the bags of one file. */
class Opener {
  readonly #password: Password
  readonly #wanted: Wanted
  readonly #certificates: Uint8Array[] = []
  readonly #keys: Uint8Array[] = []

  constructor(password: Password, wanted: Wanted) {
    this.#password = password
    this.#wanted = wanted
  }

  /** @param contents AuthenticatedSafe (RFC 7292 §4.1) */
  open(contents: Uint8Array): Pkcs12 {
    try {
      const infos = readBer(contents).enter(derTags.sequence)
      while (!infos.atEnd) this.#openInfo(infos.enter(derTags.sequence))
      return { certificates: this.#certificates, keys: this.#keys }
    } catch (error) {
      for (const key of this.#keys) key.fill(0)
      throw error
    }
  }

  #openInfo(info: DerReader): void {
    const type = decodeOid(info.content(derTags.oid))
    const content = info.enter(contextTag(0))
    if (type === types.data) return this.#openSafe(content.content(derTags.octetString))
    if (type !== types.encryptedData) throw damaged(`a part of type ${type}`)
    const data = content.enter(derTags.sequence)
    data.content(moreTags.integer)
    const encrypted = data.enter(derTags.sequence)
    encrypted.content(derTags.oid)
    const algorithm = encrypted.enter(derTags.sequence)
    try {
      this.#openSafe(this.#decrypt(algorithm, implicitOctets(encrypted)))
    } catch (error) {
      if (this.#wanted === 'everything' || !(error instanceof CipherError)) throw error
    }
  }

  /** @param safe SafeContents (RFC 7292 §4.2) */
  #openSafe(safe: Uint8Array, nesting = 0): void {
    if (nesting > MAX_NESTING) throw damaged('bags in bags in bags')
    const bags = readBer(safe).enter(derTags.sequence)
    while (!bags.atEnd) {
      const bag = bags.enter(derTags.sequence)
      const type = decodeOid(bag.content(derTags.oid))
      const value = bag.content(contextTag(0))
      if (type === types.nestedBag) this.#openSafe(value, nesting + 1)
      else this.#take(type, value)
    }
  }

  #take(type: string, value: Uint8Array): void {
    if (type === types.keyBag) this.#keys.push(value.slice())
    if (type === types.shroudedKeyBag) {
      const shrouded = new DerReader(value).enter(derTags.sequence)
      const algorithm = shrouded.enter(derTags.sequence)
      this.#keys.push(this.#decrypt(algorithm, shrouded.content(derTags.octetString)))
    }
    if (type !== types.certificateBag) return
    const certificate = new DerReader(value).enter(derTags.sequence)
    if (decodeOid(certificate.content(derTags.oid)) !== types.x509) return
    this.#certificates.push(certificate.enter(contextTag(0)).content(derTags.octetString).slice())
  }

  #decrypt(algorithm: DerReader, data: Uint8Array): Uint8Array {
    try {
      return decrypt(algorithm, data, this.#password)
    } catch (error) {
      // OpenSSL's, of padding that is none.
      if (error instanceof ProtocolError) throw error
      throw wrongPassword(error)
    }
  }
}

function wrongPassword(cause?: unknown): PasswordError {
  return new PasswordError('ERR_PKCS12_PASSWORD', 'Cannot open the file with this passphrase', {
    cause,
  })
}

function damaged(what: string): ProtocolError {
  return new ProtocolError('ERR_PKCS12', `Cannot read the file: ${what}`)
}
