/** Apache httpd, with a place for every scheme, over http and https: the servers of the matrix. */

import { mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CertificateFiles } from './authority.ts'
import { Daemon, giveToDaemons, makeFolder, NOBODY, removeFolder, type Command } from './daemon.ts'
import { whyMissing, type Needs } from './installed.ts'
import { apacheUser, digestUser, NTLM_DOMAIN, ntlmUser } from './people.ts'

/** What Apache needs. */
export const apacheNeeds: Needs = {
  apache2: 'apache2-bin',
  '/usr/lib/apache2/modules/mod_auth_gssapi.so': 'libapache2-mod-auth-gssapi',
  '/etc/gss/mech.d/mech.ntlmssp.conf': 'gss-ntlmssp',
  openssl: 'openssl',
}

/** Why there is no Apache here; `false` when there can be one. */
export const cannotServeSchemes: string | false = whyMissing(apacheNeeds)

/** Who is asked for what, by the first segment of the path. All of them have the same files, and take them by PUT. */
const places = {
  none: '',
  basic: `AuthType Basic
  AuthName "lab"
  AuthUserFile basic.users`,
  digest: `AuthType Digest
  AuthName "lab"
  AuthUserFile digest.users`,
  kerberos: `AuthType GSSAPI
  AuthName "lab"
  GssapiAllowedMech krb5
  GssapiBasicAuth Off`,
  // It offers NTLM by its own name and as Negotiate.
  ntlm: `AuthType GSSAPI
  AuthName "lab"
  GssapiAllowedMech ntlmssp
  GssapiConnectionBound On
  GssapiBasicAuth Off`,
  // What most corporate servers ask for: whatever the client has.
  negotiate: `AuthType GSSAPI
  AuthName "lab"
  GssapiAllowedMech krb5
  GssapiAllowedMech ntlmssp
  GssapiConnectionBound On
  GssapiNegotiateOnce On
  GssapiBasicAuth Off`,
} as const

/** A place by what it asks for. */
export type Place = keyof typeof places

/** How the server is reached: in clear text, over TLS, and over TLS with a certificate of the client. */
export const doors = ['http', 'https', 'certificate', 'optional', 'impatient'] as const

/**
 * One of {@link doors}. `certificate` wants one of the client, `optional` takes one; `impatient` is http that closes
 * a connection after {@link IMPATIENT_REQUESTS} requests.
 */
export type Door = (typeof doors)[number]

const SECONDS_PER_DAY = 86_400

/** Enough for the legs of every scheme, and one request more. */
const IMPATIENT_REQUESTS = 4

/** What the server proves itself with, and whom it knows. */
export interface ApacheOptions {
  readonly certificate: CertificateFiles
  /** The certificate of the authority whose clients it knows. */
  readonly authority: string
  /** Keys of `HTTP/localhost`. */
  readonly keytab: string
  /** With `KRB5_CONFIG`. */
  readonly kerberos: Readonly<Record<string, string>>
}

/** A server in processes of its own; they and its folder are gone when it is disposed. */
export class Apache implements AsyncDisposable {
  readonly #folder: string
  readonly #daemon: Daemon
  readonly #ports: Readonly<Record<Door, number>>

  private constructor(folder: string, daemon: Daemon, ports: Readonly<Record<Door, number>>) {
    this.#folder = folder
    this.#daemon = daemon
    this.#ports = ports
  }

  static async start(options: ApacheOptions): Promise<Apache> {
    const folder = makeFolder('apache')
    try {
      makeFiles(folder)
      const { daemon, ports } = await Daemon.onPorts(doors.length, (ports) =>
        configure(folder, options, byDoor(ports)),
      )
      return new Apache(folder, daemon, byDoor(ports))
    } catch (error) {
      removeFolder(folder)
      throw error
    }
  }

  /** On the loopback. */
  port(door: Door): number {
    return this.#ports[door]
  }

  /** The URL of a file. */
  url(door: Door, place: Place, name: string): string {
    const scheme = door === 'http' || door === 'impatient' ? 'http' : 'https'
    return `${scheme}://localhost:${this.port(door)}/${place}/${name}`
  }

  /** Has a file in every place; an old one, because of what has just changed the server is not sure (RFC 9110 §8.8.2.2). */
  serve(name: string, bytes: string | Uint8Array): void {
    writeFileSync(this.path(name), bytes)
    const yesterday = Date.now() / 1000 - SECONDS_PER_DAY
    utimesSync(this.path(name), yesterday, yesterday)
  }

  /** Where a file of every place lies. */
  path(name: string): string {
    return join(this.#folder, 'www', name)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#daemon[Symbol.asyncDispose]()
    removeFolder(this.#folder)
  }
}

function byDoor(ports: readonly number[]): Readonly<Record<Door, number>> {
  const port = (door: Door): number => ports[doors.indexOf(door)] ?? 0
  return {
    http: port('http'),
    https: port('https'),
    certificate: port('certificate'),
    optional: port('optional'),
    impatient: port('impatient'),
  }
}

function makeFiles(folder: string): void {
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text)
  write('basic.users', apacheUser())
  write('digest.users', digestUser('lab'))
  write('ntlm.users', ntlmUser())
  for (const name of ['www', 'locks']) {
    mkdirSync(join(folder, name))
    giveToDaemons(join(folder, name))
  }
}

function configure(
  folder: string,
  { certificate, authority, keytab, kerberos }: ApacheOptions,
  ports: Readonly<Record<Door, number>>,
): Command {
  const config = join(folder, 'httpd.conf')
  const tls = `SSLCertificateFile ${certificate.cert}
SSLCertificateKeyFile ${certificate.key}
SSLCACertificateFile ${authority}`
  writeFileSync(config, [base(folder), ...placesOf(folder), tls, ...hosts(ports)].join('\n'))
  return {
    program: 'apache2',
    args: ['-DFOREGROUND', '-d', folder, '-f', config],
    env: {
      ...kerberos,
      KRB5_KTNAME: keytab,
      // A replay cache would lie in a folder that all tests share.
      KRB5RCACHENAME: 'none:',
      NTLM_USER_FILE: join(folder, 'ntlm.users'),
      NETBIOS_COMPUTER_NAME: NTLM_DOMAIN,
      NETBIOS_DOMAIN_NAME: NTLM_DOMAIN,
    },
    log: join(folder, 'error.log'),
  }
}

const modules = [
  'mpm_event',
  'authn_core',
  'authn_file',
  'authz_core',
  'authz_user',
  'auth_basic',
  'auth_digest',
  'auth_gssapi',
  'dav',
  'dav_fs',
  'alias',
  'socache_shmcb',
  'ssl',
] as const

function base(folder: string): string {
  const load = modules.map(
    (name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`,
  )
  return `${load.join('\n')}
ServerName localhost
User #${NOBODY}
Group #${NOBODY}
DefaultRuntimeDir ${folder}
PidFile ${folder}/pid
Mutex file:${folder}/locks default
ErrorLog ${folder}/error.log
StartServers 1
ServerLimit 2
ThreadsPerChild 16
MaxRequestWorkers 32
KeepAliveTimeout 30
MaxKeepAliveRequests 0
DavLockDB ${folder}/locks/dav
SSLSessionCache shmcb:${folder}/sessions(512000)
DocumentRoot ${folder}/www
<Directory ${folder}/www>
  Dav On
  Require all granted
</Directory>`
}

function placesOf(folder: string): readonly string[] {
  return Object.entries(places).map(([name, rules]) => {
    const who = rules === '' ? 'Require all granted' : `${rules}\n  Require valid-user`
    return `Alias /${name} ${folder}/www\n<Location /${name}>\n  ${who}\n</Location>`
  })
}

function hosts(ports: Readonly<Record<Door, number>>): readonly string[] {
  const host = (door: Door, rules: string): string =>
    `Listen 127.0.0.1:${ports[door]}
<VirtualHost 127.0.0.1:${ports[door]}>
  ${rules}
</VirtualHost>`
  return [
    host('http', ''),
    host('https', 'SSLEngine on'),
    host('certificate', 'SSLEngine on\n  SSLVerifyClient require'),
    host('optional', 'SSLEngine on\n  SSLVerifyClient optional'),
    host('impatient', `MaxKeepAliveRequests ${IMPATIENT_REQUESTS}`),
  ]
}
