/** A Kerberos realm for tests: MIT's KDC on the loopback, with a database and a configuration of its own. */

import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, globSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Daemon, makeFolder, removeFolder } from './daemon.ts'
import { path, whyMissing, type Needs } from './installed.ts'

/** What a realm needs. */
export const kdcNeeds: Needs = {
  krb5kdc: 'krb5-kdc',
  'kadmin.local': 'krb5-admin-server',
  kdb5_util: 'krb5-kdc',
  kinit: 'krb5-user',
}

/** What a realm needs whose clock is wrong. */
export const skewNeeds: Needs = {
  ...kdcNeeds,
  '/usr/lib/*/faketime/libfaketime.so.1': 'libfaketime',
}

/** Why there is no realm here; `false` when there can be one. */
export const cannotServeTickets: string | false = whyMissing(kdcNeeds)

/** Why there is no realm with a wrong clock here. */
export const cannotSkewClocks: string | false = whyMissing(skewNeeds)

/** The realm and the domain that belongs to it. */
export const realm = 'LULL.TEST'

/** Somebody in the realm. */
export interface Principal {
  /** Without realm. */
  readonly name: string
  /** Absent for one whose key is random and lies in a keytab. */
  readonly password?: string
  /** Further options of kadmin's `addprinc`, such as `-allow_tix`. */
  readonly options?: string
}

/** What a ticket is asked for with. */
export interface TicketRequest {
  readonly name: string
  readonly password: string
}

/** What a realm is like besides its principals. */
export interface KdcOptions {
  /** By how many seconds the clock of the KDC is ahead. */
  readonly aheadSeconds?: number
  /** Whether clients believe the clock of the KDC and not their own, as they usually do (`kdc_timesync`). */
  readonly followsKdc?: boolean
}

/** A KDC in a process of its own; it and its folder are gone when it is disposed. */
export class Kdc implements AsyncDisposable {
  /** Holds everything. */
  readonly folder: string
  /** The clients' krb5.conf, for KRB5_CONFIG. */
  readonly config: string
  readonly #daemon: Daemon
  #caches = 0

  private constructor(folder: string, daemon: Daemon) {
    this.folder = folder
    this.config = join(folder, 'krb5.conf')
    this.#daemon = daemon
  }

  /** Makes a realm with these principals, and starts it. */
  static async start(principals: readonly Principal[], options: KdcOptions = {}): Promise<Kdc> {
    const folder = makeFolder('kdc')
    try {
      configure(folder, 0, options)
      await run(folder, 'kdb5_util', ['-r', realm, 'create', '-s', '-P', 'master'])
      await administer(folder, principals.map(addPrincipal))
      return new Kdc(folder, await serve(folder, options))
    } catch (error) {
      removeFolder(folder)
      throw error
    }
  }

  /** What a process needs around it to be a client of this realm, and of no other. */
  get environment(): Readonly<Record<string, string>> {
    return { KRB5_CONFIG: this.config, KRB5CCNAME: `FILE:${join(this.folder, 'no-tickets')}` }
  }

  /** Writes the keys of principals to a file that every service of the lab may read. @returns its path */
  async keytab(file: string, names: readonly string[]): Promise<string> {
    const keytab = join(this.folder, file)
    await administer(
      this.folder,
      names.map((name) => `ktadd -norandkey -k ${keytab} ${name}`),
    )
    chmodSync(keytab, 0o644)
    return keytab
  }

  /** Fetches a ticket. @returns the cache it lies in, by its residual name */
  async tickets({ name, password }: TicketRequest): Promise<string> {
    const cache = `FILE:${join(this.folder, `tickets-${++this.#caches}`)}`
    await run(this.folder, 'kinit', ['-c', cache, name], `${password}\n`)
    return cache
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#daemon[Symbol.asyncDispose]()
    removeFolder(this.folder)
  }
}

/** A server in the KDC's place that takes every connection and never answers. */
export class SilentKdc implements AsyncDisposable {
  /** For KRB5_CONFIG. */
  readonly config: string
  readonly #folder: string
  readonly #server = createServer((socket) => void socket.on('error', () => undefined).resume())

  private constructor() {
    this.#folder = makeFolder('kdc')
    this.config = join(this.#folder, 'krb5.conf')
  }

  static async start(): Promise<SilentKdc> {
    const silent = new SilentKdc()
    await new Promise<void>((resolve) => silent.#server.listen(0, '127.0.0.1', resolve))
    configure(silent.#folder, portOf(silent.#server.address()))
    return silent
  }

  /** Resolves when the next client has connected, and so waits for an answer. */
  async asked(): Promise<void> {
    await once(this.#server, 'connection')
  }

  /** How many clients are connected. */
  async clients(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.getConnections((error, count) =>
        error === null ? resolve(count) : reject(error),
      )
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise((resolve) => this.#server.close(resolve))
    removeFolder(this.#folder)
  }
}

function configure(folder: string, port: number, { followsKdc = true }: KdcOptions = {}): void {
  writeFileSync(
    join(folder, 'krb5.conf'),
    `[libdefaults]
  default_realm = ${realm}
  dns_lookup_kdc = false
  dns_lookup_realm = false
  udp_preference_limit = 1
  forwardable = true
  kdc_timesync = ${Number(followsKdc)}
[realms]
  ${realm} = {
    kdc = 127.0.0.1:${port}
  }
[domain_realm]
  localhost = ${realm}
  .${realm.toLowerCase()} = ${realm}
`,
  )
  writeFileSync(
    join(folder, 'kdc.conf'),
    `[kdcdefaults]
  kdc_listen = 127.0.0.1:${port}
  kdc_tcp_listen = 127.0.0.1:${port}
[realms]
  ${realm} = {
    database_name = ${join(folder, 'principal')}
    key_stash_file = ${join(folder, 'stash')}
    acl_file = ${join(folder, 'acl')}
    max_life = 24h
    supported_enctypes = aes256-cts:normal aes128-cts:normal
  }
[logging]
  kdc = STDERR
  admin_server = FILE:${join(folder, 'admin.log')}
`,
  )
}

function addPrincipal({ name, password, options = '' }: Principal): string {
  const key = password === undefined ? '-randkey' : `-pw "${password}"`
  return `addprinc ${options} ${key} ${name}`
}

/** kadmin tells failures in words only. */
async function administer(folder: string, commands: readonly string[]): Promise<void> {
  const said = await run(
    folder,
    'kadmin.local',
    ['-r', realm, '-p', 'admin'],
    `${commands.join('\n')}\n`,
  )
  const done = said.match(/^(?:Principal ".+" created|Entry for principal .+ added)/gmu) ?? []
  if (done.length < commands.length) throw new Error(`Cannot administer the realm: ${said}`)
}

async function serve(folder: string, options: KdcOptions): Promise<Daemon> {
  const { daemon } = await Daemon.onPorts(1, ([port = 0]) => {
    configure(folder, port, options)
    const env = { ...surroundings(folder), ...wrongClock(options) }
    return { program: 'krb5kdc', args: ['-n', '-r', realm], env }
  })
  return daemon
}

/** What makes a process believe that it is another time. */
function wrongClock({ aheadSeconds = 0 }: KdcOptions): Readonly<Record<string, string>> {
  if (aheadSeconds === 0) return {}
  const [library = ''] = globSync('/usr/lib/*/faketime/libfaketime.so.1')
  return { LD_PRELOAD: library, FAKETIME: `${aheadSeconds > 0 ? '+' : ''}${aheadSeconds}s` }
}

async function run(
  folder: string,
  program: string,
  args: readonly string[],
  input = '',
): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { env: surroundings(folder) }
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout + stderr)
      else reject(new Error(`${program} failed: ${stderr}`, { cause: error }))
    })
    child.stdin?.end(input)
  })
}

function surroundings(folder: string): Record<string, string> {
  return {
    PATH: path,
    KRB5_CONFIG: join(folder, 'krb5.conf'),
    KRB5_KDC_PROFILE: join(folder, 'kdc.conf'),
  }
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return address.port
}
