/** Lull as its users have it: the built command in a process of its own, with a home of its own. */

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import {
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { BackgroundCopyManager, type JobView } from 'lull'
import { parseHolder } from '../../src/base/holder.ts'
import type { Config } from '../../src/service/config.ts'

const command = join(import.meta.dirname, '..', '..', 'bin', 'lull.js')

/** How often a process is looked at that is to end. */
const LOOK_EVERY_MS = 5

/** What is waited for in vain is a defect. */
const PATIENCE_MS = 60_000

/** How a command ended. */
export interface CommandResult {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
  /** The last line of standard error, without its end. */
  readonly lastLine: string
}

/** How a command is run. */
export interface RunOptions {
  readonly input?: string
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
}

/** How a home is made. */
export interface HomeOptions {
  /** What its config.json says. */
  readonly config?: Config
  /** Where LULL_HOME is, instead of a folder of its own. */
  readonly home?: string
  /** Where files are saved, instead of a folder of its own. */
  readonly target?: string
  /** The number of the user as whom commands run, and with them the service; needs root. */
  readonly user?: number
}

/** One LULL_HOME with a folder for targets; whatever runs there ends with it. */
export class LullHome implements AsyncDisposable {
  /** Holds everything; removed at the end. */
  readonly folder: string
  /** LULL_HOME. */
  readonly home: string
  /** Where files are saved. */
  readonly target: string
  readonly #user: number | undefined
  readonly #children = new Set<ChildProcess>()

  constructor({ config, home, target, user }: HomeOptions = {}) {
    this.#user = user
    this.folder = mkdtempSync(join(tmpdir(), 'lull-lab-'))
    this.home = home ?? join(this.folder, 'home')
    this.target = target ?? join(this.folder, 'target')
    mkdirSync(this.home, { recursive: true, mode: 0o700 })
    mkdirSync(this.target, { recursive: true })
    if (config !== undefined) writeFileSync(join(this.home, 'config.json'), JSON.stringify(config))
    if (user === undefined) return
    for (const path of [this.folder, this.home, this.target]) chownSync(path, user, user)
  }

  /** A path in the folder of the targets. */
  path(name: string): string {
    return join(this.target, name)
  }

  /** Starts a command; it is killed at the end if it still runs. */
  start(args: readonly string[], { env, cwd, input }: RunOptions = {}): ChildProcess {
    const child = spawn(process.execPath, [command, ...args], {
      cwd: cwd ?? this.target,
      env: { ...process.env, ...env, LULL_HOME: this.home, NO_COLOR: '1' },
      ...(this.#user === undefined ? {} : { uid: this.#user, gid: this.#user }),
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    })
    this.#children.add(child)
    child.once('exit', () => this.#children.delete(child))
    child.stdin?.end(input)
    return child
  }

  /** Runs a command to its end. */
  async run(args: readonly string[], options: RunOptions = {}): Promise<CommandResult> {
    return resultOf(this.start(args, options))
  }

  /** Runs a command that prints JSON. */
  async json(args: readonly string[]): Promise<unknown> {
    const { stdout, stderr, status } = await this.run([...args, '--json'])
    if (status !== 0) throw new Error(`lull ${args.join(' ')} ended with ${status}: ${stderr}`)
    return JSON.parse(stdout)
  }

  /** The SDK, connected; a service is started when none answers. */
  manager(): Promise<BackgroundCopyManager> {
    return BackgroundCopyManager.connect({ home: this.home })
  }

  /** Every job that is not final. */
  async jobs(): Promise<readonly JobView[]> {
    const jobs: JobView[] = []
    for await (const job of (await this.manager()).enumJobs()) jobs.push(job)
    return jobs
  }

  /** The process id of the service that holds the home; `undefined` when none runs. */
  get servicePid(): number | undefined {
    return process.platform === 'linux' ? findService(this.home) : readHolder(this.home)
  }

  /** Kills the service on the spot, and waits until it is gone. */
  async killService(): Promise<void> {
    const pid = this.servicePid
    if (pid !== undefined) await killProcess(pid, 'SIGKILL')
  }

  /** Asks the service to end, and waits until it has. */
  async stopService(): Promise<void> {
    const pid = this.servicePid
    if (pid !== undefined) await killProcess(pid, 'SIGTERM')
  }

  /** Partial files in the folder of the targets. */
  get partials(): readonly string[] {
    return partialsIn(this.target)
  }

  /** Everything else in the folder of the targets. */
  get files(): readonly string[] {
    return readdirSync(this.target).filter((name) => !name.startsWith('.lull-'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) {
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    }
    // Two clients may have started one each, of which the second only just finds out.
    while (this.servicePid !== undefined) await this.killService()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** The partial files in a folder. */
export function partialsIn(folder: string): readonly string[] {
  return readdirSync(folder).filter((name) => name.startsWith('.lull-'))
}

/** Waits for a child to end, with all that it printed. */
export async function resultOf(child: ChildProcess): Promise<CommandResult> {
  let stdout = ''
  let stderr = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  await once(child, 'close')
  const lastLine = stderr.trimEnd().split('\n').at(-1) ?? ''
  return { status: child.exitCode, stdout, stderr, lastLine }
}

/** Sends a signal and waits until the process is gone. */
export async function killProcess(pid: number, signal: NodeJS.Signals): Promise<void> {
  try {
    process.kill(pid, signal)
  } catch {
    return
  }
  await until(() => !isRunning(pid), `process ${pid} ends`)
}

/** Looks again and again until something holds. @throws when it never does */
export async function until(
  holds: () => boolean | Promise<boolean>,
  what: string,
  everyMs = LOOK_EVERY_MS,
): Promise<void> {
  const limit = performance.now() + PATIENCE_MS
  while (!(await holds())) {
    if (performance.now() > limit) throw new Error(`Waited in vain until ${what}`)
    await delay(everyMs)
  }
}

/** Whether a process runs; one that only waits to be reaped does not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  try {
    return !/^\d+ \(.*\) Z/su.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    // Gone meanwhile, or a system without /proc, where the signal has told.
    return process.platform !== 'linux'
  }
}

/**
 * The service of a home, by what every process tells of itself. What lies in the home need not be there: a service may
 * only just have begun, and on a full disk it can write nothing.
 */
function findService(home: string): number | undefined {
  const pids = readdirSync('/proc').map(Number).filter(Number.isSafeInteger)
  return pids.find((pid) => isServiceOf(pid, home) && isRunning(pid))
}

function isServiceOf(pid: number, home: string): boolean {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
    if (!/\/service\/main\.|lull\.js\0serve\0/u.test(words)) return false
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`LULL_HOME=${home}`)
  } catch {
    // Gone meanwhile.
    return false
  }
}

/** What a service writes beside its lock. */
function readHolder(home: string): number | undefined {
  try {
    const { pid = 0 } = parseHolder(readFileSync(join(home, 'lock.pid'), 'utf8')) ?? {}
    return pid > 1 && isRunning(pid) ? pid : undefined
  } catch {
    return undefined
  }
}
