/** Whom TLS trusts: the platform's authorities, or those in a file instead. */

import { X509Certificate } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls'
import { failure, FailureError } from '../job/failure.ts'

/** RFC 8996: everything older is broken. */
const OLDEST_TLS = 'TLSv1.2'

const certificates = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/gu

/** A context, and which state of the file it was made from. */
interface Made {
  readonly stamp: string
  readonly context: SecureContext
}

/** Secure contexts, each made once: reading the platform's authorities takes tens of milliseconds. */
export class Trust {
  readonly #made = new Map<string | undefined, Made>()

  /**
   * What connections are verified against.
   *
   * @param caFile PEM file of the authorities that are trusted instead of the platform's; read again when it changes
   * @throws {FailureError} `ERROR_FILE_NOT_FOUND`, fatal, when the file cannot be read or holds no certificate
   */
  context(caFile: string | undefined): SecureContext {
    const file = caFile ?? platformFile()
    const stamp = file === undefined ? '' : stampOf(file)
    const known = this.#made.get(file)
    if (known?.stamp === stamp) return known.context
    const context = createSecureContext({
      ca: file === undefined ? platformAuthorities() : readAuthorities(file),
      minVersion: OLDEST_TLS,
    })
    this.#made.set(file, { stamp, context })
    return context
  }
}

/** `SSL_CERT_FILE` replaces what the platform trusts, as it does for every program built on OpenSSL. */
function platformFile(): string | undefined {
  const file = process.env['SSL_CERT_FILE']
  return file === '' ? undefined : file
}

/** The store of the system, and the authorities that come with Node where they are not in it. */
function platformAuthorities(): string[] {
  return [...new Set([...getCACertificates('system'), ...getCACertificates('default')])]
}

function stampOf(path: string): string {
  try {
    const { mtimeMs, size, ino } = statSync(path)
    return `${mtimeMs} ${size} ${ino}`
  } catch (error) {
    throw unusable(path, 'it cannot be read', error)
  }
}

function readAuthorities(path: string): string[] {
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
