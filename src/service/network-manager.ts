/**
 * Asks NetworkManager whether the network is metered, and ModemManager whether it is roaming, over the system's D-Bus.
 * `busctl` asks and `gdbus` tells of changes: both come with what makes a desktop, and why no library does it stands in
 * docs/decisions. Nothing is started for it (no activation), and nothing waits for longer than a few seconds.
 */

import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { promisify } from 'node:util'
import type { Log } from '../base/log.ts'
import { costStates } from '../job/cost.ts'
import type { CostSource } from './network-cost.ts'
import { isRoaming, readMetered } from './network-manager-answer.ts'

const execute = promisify(execFile)

/** How long the bus may take to answer, and `busctl` to end. */
const ANSWER_WITHIN_S = 2
const END_WITHIN_MS = 3_000

/** The most that is read of an answer: GetManagedObjects of a machine with a few modems has some tens of KiB. */
const LONGEST_ANSWER = 4 * 1024 * 1024

/** How often is asked without being told to: nobody tells of modems that begin to roam. */
const ASK_EVERY_MS = 60_000

/** What comes in one breath is one change. */
const QUIET_MS = 100

const MANAGER = 'org.freedesktop.NetworkManager'
const MANAGER_PATH = '/org/freedesktop/NetworkManager'
const MODEMS = 'org.freedesktop.ModemManager1'
const MODEMS_PATH = '/org/freedesktop/ModemManager1'

/** What a line of `gdbus monitor` is about that makes a new answer likely. */
const telling = /Metered|PrimaryConnection|\bowne[dr]\b/u

/** What NetworkManager knows of the network's cost; asks only while somebody watches. */
export class NetworkManager implements CostSource {
  readonly #log: Log
  readonly #watchers = new Set<() => void>()
  #present: number | undefined
  #asking: Promise<void> | undefined
  #asksAgain = false
  #interval: NodeJS.Timeout | undefined
  #quiet: NodeJS.Timeout | undefined
  #monitor: ChildProcess | undefined
  #hasMonitor = true

  constructor(log: Log) {
    this.#log = log
  }

  present(): number | undefined {
    return this.#present
  }

  watch(changed: () => void): Disposable {
    this.#watchers.add(changed)
    if (this.#watchers.size === 1) {
      this.#interval = setInterval(() => this.#ask(), ASK_EVERY_MS).unref()
      this.#ask()
    }
    return {
      [Symbol.dispose]: () => {
        if (this.#watchers.delete(changed) && this.#watchers.size === 0) this.#rest()
      },
    }
  }

  lookAgain(): void {
    if (this.#watchers.size === 0) return
    clearTimeout(this.#quiet)
    this.#quiet = setTimeout(() => this.#ask(), QUIET_MS).unref()
  }

  /** Nobody watches: what is known grows old. */
  #rest(): void {
    clearInterval(this.#interval)
    clearTimeout(this.#quiet)
    this.#monitor?.kill()
    this.#monitor = undefined
    this.#present = undefined
  }

  #ask(): void {
    if (this.#asking !== undefined) {
      this.#asksAgain = true
      return
    }
    this.#asking = this.#findOut().then((cost) => {
      this.#asking = undefined
      if (this.#watchers.size === 0) return
      const isNews = cost !== this.#present
      this.#present = cost
      if (isNews) for (const changed of this.#watchers) changed()
      if (this.#asksAgain) this.#ask()
      this.#asksAgain = false
    })
  }

  /** Never rejects: where nobody can be asked, nothing is metered. */
  async #findOut(): Promise<number> {
    const properties = await this.#call(MANAGER, MANAGER_PATH, [
      'org.freedesktop.DBus.Properties',
      'GetAll',
      's',
      MANAGER,
    ])
    if (properties === undefined) return costStates.unrestricted
    this.#listen()
    const { isMetered, isMobile } = readMetered(properties)
    const cost = isMetered ? costStates.cappedUsageUnknown : costStates.unrestricted
    if (!isMobile) return cost
    const modems = await this.#call(MODEMS, MODEMS_PATH, [
      'org.freedesktop.DBus.ObjectManager',
      'GetManagedObjects',
    ])
    return modems !== undefined && isRoaming(modems) ? cost | costStates.roaming : cost
  }

  /** @returns the answer as JSON text; `undefined` where there is none */
  async #call(
    service: string,
    path: string,
    method: readonly string[],
  ): Promise<string | undefined> {
    const options = ['--system', '--json=short', '--auto-start=no', `--timeout=${ANSWER_WITHIN_S}`]
    try {
      const { stdout } = await execute('busctl', [...options, 'call', service, path, ...method], {
        timeout: END_WITHIN_MS,
        killSignal: 'SIGKILL',
        maxBuffer: LONGEST_ANSWER,
      })
      return stdout
    } catch (error) {
      this.#log.write('debug', 'The bus does not say what the network costs', {
        service,
        reason: error instanceof Error ? error.message : String(error),
      })
      return undefined
    }
  }

  /** Lets the bus tell of changes; where that cannot be, every minute has to do. */
  #listen(): void {
    if (this.#monitor !== undefined || !this.#hasMonitor || this.#watchers.size === 0) return
    const args = ['monitor', '--system', '--dest', MANAGER, '--object-path', MANAGER_PATH]
    const monitor = spawn('gdbus', args, { stdio: ['ignore', 'pipe', 'ignore'] })
    this.#monitor = monitor
    monitor.stdout.setEncoding('utf8')
    monitor.stdout.on('data', (text: string) => {
      if (telling.test(text)) this.lookAgain()
    })
    monitor.once('error', () => {
      this.#hasMonitor = false
      this.#monitor = undefined
    })
    monitor.once('exit', () => {
      if (this.#monitor === monitor) this.#monitor = undefined
    })
    // It must not keep a process alive that has nothing else to do.
    monitor.unref()
    if ('unref' in monitor.stdout && typeof monitor.stdout.unref === 'function') {
      monitor.stdout.unref()
    }
  }
}
