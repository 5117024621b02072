/**
 * Certificates by where they lie (A71–A73): a store is a folder with `<SHA-1>.pem` and `<SHA-1>.key`, or `<SHA-1>.p12`.
 */

import type { X509Certificate } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { CertificateOrder } from '../../engine/order.ts'
import type { CertificateFiles, CertificateLocation, ClientCertificate } from '../../job/certificate.ts' // prettier-ignore
import { FailureError, JobError } from '../../job/failure.ts'
import { isHresultSymbol, type HresultSymbol } from '../../job/hresult.ts'
import { certificatesIn, readClientCertificate } from './client-certificate.ts'
import { clientUsageOf } from './client-usage.ts'
import { codeOf } from './failure.ts'
import { hashOf } from './platform-store.ts'
import { locationFolder, type StoreFolders } from './store-folders.ts'
import { isSubjectLike, subjectText } from './subject.ts'

/** A certificate by its place. */
export type StoredName = Exclude<ClientCertificate, CertificateFiles>

/** What a store has. */
export interface StoredCertificate {
  /** For the carrier: files, without a passphrase, because a store has none. */
  readonly order: CertificateOrder
  /** SHA-1 of the DER, 40 hexadecimal digits, lower case. */
  readonly hash: string
  /** As it is searched. */
  readonly subject: string
}

/** Windows has these on every machine, if with nothing in them. */
const predefined = new Set(['ca', 'my', 'root', 'spc'])

/** What a certificate may be in, the first before the others. */
const endings = ['pem', 'p12', 'pfx'] as const

/**
 * Finds a certificate.
 *
 * By hash it is the one with this hash, whatever is wrong with it otherwise: that shows when it is used. By name it is,
 * of those whose subject has the name in it and that can be used now for clients, the one that was issued last.
 *
 * @param now for the dates
 * @throws {JobError} `E_NOTIMPL` for a location that only Windows has, `ERROR_FILE_NOT_FOUND` when there is no such
 *   store, `CRYPT_E_NOT_FOUND` when it has no such certificate, and the codes of files that cannot be read
 */
export function findStored(named: StoredName, folders: StoreFolders, now: Date): StoredCertificate {
  const { location, store } = named
  const folder = storeFolder(folders, location, store)
  if ('hash' in named) return findByHash(new Store(folder), named.hash)
  return findByName(new Store(folder), named.name, now)
}

/** The files of one store. */
class Store {
  readonly folder: string
  /** By their names in lower case. */
  readonly #files: ReadonlyMap<string, string>

  /** @param folder `undefined` for a store that is always there and has nothing in it */
  constructor(folder: string | undefined) {
    this.folder = folder ?? 'an empty store'
    const names = folder === undefined ? [] : list(folder)
    this.#files = new Map(names.map((name) => [name.toLowerCase(), join(this.folder, name)]))
  }

  /** The hashes that files are named by, in their order. */
  get hashes(): readonly string[] {
    const found = [...this.#files.keys()].map((name) => /^([0-9a-f]{40})\.(?:pem|p12|pfx)$/u.exec(name)?.[1]) // prettier-ignore
    return [...new Set(found.filter((hash) => hash !== undefined))].toSorted()
  }

  /** The files of a certificate; `undefined` when there are none. */
  order(hash: string): CertificateOrder | undefined {
    for (const ending of endings) {
      const certificateFile = this.#files.get(`${hash}.${ending}`)
      if (certificateFile === undefined) continue
      const keyFile = ending === 'pem' ? this.#files.get(`${hash}.key`) : undefined
      return { certificateFile, ...(keyFile === undefined ? {} : { keyFile }) }
    }
    return undefined
  }
}

function storeFolder(
  folders: StoreFolders,
  location: CertificateLocation,
  store: string,
): string | undefined {
  const folder = locationFolder(folders, location)
  if (folder === undefined) throw refuse('E_NOTIMPL', `there is no location ${location} here`)
  // Compared and never joined: no name leads out of the folder.
  const found = list(folder).find((name) => name.toLowerCase() === store.toLowerCase())
  if (found !== undefined) return join(folder, found)
  if (predefined.has(store.toLowerCase())) return undefined
  throw refuse('ERROR_FILE_NOT_FOUND', `there is no store ${JSON.stringify(store)} in ${folder}`)
}

function findByHash(store: Store, hash: string): StoredCertificate {
  const order = store.order(hash)
  const certificate = order === undefined ? undefined : open(order, hash)
  if (order !== undefined && certificate !== undefined) {
    return { order, hash, subject: subjectText(certificate) }
  }
  const why = order === undefined ? 'there is none' : `${order.certificateFile} has another one`
  throw refuse('CRYPT_E_NOT_FOUND', `of the hash ${hash} ${why} in ${store.folder}`)
}

function findByName(store: Store, name: string, now: Date): StoredCertificate {
  const found = store.hashes
    .flatMap((hash) => candidate(store, hash, name))
    .toSorted((left, right) => right.issued - left.issued)
  const reasons: string[] = []
  for (const { order, hash, certificate } of found) {
    const reason = whyNotUsable(order, certificate, now)
    if (reason === undefined) return { order, hash, subject: subjectText(certificate) }
    reasons.push(reason)
  }
  const sought = `${JSON.stringify(name)} in ${store.folder}`
  const [reason] = reasons
  if (reason === undefined) throw refuse('CRYPT_E_NOT_FOUND', `no subject has ${sought}`)
  throw refuse('CRYPT_E_NOT_FOUND', `none can be used of the ${found.length} with ${sought}: ${reason}`) // prettier-ignore
}

interface Candidate {
  readonly order: CertificateOrder
  readonly hash: string
  readonly certificate: X509Certificate
  /** When it begins to be valid, in milliseconds since 1970. */
  readonly issued: number
}

/** None when it is another, or cannot be read: whoever wants that very one gives its hash, and hears why. */
function candidate(store: Store, hash: string, name: string): readonly Candidate[] {
  const order = store.order(hash)
  if (order === undefined) return []
  try {
    const certificate = open(order, hash)
    if (certificate === undefined || !isSubjectLike(certificate, name)) return []
    return [{ order, hash, certificate, issued: Date.parse(certificate.validFrom) }]
  } catch {
    return []
  }
}

function whyNotUsable(
  order: CertificateOrder,
  certificate: X509Certificate,
  now: Date,
): string | undefined {
  if (!clientUsageOf(certificate)) {
    return `${order.certificateFile} is not for clients`
  }
  try {
    readClientCertificate(order, now)[Symbol.dispose]()
    return undefined
  } catch (error) {
    if (error instanceof FailureError) return error.message
    throw error
  }
}

/** @returns `undefined` when the file has no certificate of this hash; @throws {JobError} when it cannot be read */
function open({ certificateFile }: CertificateOrder, hash: string): X509Certificate | undefined {
  try {
    return certificatesIn(certificateFile).find((each) => hashOf(each) === hash)
  } catch (error) {
    if (!(error instanceof FailureError) || !isHresultSymbol(error.code)) throw error
    throw new JobError(error.code, error.message, { cause: error })
  }
}

/** The names in a folder; none when it is not there. @throws {JobError} `E_ACCESSDENIED` */
function list(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return []
    throw refuse('E_ACCESSDENIED', `${folder} cannot be read (${code})`, error)
  }
}

function refuse(symbol: HresultSymbol, why: string, cause?: unknown): JobError {
  return new JobError(symbol, `Cannot find the client certificate: ${why}`, { cause })
}
