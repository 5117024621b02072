/**
 * A client certificate with its key, read from files and checked before anybody is shown it:
 *
 * ```
 *  PEM, one file or two ─┐
 *  DER and a key         ├→ certificates, keys → the pair that belongs together → dates → key for TLS
 *  PKCS#12 ──────────────┘
 * ```
 *
 * What is wrong with it is told here, in words; what a server would say of it is an alert at best.
 */

import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'
import { ProtocolError } from '../../base/error.ts'
import type { CertificateOrder } from '../../engine/order.ts'
import { codeOf, refusalOf, type Refuse } from './failure.ts'
import { hostStore, takeFromSystem } from './host-store.ts'
import { readKeyFile, type KeyFile } from './key-file.ts'
import { encodePem, findPemBlocks } from './pem.ts'
import { CipherError } from './pkcs12-cipher.ts'
import { formatPlace, parsePlace, type PlatformStore, type StorePlace } from './platform-store.ts'
import { isPkcs12, PasswordError, readPkcs12 } from './pkcs12.ts'
import { isKeyBlock, openKeyBlock } from './private-key.ts'

/** A certificate whose key is there. */
export interface ClientIdentity extends Disposable {
  readonly certificate: X509Certificate
  /** The certificate and behind it those of its authorities that the files have; PEM. */
  readonly chain: string
  /** PKCS#8 in PEM, not encrypted: secret, wiped with the identity. */
  readonly key: Uint8Array
}

/** What the files have, before it is known what belongs together. */
interface Found {
  readonly certificates: readonly X509Certificate[]
  /** Opened when they are needed. */
  readonly keys: readonly FoundKey[]
}

interface FoundKey {
  /** @throws {FailureError} as {@link readClientCertificate} */
  readonly open: () => KeyObject
}

const NO_KEY = 'ERROR_WINHTTP_CLIENT_CERT_NO_PRIVATE_KEY'
const NO_ACCESS = 'ERROR_WINHTTP_CLIENT_CERT_NO_ACCESS_PRIVATE_KEY'

/**
 * Reads a client certificate and checks that it can be used now.
 *
 * @param order its passphrase stays the caller's
 * @param now for its dates
 * @throws {FailureError} fatal, in the context LOCAL_FILE: `ERROR_FILE_NOT_FOUND` without one of the files,
 *   `CRYPT_E_NOT_FOUND` when there is no certificate in them, `ERROR_WINHTTP_CLIENT_CERT_NO_PRIVATE_KEY` when none of
 *   their keys is the certificate's, `ERROR_WINHTTP_CLIENT_CERT_NO_ACCESS_PRIVATE_KEY` when the key cannot be opened,
 *   `ERROR_WINHTTP_SECURE_CERT_DATE_INVALID`, `ERROR_NOT_SUPPORTED`, `ERROR_INVALID_DATA`
 */
export function readClientCertificate(order: CertificateOrder, now: Date): ClientIdentity {
  const { certificateFile, keyFile, passphrase } = order
  const place = parsePlace(certificateFile)
  if (place !== undefined) return readFromSystem(place, now, hostStore())
  const files = [certificateFile, ...(keyFile === undefined ? [] : [keyFile])].map(readKeyFile)
  try {
    const found = files.map((file) => findIn(file, passphrase))
    const certificates = found.flatMap(({ certificates }) => certificates)
    const refuse = refusalOf(certificateFile)
    const [first] = certificates
    if (first === undefined) throw refuse('CRYPT_E_NOT_FOUND', 'there is no certificate in it')
    const keys = found.flatMap(({ keys }) => keys)
    const { certificate, key } = match(certificates, keys, refuse)
    checkDates(certificate, now, refuse)
    return identityOf(certificate, certificates, key)
  } finally {
    for (const { bytes } of files) bytes.fill(0)
  }
}

/**
 * Takes a client certificate out of a store of the system.
 *
 * @param system `undefined` where there is none
 * @throws {FailureError} as {@link readClientCertificate} and `takeFromSystem`
 */
export function readFromSystem(
  place: StorePlace,
  now: Date,
  system: PlatformStore | undefined,
): ClientIdentity {
  const refuse = refusalOf(formatPlace(place))
  const { certificates, keys } = takeFromSystem(place, system)
  const opened = keys.map((der) => readKey(der, refuse))
  const [own] = certificates
  if (own === undefined) throw refuse('CRYPT_E_NOT_FOUND', 'there is no certificate in it')
  const key = opened.find((each) => own.checkPrivateKey(each))
  if (key === undefined) throw refuse(NO_KEY, 'its private key is not there')
  checkDates(own, now, refuse)
  return identityOf(own, certificates, key)
}

/**
 * Says no to a certificate outside its time.
 *
 * @throws {FailureError} `ERROR_WINHTTP_SECURE_CERT_DATE_INVALID`
 */
export function checkDates(
  { validFrom, validTo }: X509Certificate,
  now: Date,
  refuse: Refuse,
): void {
  const symbol = 'ERROR_WINHTTP_SECURE_CERT_DATE_INVALID'
  if (now < new Date(validFrom)) throw refuse(symbol, `it is not valid before ${timeOf(validFrom)}`)
  if (now > new Date(validTo)) throw refuse(symbol, `it has expired on ${timeOf(validTo)}`)
}

/**
 * The certificates of one file; keys are not looked at.
 *
 * @throws {FailureError} as {@link readClientCertificate}; PKCS#12 only without a passphrase
 */
export function certificatesIn(path: string): readonly X509Certificate[] {
  const file = readKeyFile(path)
  try {
    return findIn(file, undefined).certificates
  } finally {
    file.bytes.fill(0)
  }
}

/** OpenSSL's words for a time as a standard has them, without the milliseconds that no certificate has. */
function timeOf(words: string): string {
  return new Date(words).toISOString().replace('.000', '')
}

/** The first certificate whose key is there; authorities stand behind it, or before it, and have none. */
function match(
  certificates: readonly X509Certificate[],
  keys: readonly FoundKey[],
  refuse: Refuse,
): { readonly certificate: X509Certificate; readonly key: KeyObject } {
  if (keys.length === 0) throw refuse(NO_KEY, 'its private key is not there')
  for (const { open } of keys) {
    const key = open()
    const certificate = certificates.find((each) => each.checkPrivateKey(key))
    if (certificate !== undefined) return { certificate, key }
  }
  throw refuse(NO_KEY, 'the private key there is of another certificate')
}

function identityOf(
  certificate: X509Certificate,
  certificates: readonly X509Certificate[],
  key: KeyObject,
): ClientIdentity {
  const others = certificates.filter(({ fingerprint256 }) => fingerprint256 !== certificate.fingerprint256) // prettier-ignore
  const der = key.export({ type: 'pkcs8', format: 'der' })
  const pem = encodePem('PRIVATE KEY', der)
  der.fill(0)
  return {
    certificate,
    chain: [certificate, ...others].map(String).join(''),
    key: pem,
    [Symbol.dispose]: () => pem.fill(0),
  }
}

function findIn(file: KeyFile, passphrase: Uint8Array | undefined): Found {
  const refuse = refusalOf(file.path)
  const blocks = findPemBlocks(file.bytes)
  if (blocks.length === 0) return findInDer(file, passphrase, refuse)
  const certificates = blocks
    .filter(({ label }) => /^(?:X509 |TRUSTED )?CERTIFICATE$/.test(label))
    .map(({ bytes }) => readCertificate(bytes, refuse))
  const keys = blocks.filter(isKeyBlock).map((block) => ({
    open: () => openKeyBlock(block, file.path, passphrase, refuse),
  }))
  return { certificates, keys }
}

function findInDer(file: KeyFile, passphrase: Uint8Array | undefined, refuse: Refuse): Found {
  if (isPkcs12(file.bytes)) return findInPkcs12(file, passphrase, refuse)
  // The other way in which authorities hand certificates out: one alone, with the key somewhere else.
  if (file.bytes[0] === 0x30)
    return { certificates: [readCertificate(file.bytes, refuse)], keys: [] }
  throw refuse('ERROR_INVALID_DATA', 'it is neither PEM nor PKCS#12')
}

function findInPkcs12(
  file: KeyFile,
  passphrase: Uint8Array = new Uint8Array(0),
  refuse: Refuse,
): Found {
  const { certificates, keys } = openPkcs12(file, passphrase, refuse)
  const opened = keys.map((der) => readKey(der, refuse))
  return {
    certificates: certificates.map((der) => readCertificate(der, refuse)),
    keys: opened.map((key) => ({ open: () => key })),
  }
}

function openPkcs12(
  { path, bytes }: KeyFile,
  passphrase: Uint8Array,
  refuse: Refuse,
): ReturnType<typeof readPkcs12> {
  try {
    return readPkcs12(bytes, passphrase)
  } catch (error) {
    if (error instanceof PasswordError) {
      const why = passphrase.length === 0 ? 'it needs a passphrase' : 'the passphrase does not open it' // prettier-ignore
      throw refuse(NO_ACCESS, why, error)
    }
    if (error instanceof CipherError) {
      const command = `openssl pkcs12 -legacy -in ${path} -out NEW.pem`
      throw refuse('ERROR_NOT_SUPPORTED', `its encryption is out of use (${error.message}), convert it with: ${command}`, error) // prettier-ignore
    }
    if (error instanceof ProtocolError) throw refuse('ERROR_INVALID_DATA', 'it is damaged', error)
    throw error
  }
}

function readKey(der: Uint8Array, refuse: Refuse): KeyObject {
  try {
    const key = Buffer.from(der.buffer, der.byteOffset, der.byteLength)
    return createPrivateKey({ key, format: 'der', type: 'pkcs8' })
  } catch (error) {
    throw refuse('ERROR_INVALID_DATA', `its private key is damaged (${codeOf(error)})`, error)
  } finally {
    der.fill(0)
  }
}

function readCertificate(bytes: Uint8Array, refuse: Refuse): X509Certificate {
  try {
    return new X509Certificate(bytes)
  } catch (error) {
    throw refuse('ERROR_INVALID_DATA', 'a certificate in it is damaged', error)
  }
}
