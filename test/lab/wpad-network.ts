/** A network that may name a proxy script: dnsmasq for DHCP and DNS, a server of scripts, and a machine that asks. */

import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { path } from './installed.ts'
import { until } from './lull.ts'

const command = join(import.meta.dirname, '..', '..', 'bin', 'lull.js')

/** The server's address, and those of the client. */
const SERVER = '10.97.0.1'
const CLIENT = '10.97.0.2'
const OTHER_CLIENT = '10.97.0.3'

/** Addresses of IPv6 that nobody but the client has. */
const PREFIX = 'fd97'

/** The server by a name with two addresses: the one of IPv6 never answers. */
export const HALF_DEAD = 'half-dead.corp.bits.test'

/** The suffix of the client's connection. */
const SUFFIX = 'corp.bits.test'

/** What the network says. */
export interface WpadNetworkOptions {
  /** Whether DHCP names a script. */
  readonly dhcp: boolean
  /** Whether the well-known name of DNS is there. */
  readonly dns: boolean
}

/** What a machine in the network found. */
export interface WpadResult {
  readonly found: string | null
  /** What the script that was found says of each URL. */
  readonly answers: readonly string[]
}

/** Both ends of the network. */
export class WpadNetwork implements AsyncDisposable {
  readonly #server = `lull-wpad-server-${process.pid}`
  readonly #client = `lull-wpad-client-${process.pid}`
  readonly #folder = mkdtempSync(join(tmpdir(), 'lull-wpad-'))
  readonly #children: ChildProcess[] = []
  #files = 0

  private constructor() {
    const [server, client] = [this.#server, this.#client]
    for (const name of [server, client]) ip(`netns add ${name}`)
    ip(`-n ${server} link add wire type veth peer name wire netns ${client}`)
    for (const [name, address] of [
      [server, SERVER],
      [client, CLIENT],
    ]) {
      ip(`-n ${name} address add ${address}/24 dev wire`)
      for (const link of ['lo', 'wire']) ip(`-n ${name} link set ${link} up`)
    }
    writeFileSync(join(this.#folder, 'resolv.conf'), `nameserver ${SERVER}\nsearch ${SUFFIX}\n`)
    ip(`-n ${client} address add ${PREFIX}::2/64 dev wire nodad`)
    const hosts = [`127.0.0.1 localhost`, `${PREFIX}::dead ${HALF_DEAD}`, `${SERVER} ${HALF_DEAD}`]
    writeFileSync(join(this.#folder, 'hosts'), `${hosts.join('\n')}\n`)
  }

  /** Of the machine's own service. */
  get #home(): string {
    return join(this.#folder, 'home')
  }

  /** Starts the servers, and waits until they serve. */
  static async start(options: WpadNetworkOptions): Promise<WpadNetwork> {
    const network = new WpadNetwork()
    try {
      await network.#serve(options)
      return network
    } catch (error) {
      await network[Symbol.asyncDispose]()
      throw error
    }
  }

  /** The names that were asked for, in order. */
  get queries(): readonly string[] {
    return [...this.#log().matchAll(/query\[\w+\] (\S+) from/gu)].map(([, name = '']) => name)
  }

  /** Lets the machine look for a script, and ask it for URLs. */
  async ask(urls: readonly string[]): Promise<WpadResult> {
    const said = await this.#run([join(import.meta.dirname, 'wpad-client.ts'), ...urls])
    // Written by our own client.
    return JSON.parse(said) as WpadResult
  }

  /** Has the machine get one file with the command. @returns what is in it */
  async get(url: string, options: readonly string[]): Promise<string> {
    const file = join(this.#home, `file-${++this.#files}`)
    mkdirSync(this.#home, { recursive: true, mode: 0o700 })
    const once = ['--no-progress-timeout', '0', '--quiet']
    await this.#run([command, 'get', url, '-o', file, ...once, ...options])
    return readFileSync(file, 'utf8')
  }

  /** Gives the machine another address. */
  change(): void {
    ip(`-n ${this.#client} address add ${OTHER_CLIENT}/24 dev wire`)
  }

  /** Runs a script of Node on the machine. @returns what it wrote */
  async #run(script: readonly string[]): Promise<string> {
    const mount = (name: string): string => `mount --bind ${join(this.#folder, name)} /etc/${name}`
    const inside = `mount --make-rprivate / && ${mount('resolv.conf')} && ${mount('hosts')} && exec "$@"`
    const node = [process.execPath, ...script]
    const args = ['netns', 'exec', this.#client, 'unshare', '-m', 'sh', '-c', inside, 'sh', ...node]
    const env = { PATH: path, LULL_HOME: this.#home }
    return (await promisify(execFile)('ip', args, { env })).stdout
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#files > 0) await this.#run([command, 'stop'])
    for (const child of this.#children) {
      const gone = once(child, 'exit')
      if (child.kill('SIGKILL')) await gone
    }
    for (const name of [this.#server, this.#client]) ip(`netns delete ${name}`)
    rmSync(this.#folder, { recursive: true })
  }

  async #serve({ dhcp, dns }: WpadNetworkOptions): Promise<void> {
    const log = join(this.#folder, 'dnsmasq.log')
    writeFileSync(log, '')
    const args = [
      '--conf-file=/dev/null',
      '--keep-in-foreground',
      '--no-resolv',
      '--no-hosts',
      '--interface=wire',
      '--bind-interfaces',
      '--user=root',
      '--log-queries',
      `--log-facility=${log}`,
      `--pid-file=${join(this.#folder, 'pid')}`,
      `--dhcp-leasefile=${join(this.#folder, 'leases')}`,
      '--dhcp-range=10.97.0.50,10.97.0.90,1h',
      '--local=/test/',
      ...['www', 'proxy', ...(dns ? ['wpad'] : [])].map((name) => {
        return `--address=/${name}.${SUFFIX}/${SERVER}`
      }),
      // Names that must never be asked for; they are there for whoever does.
      '--address=/wpad.bits.test/192.0.2.66',
      '--address=/wpad/192.0.2.66',
      ...(dhcp ? [`--dhcp-option=252,http://${SERVER}/dhcp.pac`] : []),
    ]
    this.#start(['dnsmasq', ...args])
    const server = this.#start([
      process.execPath,
      join(import.meta.dirname, 'wpad-server.ts'),
      SERVER,
    ])
    if (server.stdout !== null) await once(server.stdout, 'data')
    await until(() => this.#log().includes('started'), 'dnsmasq serves')
    // The kernel tells a moment later that both ends are there; before that, the machine has no network.
    await until(() => this.#isWired(), 'the wire carries')
  }

  #start(command: readonly string[]): ChildProcess {
    const child = spawn('ip', ['netns', 'exec', this.#server, ...command], {
      env: { PATH: path },
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    this.#children.push(child)
    return child
  }

  #isWired(): boolean {
    return [this.#server, this.#client].every((name) =>
      ip(`-n ${name} link show wire`).includes('state UP'),
    )
  }

  #log(): string {
    return readFileSync(join(this.#folder, 'dnsmasq.log'), 'utf8')
  }
}

function ip(line: string): string {
  return execFileSync('ip', line.split(' '), { env: { PATH: path }, encoding: 'utf8' })
}
