/** A certificate authority of the lab, and the certificates it gives out. */

import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { isRoot, makeFolder, removeFolder } from './daemon.ts'

const run = promisify(execFile)

/** A certificate and its key, as PEM files. */
export interface CertificateFiles {
  readonly cert: string
  readonly key: string
}

/** What a certificate is for. */
export interface CertificateRequest {
  /** Its common name, and the name of its files. */
  readonly name: string
  /** `server` is for localhost and 127.0.0.1. */
  readonly use: 'server' | 'client'
  /** With what it is signed, and so with what channels are bound to it (RFC 5929 §4.1). */
  readonly hash?: 'sha256' | 'sha384'
}

const extensions = {
  server: 'subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n',
  client: 'extendedKeyUsage=clientAuth\n',
} as const

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'] as const

/** Signs certificates; its files are gone when it is disposed. */
export class Authority implements Disposable {
  readonly #folder: string
  #serial = 0

  private constructor(folder: string) {
    this.#folder = folder
  }

  static async create(): Promise<Authority> {
    const authority = new Authority(makeFolder('authority'))
    const { cert, key } = authority.#files('authority')
    const use = ['-addext', 'keyUsage=critical,keyCertSign,cRLSign']
    const subject = ['-subj', '/O=Lull Lab/CN=Lull Lab Authority', '-days', '2']
    await openssl(['req', '-x509', ...newKey, ...subject, ...use, '-keyout', key, '-out', cert])
    return authority
  }

  /** Its own certificate, which whoever trusts it has. */
  get cert(): string {
    return this.#files('authority').cert
  }

  /** Gives out a certificate. */
  async issue({ name, use, hash = 'sha256' }: CertificateRequest): Promise<CertificateFiles> {
    const files = this.#files(name)
    const own = this.#files('authority')
    const [request, extension] = [this.#path(`${name}.csr`), this.#path(`${name}.ext`)]
    const subject = ['-subj', `/O=Lull Lab/CN=${name}`]
    writeFileSync(extension, extensions[use])
    await openssl(['req', ...newKey, ...subject, '-keyout', files.key, '-out', request])
    const signer = ['-CA', own.cert, '-CAkey', own.key, '-set_serial', String(++this.#serial)]
    const what = ['-in', request, '-extfile', extension, '-days', '2', `-${hash}`]
    await openssl(['x509', '-req', ...what, ...signer, '-out', files.cert])
    // Squid reads its key as whom it runs.
    if (isRoot && use === 'server') await run('chmod', ['644', files.key])
    return files
  }

  [Symbol.dispose](): void {
    removeFolder(this.#folder)
  }

  #files(name: string): CertificateFiles {
    return { cert: this.#path(`${name}.crt`), key: this.#path(`${name}.key`) }
  }

  #path(file: string): string {
    return join(this.#folder, file)
  }
}

async function openssl(args: readonly string[]): Promise<void> {
  await run('openssl', args)
}
