/** An authority that revokes, and one below it, made for a test by the openssl command. */

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Identity, Lifetime } from './certificates.suite.ts'

/** What a certificate says. */
export interface Issued {
  /** URLs of its list, each a distribution point; `none` for no such extension. */
  readonly lists?: readonly string[] | 'none'
  readonly names?: readonly string[]
}

/** What a list says. */
export interface ListOptions {
  /** As `YYYYMMDDHHMMSSZ`. */
  readonly from?: string
  readonly to?: string
  /** Lines of extensions, with the sections that they name. */
  readonly extensions?: string
  readonly form?: 'DER' | 'PEM'
  /** More words for openssl: `-sigopt rsa_padding_mode:pss`. */
  readonly more?: readonly string[]
}

/** Kinds of keys, as openssl makes them. */
export const keyKinds = {
  ec: ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  rsa: ['-newkey', 'rsa:2048'],
  ed25519: ['-newkey', 'ed25519'],
} as const

/** An authority with a database of what it has issued. */
export class RevokingAuthority {
  readonly #folder: string
  #issued = 0
  /** Those above it, nearest first: PEM. */
  readonly #above: readonly string[]

  constructor(t: Lifetime, kind: keyof typeof keyKinds = 'ec', above: readonly string[] = []) {
    const folder = mkdtempSync(join(tmpdir(), 'revoking-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    this.#folder = folder
    this.#above = above
    for (const [name, text] of [['index.txt', ''], ['ca.cnf', config], ['crlnumber', '01\n']] as const) this.#write(name, text) // prettier-ignore
    if (above.length > 0) return
    this.#openssl('req', '-x509', ...keyKinds[kind], '-nodes', '-keyout', 'ca.key', '-subj', '/CN=root', '-out', 'ca.pem', '-days', '30') // prettier-ignore
  }

  /** The PEM file that trusts it. */
  get file(): string {
    return join(this.#folder, 'ca.pem')
  }

  get pem(): string {
    return this.#read('ca.pem')
  }

  /** Issues an authority below it. */
  below(t: Lifetime, lists: Issued['lists'] = 'none'): RevokingAuthority {
    const { key, cert } = this.#issue('/CN=middle', [
      'basicConstraints=critical,CA:TRUE',
      'keyUsage=keyCertSign,cRLSign',
      ...pointsTo(lists),
    ])
    const below = new RevokingAuthority(t, 'ec', [this.pem, ...this.#above])
    below.#write('ca.key', key)
    below.#write('ca.pem', cert)
    return below
  }

  /** Issues a certificate for servers; behind it come the authorities up to the last. */
  issue({ lists = 'none', names = ['DNS:localhost', 'IP:127.0.0.1'] }: Issued = {}): Identity {
    const { key, cert } = this.#issue('/CN=leaf', [
      `subjectAltName=${names.join(',')}`,
      'extendedKeyUsage=serverAuth',
      ...pointsTo(lists),
    ])
    return { key, cert: this.#above.length === 0 ? cert : [cert, this.pem].join('') }
  }

  /** Revokes a certificate: the first one in a PEM text. */
  revoke(pem: string): void {
    this.#write('revoked.pem', pem)
    this.#openssl('ca', '-config', 'ca.cnf', '-revoke', 'revoked.pem')
  }

  /** The list as it is now. */
  list({ from, to, extensions = '', form = 'DER', more = [] }: ListOptions = {}): Buffer {
    this.#write('list.cnf', `${config}\n[list_extensions]\n${extensions}\n`)
    const dates = [
      ...(from === undefined ? [] : ['-crl_lastupdate', from]),
      ...(to === undefined ? ['-crldays', '1'] : ['-crl_nextupdate', to]),
    ]
    const said = extensions === '' ? [] : ['-crlexts', 'list_extensions']
    this.#openssl('ca', '-config', 'list.cnf', '-gencrl', ...dates, ...said, ...more, '-out', 'list.pem') // prettier-ignore
    this.#openssl('crl', '-in', 'list.pem', '-outform', form, '-out', 'list.out')
    return readFileSync(join(this.#folder, 'list.out'))
  }

  #issue(subject: string, extensions: readonly string[]): Identity {
    const name = `issued${this.#issued++}`
    this.#write('extensions.cnf', extensions.join('\n'))
    this.#openssl('req', '-new', ...keyKinds.ec, '-nodes', '-keyout', `${name}.key`, '-subj', subject, '-out', 'request.csr') // prettier-ignore
    this.#openssl('ca', '-batch', '-config', 'ca.cnf', '-notext', '-days', '20', '-extfile', 'extensions.cnf', '-in', 'request.csr', '-out', `${name}.pem`) // prettier-ignore
    return { key: this.#read(`${name}.key`), cert: this.#read(`${name}.pem`) }
  }

  #openssl(...args: readonly string[]): void {
    execFileSync('openssl', args, { cwd: this.#folder, stdio: 'pipe' })
  }

  #read(name: string): string {
    return readFileSync(join(this.#folder, name), 'latin1')
  }

  #write(name: string, text: string): void {
    writeFileSync(join(this.#folder, name), text)
  }
}

function pointsTo(lists: NonNullable<Issued['lists']>): readonly string[] {
  if (lists === 'none') return []
  return [`crlDistributionPoints=${lists.map((url) => `URI:${url}`).join(',')}`]
}

const config = `
[ca]
default_ca = authority
[authority]
database = index.txt
new_certs_dir = .
certificate = ca.pem
private_key = ca.key
crlnumber = crlnumber
default_md = default
rand_serial = yes
unique_subject = no
policy = policy
[policy]
commonName = supplied
`
