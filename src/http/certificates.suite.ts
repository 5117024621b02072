/** Certificates made for a test, by the openssl command. */

import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Why tests with certificates are left out here; `false` where they can run. */
export const needsOpenssl: string | false =
  spawnSync('openssl', ['version']).status === 0 ? false : 'makes certificates with openssl'

/** A key and a certificate as a TLS server takes them. */
export interface Identity {
  readonly key: string
  readonly cert: string
}

/** What a certificate says. */
export interface Claims {
  /** `DNS:localhost`, `IP:127.0.0.1`. */
  readonly names?: readonly string[]
  /** As `YYYYMMDDHHMMSSZ`. */
  readonly from?: string
  readonly to?: string
  /** What it may be used for. */
  readonly usage?: 'serverAuth' | 'clientAuth'
}

const localNames = ['DNS:localhost', 'IP:127.0.0.1', 'IP:::1']

/** A test, or a file of tests. */
export interface Lifetime {
  readonly after: (work: () => void) => void
}

/** An authority of its own. */
export class Authority {
  /** The PEM file that trusts it. */
  readonly file: string
  readonly #folder: string
  #issued = 0

  constructor(t: Lifetime) {
    const folder = mkdtempSync(join(tmpdir(), 'http-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    this.#folder = folder
    this.file = join(folder, 'authority.pem')
    writeFileSync(join(folder, 'index.txt'), '')
    writeFileSync(join(folder, 'index.txt.attr'), 'unique_subject = no\n')
    writeFileSync(join(folder, 'ca.cnf'), config)
    this.#openssl('req', '-x509', ...newKey('authority'), '-out', 'authority.pem', '-days', '30')
  }

  /** Its own certificate. */
  get pem(): string {
    return this.#read('authority.pem')
  }

  /** Issues a certificate. */
  issue({ names = localNames, from, to, usage = 'serverAuth' }: Claims = {}): Identity {
    const name = `leaf${this.#issued++}`
    const extensions = `subjectAltName=${names.join(',')}\nextendedKeyUsage=${usage}\n`
    writeFileSync(join(this.#folder, `${name}.ext`), extensions)
    this.#openssl('req', '-new', ...newKey(name), '-out', `${name}.csr`)
    const dates = [
      ...(from === undefined ? [] : ['-startdate', from]),
      ...(to === undefined ? ['-days', '30'] : ['-enddate', to]),
    ]
    this.#openssl('ca', '-batch', '-config', 'ca.cnf', '-notext', ...dates, '-extfile', `${name}.ext`, '-in', `${name}.csr`, '-out', `${name}.pem`) // prettier-ignore
    return { key: this.#read(`${name}.key`), cert: this.#read(`${name}.pem`) }
  }

  #openssl(...args: readonly string[]): void {
    execFileSync('openssl', args, { cwd: this.#folder, stdio: 'pipe' })
  }

  #read(name: string): string {
    return readFileSync(join(this.#folder, name), 'latin1')
  }
}

function newKey(name: string): readonly string[] {
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  return [...kind, '-keyout', `${name}.key`, '-subj', `/CN=${name}`]
}

const config = `
[ca]
default_ca = authority
[authority]
database = index.txt
new_certs_dir = .
certificate = authority.pem
private_key = authority.key
default_md = sha256
rand_serial = yes
policy = policy
[policy]
commonName = supplied
`
