/** A system bus of its own, with a NetworkManager and a ModemManager that say what a test wants. */

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { Daemon } from './daemon.ts'
import { path, type Needs } from './installed.ts'

/** What the bus and its managers are made of, and what asks them. */
export const networkManagerNeeds: Needs = {
  'dbus-daemon': 'dbus-daemon',
  busctl: 'systemd',
  gdbus: 'libglib2.0-bin',
  '/usr/lib/python3/dist-packages/dbus/__init__.py': 'python3-dbus',
  '/usr/lib/python3/dist-packages/gi/__init__.py': 'python3-gi',
}

/** Debian's own Python, which has the packages. */
const PYTHON = '/usr/bin/python3'

/** What the managers say. */
export interface NetworkFacts {
  /** NMMetered. */
  readonly Metered?: number
  readonly PrimaryConnectionType?: string
  /** MMModemState and MMModem3gppRegistrationState of each modem. */
  readonly modems?: readonly (readonly [state: number, registration: number])[]
}

/** A bus; without managers until they are started. */
export class SystemBus implements AsyncDisposable {
  /** What `DBUS_SYSTEM_BUS_ADDRESS` has to say. */
  readonly address: string
  /** Comes into being when somebody makes the bus start NetworkManager. */
  readonly wasStarted: string
  readonly #folder: string
  readonly #daemon: Daemon

  private constructor(folder: string, daemon: Daemon) {
    this.#folder = folder
    this.#daemon = daemon
    this.address = addressIn(folder)
    this.wasStarted = join(folder, 'was-started')
  }

  static async start(): Promise<SystemBus> {
    const folder = mkdtempSync(join(tmpdir(), 'lull-bus-'))
    const configuration = join(folder, 'bus.conf')
    writeFileSync(configuration, busConfiguration(folder))
    writeFileSync(
      join(folder, 'org.freedesktop.NetworkManager.service'),
      `[D-BUS Service]\nName=org.freedesktop.NetworkManager\nExec=/usr/bin/touch ${join(folder, 'was-started')}\n`,
    )
    const args = [`--config-file=${configuration}`, '--nofork', '--nopidfile']
    const daemon = await Daemon.start({ program: 'dbus-daemon', args }, () =>
      existsSync(join(folder, 'socket')),
    )
    return new SystemBus(folder, daemon)
  }

  /** Starts the managers; they hold their names when this resolves. */
  async startManagers(): Promise<NetworkManagers> {
    const script = join(import.meta.dirname, 'network-manager.py')
    const child = spawn(PYTHON, [script], {
      env: { PATH: path, DBUS_SYSTEM_BUS_ADDRESS: this.address },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const managers = new NetworkManagers(child)
    await managers.answer()
    return managers
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#daemon[Symbol.asyncDispose]()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** Both managers, one process. */
export class NetworkManagers implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #lines: Interface

  constructor(child: ChildProcess) {
    if (child.stdout === null) throw new Error('Broken invariant: the managers have an output')
    this.#child = child
    this.#lines = createInterface(child.stdout)
  }

  /** Changes what they say; the bus has been told when this resolves. */
  async say(facts: NetworkFacts): Promise<void> {
    this.#child.stdin?.write(`${JSON.stringify(facts)}\n`)
    await this.answer()
  }

  /** Resolves with their next line. */
  async answer(): Promise<void> {
    await Promise.race([
      once(this.#lines, 'line'),
      once(this.#child, 'exit').then(() => Promise.reject(new Error('The managers ended'))),
    ])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exited = once(this.#child, 'exit')
    this.#child.stdin?.end()
    await exited
  }
}

function addressIn(folder: string): string {
  return `unix:path=${join(folder, 'socket')}`
}

function busConfiguration(folder: string): string {
  return `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
  "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>${addressIn(folder)}</listen>
  <auth>EXTERNAL</auth>
  <servicedir>${folder}</servicedir>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
`
}
