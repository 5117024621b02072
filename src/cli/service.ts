/** `lull serve`, `stop`, `status`: the service itself. */

import { readFileSync } from 'node:fs'
import { stderr, stdout } from 'node:process'
import { setTimeout as delay } from 'node:timers/promises'
import { findHome } from '../client/home.ts'
import { UnreachableError } from '../client/socket-transport.ts'
import { connect } from '../client/start-service.ts'
import { exitStatus, withSymbol } from './cli-error.ts'
import type { Arguments } from './parse.ts'

/** How long a service may take to end, and how often is looked. */
const END_LIMIT_MS = 10_000
const LOOK_EVERY_MS = 25

/** Runs `lull serve` until a signal or a client ends it. */
export async function serve(): Promise<number> {
  // Loaded here alone: no other verb needs the service's own code.
  const service = await import('../service/serve.ts')
  const { home, ended } = await service.serve()
  stderr.write(`The service runs in ${home.folder} with process id ${process.pid}\n`)
  await ended
  return exitStatus.ok
}

/** Runs `lull stop`. */
export async function stop(): Promise<number> {
  const home = findHome()
  let pid: number
  try {
    const client = await connect(home, { start: false })
    ;({ pid } = await client.call('service.status', {}))
    await client.call('service.stop', {})
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw error
    stdout.write('The service does not run\n')
    return exitStatus.ok
  }
  for (let waited = 0; isAlive(pid); waited += LOOK_EVERY_MS) {
    if (waited >= END_LIMIT_MS) {
      throw withSymbol(
        exitStatus.unreachable,
        'ERROR_TIMEOUT',
        'NONE',
        `Cannot stop the service: process ${pid} does not end`,
      )
    }
    await delay(LOOK_EVERY_MS)
  }
  stdout.write('The service has stopped\n')
  return exitStatus.ok
}

/** Whether a process runs; one that only waits until somebody asks how it ended does not. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    if (process.platform !== 'linux') return true
    // The state stands behind the name, which may hold anything (proc_pid_stat(5)).
    return !/^\d+ \(.*\) [ZX]/su.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

/** Runs `lull vault rotate`. @returns the exit status */
export async function rotateVault(args: Arguments): Promise<number> {
  const client = await connect(findHome(), { start: true })
  const result = await client.call('vault.rotate', {})
  if (args.has('json')) {
    stdout.write(`${JSON.stringify(result, null, 2)}\n`)
    return exitStatus.ok
  }
  const { resealed, lost } = result
  const records = resealed === 1 ? '1 secret is' : `${resealed} secrets are`
  stdout.write(`${records} sealed with a new key now\n`)
  if (lost > 0) stderr.write(`No key opens ${lost} more: their jobs need new credentials\n`)
  return exitStatus.ok
}

/** Runs `lull status`: never starts a service. */
export async function status(args: Arguments): Promise<number> {
  const home = findHome()
  const client = await connect(home, { start: false })
  const found = await client.call('service.status', {})
  if (args.has('json')) {
    stdout.write(`${JSON.stringify(found, null, 2)}\n`)
    return exitStatus.ok
  }
  const rows: readonly (readonly [string, string])[] = [
    ['Version', found.version],
    ['Process id', String(found.pid)],
    [
      'Carriers',
      found.carriers.length === 0 ? 'threads of the service' : found.carriers.join(', '),
    ],
    ['Home', found.home],
    ['Socket', home.socket],
    ['Log', home.log],
    ['Running since', found.started],
    ['Jobs', String(found.jobs)],
    ...Object.entries(found.native),
  ]
  for (const [name, value] of rows) stdout.write(`${name.padEnd(18)} ${value}\n`)
  return exitStatus.ok
}
