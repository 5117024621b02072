/** Two networks of their own with a wire between them: one for a service, one for a server (network_namespaces(7)). */

import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Content } from './content.ts'
import { path } from './installed.ts'
import { until } from './lull.ts'

/** The addresses at the two ends of the wire. */
const HERE = '10.77.0.2'
export const THERE = '10.77.0.1'

/** A network that only a route leads to: an address of the server's loopback. */
export const BEYOND = '10.78.0.1'

/** What the ends are called within their networks. */
const WIRE = 'wire'

/** Why there can be no networks of their own here; `false` when there can. */
export function whyNoNamespaces(): string | false {
  if (process.platform !== 'linux') return 'network namespaces are of Linux'
  if (process.getuid?.() !== 0) return 'network namespaces need root'
  const args = ['--net', 'ip', 'link', 'add', 'name', WIRE, 'type', 'veth', 'peer']
  const { status } = spawnSync('unshare', args, { env: { PATH: path }, stdio: 'ignore' })
  return status === 0 ? false : 'needs unshare, ip and veth interfaces (util-linux, iproute2)'
}

/** Both networks, the wire connected. */
export class Namespaces implements AsyncDisposable {
  readonly #here = `lull-here-${process.pid}`
  readonly #there = `lull-there-${process.pid}`
  readonly #children = new Set<ChildProcess>()

  private constructor() {
    for (const name of [this.#here, this.#there]) ip(`netns add ${name}`)
    for (const name of [this.#here, this.#there]) ip(`-n ${name} link set lo up`)
    ip(`-n ${this.#here} link add ${WIRE} type veth peer name ${WIRE} netns ${this.#there}`)
    ip(`-n ${this.#there} address add ${THERE}/24 dev ${WIRE}`)
    ip(`-n ${this.#there} address add ${BEYOND}/32 dev lo`)
    ip(`-n ${this.#there} link set ${WIRE} up`)
    ip(`-n ${this.#here} address add ${HERE}/24 dev ${WIRE}`)
    ip(`-n ${this.#here} link set ${WIRE} up`)
  }

  /** Makes both, and waits until the wire carries. */
  static async create(): Promise<Namespaces> {
    const networks = new Namespaces()
    await until(() => networks.#carries(), 'the wire carries')
    return networks
  }

  /** Whether the kernel has noticed that both ends are up; until then it shows no address. */
  #carries(): boolean {
    return ip(`-n ${this.#here} link show dev ${WIRE}`).includes('state UP')
  }

  /** Pulls the wire out of the server's end: the service's side loses its carrier. */
  pull(): void {
    ip(`-n ${this.#there} link set ${WIRE} down`)
  }

  /** Puts it back. */
  plug(): void {
    ip(`-n ${this.#there} link set ${WIRE} up`)
  }

  /** Lets the service's side reach everything through the server's. */
  addDefaultRoute(): void {
    ip(`-n ${this.#here} route add default via ${THERE}`)
  }

  /** Runs a script of Node on the service's side. */
  runHere(args: readonly string[], env: Readonly<Record<string, string>>): ChildProcess {
    return this.#run(this.#here, args, env)
  }

  /** Starts a server beyond the wire that halts in the middle (see `halting-origin`). @returns its port */
  async serveThere(address: string, { seed, size }: Content): Promise<number> {
    const script = join(import.meta.dirname, 'halting-origin.ts')
    const child = this.#run(this.#there, [script, address, String(seed), String(size)], {})
    const said: unknown[] = child.stdout === null ? [] : await once(child.stdout, 'data')
    return Number(String(said[0]))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) {
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    }
    for (const name of [this.#here, this.#there]) ip(`netns delete ${name}`)
  }

  #run(name: string, args: readonly string[], env: Readonly<Record<string, string>>): ChildProcess {
    const child = spawn('ip', ['netns', 'exec', name, process.execPath, ...args], {
      env: { ...process.env, PATH: path, ...env },
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    this.#children.add(child)
    child.once('exit', () => this.#children.delete(child))
    return child
  }
}

function ip(line: string): string {
  return execFileSync('ip', line.split(' '), { env: { PATH: path }, encoding: 'utf8' })
}
