/** Squid, one for each scheme of a proxy, in clear text and over TLS: the proxies of the matrix. */

import { globSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { CertificateFiles } from './authority.ts'
import { Daemon, giveToDaemons, makeFolder, removeFolder, type Command } from './daemon.ts'
import { whyMissing, type Needs } from './installed.ts'
import { digestUser, squidUser } from './people.ts'

/** What Squid needs. */
export const squidNeeds: Needs = {
  squid: 'squid-openssl',
  '/usr/lib/squid/negotiate_kerberos_auth': 'squid-openssl',
  openssl: 'openssl',
}

/** Why there is no Squid here; `false` when there can be one. */
export const cannotProxy: string | false = whyMissing(squidNeeds)

const helpers = '/usr/lib/squid'

/** The schemes that a proxy may ask for. */
export const proxySchemes = ['basic', 'digest', 'ntlm', 'negotiate'] as const

/** One of {@link proxySchemes}. */
export type ProxyScheme = (typeof proxySchemes)[number]

/**
 * How a proxy is reached. `http` and `https` ask for the scheme of the proxy; `openHttp`, `openHttps` ask for nothing,
 * and `certificate` for one of the client.
 */
export const proxyDoors = ['http', 'https', 'openHttp', 'openHttps', 'certificate'] as const

/** One of {@link proxyDoors}. */
export type ProxyDoor = (typeof proxyDoors)[number]

/** What a proxy proves itself with, and who judges for it. */
export interface SquidOptions {
  readonly scheme: ProxyScheme
  readonly certificate: CertificateFiles
  /** The certificate of the authority whose clients it knows. */
  readonly authority: string
  /** Keys of `HTTP/localhost`; for `negotiate`. */
  readonly keytab: string
  /** With `KRB5_CONFIG`. */
  readonly kerberos: Readonly<Record<string, string>>
  /** Samba's `ntlm_auth`; for `ntlm`. */
  readonly ntlmHelper?: string
}

/** A proxy in processes of its own; they and its folder are gone when it is disposed. */
export class Squid implements AsyncDisposable {
  readonly #folder: string
  readonly #daemon: Daemon
  readonly #ports: readonly number[]

  private constructor(folder: string, daemon: Daemon, ports: readonly number[]) {
    this.#folder = folder
    this.#daemon = daemon
    this.#ports = ports
  }

  static async start(options: SquidOptions): Promise<Squid> {
    const folder = makeFolder('squid')
    try {
      makeFiles(folder)
      const { daemon, ports } = await Daemon.onPorts(proxyDoors.length, (ports) =>
        configure(folder, options, ports),
      )
      return new Squid(folder, daemon, ports)
    } catch (error) {
      removeFolder(folder)
      throw error
    }
  }

  /** On the loopback. */
  port(door: ProxyDoor): number {
    return this.#ports[proxyDoors.indexOf(door)] ?? 0
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#daemon[Symbol.asyncDispose]()
    for (const segment of globSync(`/dev/shm/${nameOf(this.#folder)}-*.shm`)) rmSync(segment)
    removeFolder(this.#folder)
  }
}

function makeFiles(folder: string): void {
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text)
  write('basic.users', squidUser())
  write('digest.users', digestUser('lab'))
  // Apache listens at one of the two addresses that this name usually has.
  write('hosts', '127.0.0.1 localhost\n')
  giveToDaemons(folder)
}

function configure(folder: string, options: SquidOptions, ports: readonly number[]): Command {
  const config = join(folder, 'squid.conf')
  writeFileSync(
    config,
    [base(folder), schemeOf(folder, options), doorsOf(options, ports)].join('\n'),
  )
  return {
    program: 'squid',
    args: ['-N', '-n', nameOf(folder), '-f', config],
    env: { ...options.kerberos, KRB5RCACHENAME: 'none:' },
    log: join(folder, 'cache.log'),
    // It would take a second to end in peace; its helpers end when nobody asks them any more.
    signal: 'SIGKILL',
  }
}

/** By what a Squid is known in the memory that all of them share. */
function nameOf(folder: string): string {
  return basename(folder).replaceAll(/[^a-zA-Z0-9]/gu, '')
}

function base(folder: string): string {
  return `visible_hostname localhost
cache_effective_user nobody
pid_filename ${folder}/pid
coredump_dir ${folder}
cache_log ${folder}/cache.log
access_log none
cache_store_log none
netdb_filename none
cache deny all
cache_mem 8 MB
memory_pools off
max_filedescriptors 1024
pinger_enable off
shutdown_lifetime 0 seconds
icp_port 0
hosts_file ${folder}/hosts
dns_nameservers 127.0.0.1
persistent_connection_after_error on`
}

function schemeOf(folder: string, { scheme, keytab, ntlmHelper }: SquidOptions): string {
  switch (scheme) {
    case 'basic':
      return `auth_param basic program ${helpers}/basic_ncsa_auth ${folder}/basic.users
auth_param basic children 1 startup=1 idle=1
auth_param basic realm lab`
    case 'digest':
      return `auth_param digest program ${helpers}/digest_file_auth -c ${folder}/digest.users
auth_param digest children 1 startup=1 idle=1
auth_param digest realm lab`
    case 'negotiate':
      return `auth_param negotiate program ${helpers}/negotiate_kerberos_auth -k ${keytab} -s GSS_C_NO_NAME
auth_param negotiate children 2 startup=1 idle=1
auth_param negotiate keep_alive on`
    case 'ntlm':
      return `auth_param ntlm program ${ntlmHelper} --helper-protocol=squid-2.5-ntlmssp
auth_param ntlm children 4 startup=1 idle=1
auth_param ntlm keep_alive on`
    default:
      return scheme satisfies never
  }
}

function doorsOf({ certificate, authority }: SquidOptions, ports: readonly number[]): string {
  const tls = `tls-cert=${certificate.cert} tls-key=${certificate.key}`
  const rules: Readonly<Record<ProxyDoor, string>> = {
    http: 'http_port',
    https: `https_port ${tls}`,
    openHttp: 'http_port',
    openHttps: `https_port ${tls}`,
    certificate: `https_port ${tls} tls-clientca=${authority}`,
  }
  const open = proxyDoors.map((door, index) => {
    const [directive, ...others] = rules[door].split(' ')
    return [directive, `127.0.0.1:${ports[index]}`, `name=${door}`, ...others].join(' ')
  })
  return `${open.join('\n')}
acl asks myportname http https
acl known proxy_auth REQUIRED
http_access allow !asks
http_access allow known
http_access deny all
`
}
