/** Servers that are not ours: each a process with ports and a folder of its own, gone when it is disposed. */

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { path } from './installed.ts'

/** Another process may take a port between its choice and its use. */
const PORT_ATTEMPTS = 5

/** How often a daemon that begins is looked at. */
const LOOK_EVERY_MS = 5

/** A daemon that has not begun or ended by then never will. */
const PATIENCE_MS = 20_000

/** Ends a daemon whose test was killed, and could not: its end of the pipe is closed then with nothing said. */
const GUARD = 'read -r word || kill "$0"'

/** `nobody`, as whom daemons run that root starts. */
export const NOBODY = 65_534

/** Whether daemons are started by root, who has to give them somebody else to be. */
export const isRoot = process.getuid?.() === 0

/** What a daemon is started with. */
export interface Command {
  readonly program: string
  readonly args: readonly string[]
  /** All of its environment besides PATH. */
  readonly env?: Readonly<Record<string, string>>
  /** Where it writes what goes wrong; read when it does not begin. */
  readonly log?: string
  /** What makes it end with all its children; SIGTERM unless it says. */
  readonly signal?: NodeJS.Signals
}

/** A process that serves. */
export class Daemon implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #signal: NodeJS.Signals
  readonly #guard: ChildProcess

  private constructor(child: ChildProcess, signal: NodeJS.Signals) {
    this.#child = child
    this.#signal = signal
    const args = ['-c', GUARD, String(child.pid)]
    this.#guard = spawn('sh', args, { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
    this.#guard.unref()
  }

  /**
   * Starts a daemon on ports that are free, and waits until it serves all of them.
   *
   * @param count how many ports
   * @param configure writes down the ports, and says what to run; called again with others when one was taken
   */
  static async onPorts(
    count: number,
    configure: (ports: readonly number[]) => Command,
  ): Promise<{ readonly daemon: Daemon; readonly ports: readonly number[] }> {
    const failures: unknown[] = []
    while (failures.length < PORT_ATTEMPTS) {
      const ports = await freePorts(count)
      const command = configure(ports)
      try {
        const serves = async (): Promise<boolean> => areAll(await Promise.all(ports.map(isOpen)))
        return { daemon: await Daemon.start(command, serves), ports }
      } catch (error) {
        failures.push(error)
      }
    }
    throw new AggregateError(failures, 'Cannot start a daemon of the lab')
  }

  /** Starts a daemon, and waits until something holds. @throws {Error} with its words when it ends before */
  static async start(
    { program, args, env, log, signal = 'SIGTERM' }: Command,
    serves: () => boolean | Promise<boolean>,
  ): Promise<Daemon> {
    const child = spawn(program, args, {
      env: { PATH: path, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (said += text))
    }
    const ended = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(String(error)))
      child.once('close', () => resolve('it ended'))
    })
    const daemon = new Daemon(child, signal)
    const limit = performance.now() + PATIENCE_MS
    while (!(await serves()) || hasEnded(child)) {
      if (performance.now() > limit) await daemon[Symbol.asyncDispose]()
      const reason = await Promise.race([ended, delay(LOOK_EVERY_MS)])
      if (reason === undefined) continue
      await daemon[Symbol.asyncDispose]()
      throw new Error(`${program}: ${reason}: ${said}${textOf(log)}`)
    }
    return daemon
  }

  /** Absent when it could not be started. */
  get processId(): number | undefined {
    return this.#child.pid
  }

  /** Asks it to end, and makes it end when it does not. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#guard.stdin?.end('over\n')
    if (hasEnded(this.#child)) return
    const exited = once(this.#child, 'exit')
    this.#child.kill(this.#signal)
    const killing = setTimeout(() => this.#child.kill('SIGKILL'), PATIENCE_MS)
    await exited
    clearTimeout(killing)
  }
}

/** A folder that daemons may look into. @returns its path */
export function makeFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `lull-${name}-`))
  chmodSync(folder, 0o755)
  return folder
}

/** Gives files to the daemons, where they are not ourselves. */
export function giveToDaemons(...files: readonly string[]): void {
  if (isRoot) for (const file of files) chownSync(file, NOBODY, NOBODY)
}

/** Removes what was made. */
export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
}

/** Ports that are free now, on the loopback. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  const listening = servers.map(async (server) => {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    // Never a path: the server listens on a port.
    return (server.address() as AddressInfo).port
  })
  const ports = await Promise.all(listening)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

/** Whether somebody takes connections on a port. */
async function isOpen(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  return new Promise((resolve) => {
    const tell = (answer: boolean) => (): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', tell(true))
    socket.once('error', tell(false))
  })
}

function areAll(answers: readonly boolean[]): boolean {
  return answers.every(Boolean)
}

function hasEnded({ pid, exitCode, signalCode }: ChildProcess): boolean {
  return pid === undefined || exitCode !== null || signalCode !== null
}

function textOf(log: string | undefined): string {
  try {
    return log === undefined ? '' : readFileSync(log, 'utf8')
  } catch {
    return ''
  }
}
