/** Whom TLS trusts, and as whom it speaks: the platform's authorities or those in a file, and a client certificate. */

import { createHmac, randomBytes, X509Certificate } from 'node:crypto'
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls'
import type { CertificateOrder } from '../engine/order.ts'
import { CERTIFICATE_FLAGS } from '../job/security-flags.ts'
import { authoritiesStamp, readAuthorities } from './authorities.ts'
import { checkDates, readClientCertificate } from './certificate/client-certificate.ts'
import { codeOf, refusalOf } from './certificate/failure.ts'
import type { HandshakeTerms } from './certificate/handshake.ts'
import { stampOf as keyStampOf } from './certificate/key-file.ts'

/** RFC 8996: everything older is broken. */
const OLDEST_TLS = 'TLSv1.2'

/** Contexts hold keys and a copy of every authority; those used last are kept. */
const MAX_CONTEXTS = 32

/** What a context is made of. Everything absent is the platform's, or nothing. */
export interface TrustOptions {
  /** PEM file of the authorities that are trusted instead of the platform's; read again when it changes. */
  readonly caFile?: string | undefined
  /**
   * What a server gets that asks for a certificate: for the job's own origin, never for a proxy or for where a redirect
   * leads (A82). Files are read again when they change; the passphrase stays the caller's.
   */
  readonly certificate?: CertificateOrder | undefined
  /** For servers that ask for a certificate late, which TLS 1.3 has no way for (A83). */
  readonly maxVersion?: 'TLSv1.2' | undefined
}

/** A context, and which state of the files it was made from. */
interface Made {
  readonly stamp: string
  readonly context: SecureContext
  readonly certificate: X509Certificate | undefined
  /** Whom it trusts, once that was asked. */
  anchors?: readonly X509Certificate[]
}

/** Secure contexts, each made once: reading the platform's authorities takes tens of milliseconds. */
export class Trust {
  /** The one used last is last. */
  readonly #made = new Map<string, Made>()
  /** What passphrases are told apart with, so that memory has nothing that one could be guessed by. */
  readonly #secret = randomBytes(32)

  /**
   * What connections are verified against, and what they show.
   *
   * @throws {FailureError} `ERROR_FILE_NOT_FOUND`, fatal, when a file of authorities cannot be read or holds none, and as
   *   {@link readClientCertificate} for a certificate
   */
  context(options: TrustOptions): SecureContext {
    return this.#find(options).context
  }

  /** The terms that go with a context of the same options: what is not OpenSSL's to check. */
  terms(
    options: TrustOptions,
    more: Omit<HandshakeTerms, 'hasCertificate' | 'anchors'> = {},
  ): HandshakeTerms {
    return {
      ...more,
      securityFlags: (more.securityFlags ?? 0) & CERTIFICATE_FLAGS,
      hasCertificate: options.certificate !== undefined,
      anchors: () => this.anchors(options),
    }
  }

  /**
   * Equal for options whose connections may be shared, and their sessions: the files are the same and have not changed.
   *
   * @throws {FailureError} as {@link context}
   */
  key(options: TrustOptions): string {
    return `${this.#nameOf(options)}\n${stampOfAll(options)}`
  }

  /** Whom a context of these options trusts: parsed when somebody asks, because hardly anybody does. */
  anchors(options: TrustOptions): readonly X509Certificate[] {
    const made = this.#find(options)
    made.anchors ??= readAuthorities(options.caFile).flatMap(parse)
    return made.anchors
  }

  #find(options: TrustOptions): Made {
    const name = this.#nameOf(options)
    const stamp = stampOfAll(options)
    const known = this.#made.get(name)
    const made = known?.stamp === stamp ? known : make(options, stamp)
    const { certificate } = made
    // It may have expired since.
    if (certificate !== undefined && options.certificate !== undefined) {
      checkDates(certificate, new Date(), refusalOf(options.certificate.certificateFile))
    }
    this.#made.delete(name)
    this.#made.set(name, made)
    const [oldest] = this.#made.keys()
    if (this.#made.size > MAX_CONTEXTS && oldest !== undefined) this.#made.delete(oldest)
    return made
  }

  #nameOf({ caFile, certificate, maxVersion }: TrustOptions): string {
    const passphrase = certificate?.passphrase
    return JSON.stringify([
      caFile ?? [process.env['SSL_CERT_FILE'], process.env['SSL_CERT_DIR']],
      certificate?.certificateFile,
      certificate?.keyFile,
      passphrase && createHmac('sha256', this.#secret).update(passphrase).digest('hex'),
      maxVersion,
    ])
  }
}

function make(options: TrustOptions, stamp: string): Made {
  const { caFile, certificate, maxVersion } = options
  const secure = {
    ca: readAuthorities(caFile),
    minVersion: OLDEST_TLS,
    ...(maxVersion === undefined ? {} : { maxVersion }),
  } as const
  if (certificate === undefined) {
    return { stamp, context: createSecureContext(secure), certificate: undefined }
  }
  using identity = readClientCertificate(certificate, new Date())
  const context = withCertificate(certificate.certificateFile, {
    ...secure,
    cert: identity.chain,
    // Not a copy, which would have to be wiped, too.
    key: Buffer.from(identity.key.buffer, identity.key.byteOffset, identity.key.byteLength),
  })
  return { stamp, context, certificate: identity.certificate }
}

/** What OpenSSL does not like of a certificate that is one: mostly that its key is too short (security level 2). */
function withCertificate(path: string, options: SecureContextOptions): SecureContext {
  try {
    return createSecureContext(options)
  } catch (error) {
    const reason = codeOf(error).replace('ERR_SSL_', '').replaceAll('_', ' ').toLowerCase()
    throw refusalOf(path)('ERROR_NOT_SUPPORTED', `it is not safe enough for TLS (${reason})`, error)
  }
}

function stampOfAll({ caFile, certificate }: TrustOptions): string {
  const keys = certificate === undefined ? [] : [certificate.certificateFile, certificate.keyFile]
  const files = keys.filter((path) => path !== undefined)
  return [authoritiesStamp(caFile), ...files.map(keyStampOf)].join('\n')
}

/** What is damaged in the store of the system is left out, as OpenSSL does. */
function parse(pem: string): readonly X509Certificate[] {
  try {
    return [new X509Certificate(pem)]
  } catch {
    return []
  }
}
