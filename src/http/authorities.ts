/**
 * Whom TLS trusts (the first that there is):
 *
 * ```
 *  a file that the job names       exactly those in it
 *  SSL_CERT_FILE, SSL_CERT_DIR     those in what they name, as for every program built on OpenSSL
 *  otherwise                       the store of the system, and those that come with Node
 * ```
 *
 * Unless a job names a file, those of NODE_EXTRA_CA_CERTS are trusted besides, as in every program on Node.
 *
 * Where the store of the system is a file, it is read again when it has changed: whoever installs an authority there
 * need not restart anything. Windows and macOS are asked once in the life of a process.
 */

import { X509Certificate } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { getCACertificates } from 'node:tls'
import { failure, FailureError } from '../job/failure.ts'

/**
 * Where systems put the authorities of their store together, one behind the other; never more than one is there for
 * good. To ask OpenSSL instead reads hundreds of files, and the whole process remembers what it said.
 */
const bundles = [
  '/etc/ssl/certs/ca-certificates.crt', // Debian, Ubuntu, Arch, Gentoo
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem', // Fedora, RHEL
  '/etc/pki/tls/certs/ca-bundle.crt', // the same, of old
  '/etc/ssl/ca-bundle.pem', // openSUSE
  '/var/lib/ca-certificates/ca-bundle.pem', // the same
  '/etc/ssl/cert.pem', // Alpine, FreeBSD, OpenBSD
] as const

/** Names in a folder that OpenSSL finds: the hash of a subject, and a number. */
const hashedName = /^[0-9a-f]{8}\.\d+$/u

const certificates = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/gu

/** What the environment names: a file, and folders. */
interface Named {
  readonly file: string | undefined
  readonly folders: readonly string[]
}

/**
 * What tells apart whom the same options trust at different times, and in different environments. Cheap: nothing is
 * read.
 *
 * @param caFile a PEM file, instead of everything else
 * @throws {FailureError} `ERROR_FILE_NOT_FOUND`, fatal, when a file that was named is not there
 */
export function authoritiesStamp(caFile: string | undefined): string {
  if (caFile !== undefined) return stampOf(caFile)
  const { file, folders } = namedByEnvironment()
  if (file === undefined && folders.length === 0) return optionalStamp(systemBundle())
  return [file === undefined ? '' : stampOf(file), ...folders.map(optionalStamp)].join('\n')
}

/**
 * Those who are trusted, each in PEM.
 *
 * @param caFile as for {@link authoritiesStamp}
 * @throws {FailureError} `ERROR_FILE_NOT_FOUND`, fatal, when a file that was named cannot be read, holds none, or one
 *   that is damaged
 */
export function readAuthorities(caFile: string | undefined): string[] {
  if (caFile !== undefined) return readFileOf(caFile)
  const { file, folders } = namedByEnvironment()
  if (file === undefined && folders.length === 0) return readSystem()
  const found = file === undefined ? [] : readFileOf(file)
  return [...new Set([...found, ...folders.flatMap(readFolder), ...getCACertificates('extra')])]
}

function namedByEnvironment(): Named {
  const { SSL_CERT_FILE: file = '', SSL_CERT_DIR: folders = '' } = process.env
  return {
    file: file === '' ? undefined : file,
    folders: folders.split(delimiter).filter((folder) => folder !== ''),
  }
}

/** The store of the system, and the authorities that come with Node where they are not in it. */
function readSystem(): string[] {
  const bundle = systemBundle()
  const system = bundle === undefined ? getCACertificates('system') : readBundle(bundle)
  // Written in lines of another length they are not the same text: what is there twice does no harm.
  return [...new Set([...system, ...getCACertificates('default')])]
}

function systemBundle(): string | undefined {
  if (process.platform === 'win32' || process.platform === 'darwin') return undefined
  return bundles.find((path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true)
}

/** What is wrong with the store of the system is nothing that a job could mend: OpenSSL leaves out what is damaged. */
function readBundle(path: string): readonly string[] {
  try {
    return readFileSync(path, 'latin1').match(certificates) ?? []
  } catch {
    return []
  }
}

function readFolder(folder: string): readonly string[] {
  try {
    const names = readdirSync(folder).filter((name) => hashedName.test(name))
    return names.flatMap((name) => readBundle(join(folder, name)))
  } catch {
    // As OpenSSL: one that is not there has nothing in it.
    return []
  }
}

function optionalStamp(path: string | undefined): string {
  const stat = path === undefined ? undefined : statSync(path, { throwIfNoEntry: false })
  return stat === undefined ? '' : `${stat.mtimeMs} ${stat.size} ${stat.ino}`
}

function stampOf(path: string): string {
  try {
    const { mtimeMs, size, ino } = statSync(path)
    return `${mtimeMs} ${size} ${ino}`
  } catch (error) {
    throw unusable(path, 'it cannot be read', error)
  }
}

function readFileOf(path: string): string[] {
  const found = readText(path).match(certificates)
  if (found === null) throw unusable(path, 'there is no certificate in it')
  try {
    // Only to see that it can: what is damaged would otherwise be left out without a word.
    for (const certificate of found) void new X509Certificate(certificate)
  } catch (error) {
    throw unusable(path, 'a certificate in it is damaged', error)
  }
  return found
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch (error) {
    throw unusable(path, 'it cannot be read', error)
  }
}

function unusable(path: string, why: string, cause?: unknown): FailureError {
  return new FailureError(
    failure(
      'ERROR_FILE_NOT_FOUND',
      'LOCAL_FILE',
      `Cannot take the trusted authorities from ${path}: ${why}`,
    ),
    { cause },
  )
}
