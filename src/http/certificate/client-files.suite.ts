/** Client certificates in every form, made for a test by the openssl command. */

import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

/** What a certificate says. */
export interface Subject {
  /** As openssl takes it: `/C=DE/CN=alice`. */
  readonly subject?: string
  /** As `YYYYMMDDHHMMSSZ`. */
  readonly from?: string
  readonly to?: string
  readonly usage?: 'serverAuth' | 'clientAuth'
}

/** A folder for one test, with an authority and what it issues. */
export class ClientFiles {
  readonly folder: string

  constructor(t: Pick<TestContext, 'after'>) {
    this.folder = mkdtempSync(join(tmpdir(), 'client-'))
    t.after(() => rmSync(this.folder, { recursive: true, force: true }))
    this.openssl('req', '-x509', ...ecKey, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '30', '-subj', '/CN=clients') // prettier-ignore
  }

  path(name: string): string {
    return join(this.folder, name)
  }

  read(name: string): Buffer {
    return readFileSync(this.path(name))
  }

  /** @returns the full path */
  write(name: string, content: string | Uint8Array, mode = 0o600): string {
    writeFileSync(this.path(name), content)
    // The process's mask takes away what is given with the content.
    chmodSync(this.path(name), mode)
    return this.path(name)
  }

  /** Runs openssl in the folder. @returns what it said */
  openssl(...args: readonly string[]): string {
    return execFileSync('openssl', args, { cwd: this.folder, stdio: 'pipe', encoding: 'utf8' })
  }

  /**
   * Issues `NAME.pem` with `NAME.key`.
   *
   * @returns the certificate
   */
  issue(name: string, { subject = `/CN=${name}`, from, to, usage }: Subject = {}): X509Certificate {
    const extension = usage === undefined ? 'basicConstraints=CA:FALSE' : `extendedKeyUsage=${usage}` // prettier-ignore
    this.write('extension.cnf', extension)
    this.openssl('req', '-new', ...ecKey, '-utf8', '-keyout', `${name}.key`, '-out', 'request.csr', '-subj', subject) // prettier-ignore
    this.write('index.txt', '')
    this.write('ca.cnf', config)
    const dates = [...(from === undefined ? [] : ['-startdate', from]), ...(to === undefined ? ['-days', '20'] : ['-enddate', to])] // prettier-ignore
    this.openssl('ca', '-batch', '-config', 'ca.cnf', '-notext', '-preserveDN', '-create_serial', ...dates, '-extfile', 'extension.cnf', '-in', 'request.csr', '-out', `${name}.pem`) // prettier-ignore
    return new X509Certificate(this.read(`${name}.pem`))
  }

  /** A certificate that was issued. */
  certificate(name: string): X509Certificate {
    return new X509Certificate(this.read(`${name}.pem`))
  }

  /** Puts `NAME.pem`, its key and its authority into `NAME.p12`. @returns the full path */
  pkcs12(name: string, passphrase: string, ...options: readonly string[]): string {
    this.openssl('pkcs12', '-export', '-inkey', `${name}.key`, '-in', `${name}.pem`, '-certfile', 'ca.pem', '-passout', `pass:${passphrase}`, '-out', `${name}.p12`, ...options) // prettier-ignore
    return this.path(`${name}.p12`)
  }
}

const ecKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'] as const

const config = `
[ca]
default_ca = authority
[authority]
database = index.txt
new_certs_dir = .
certificate = ca.pem
private_key = ca.key
serial = serial
default_md = sha256
rand_serial = yes
policy = policy
unique_subject = no
[policy]
countryName = optional
organizationName = optional
organizationalUnitName = optional
commonName = optional
emailAddress = optional
`
