/** `lull serve`, `stop`, `status`: the service itself. */

import { setTimeout as delay } from 'node:timers/promises'
import { readFileSync } from '../client/node-fs.ts'
import { findHome } from '../client/home.ts'
import { UnreachableError } from '../client/unreachable.ts'
import type { ServiceStatus } from '../rpc/contract.ts'
import { exitStatus, withSymbol } from './cli-error.ts'
import { connect } from './connect.ts'
import type { Arguments } from './parse.ts'
import { dashed, stateWord } from './words.ts'

/** How long a service may take to end, and how often is looked. */
const END_LIMIT_MS = 10_000
const LOOK_EVERY_MS = 25

/** Runs `lull serve` until a signal or a client ends it. */
export async function serve(): Promise<number> {
  // Loaded here alone: no other verb needs the service's own code.
  const [service, { beginAnew }] = await Promise.all([
    import('../service/serve.ts'),
    import('../service/begin-anew.ts'),
  ])
  const { home, ended } = await service.serve()
  process.stderr.write(`The service runs in ${home.folder} with process id ${process.pid}\n`)
  if ((await ended).isRenewed) beginAnew()
  return exitStatus.ok
}

/** Runs `lull stop`. */
export async function stop(): Promise<number> {
  let pid: number
  try {
    const client = await connect({ start: false })
    ;({ pid } = await client.call('service.status', {}))
    await client.call('service.stop', {})
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw error
    process.stdout.write('The service does not run\n')
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
  process.stdout.write('The service has stopped\n')
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
  const client = await connect({ start: true })
  const result = await client.call('vault.rotate', {})
  if (args.has('json')) {
    process.stdout.write(`${JSON.stringify(result, null, 2)}\n`)
    return exitStatus.ok
  }
  const { resealed, lost } = result
  const records = resealed === 1 ? '1 secret is' : `${resealed} secrets are`
  process.stdout.write(`${records} sealed with a new key now\n`)
  if (lost > 0) process.stderr.write(`No key opens ${lost} more: their jobs need new credentials\n`)
  return exitStatus.ok
}

/** Runs `lull status`: never starts a service. */
export async function status(args: Arguments): Promise<number> {
  const home = findHome()
  const client = await connect({ start: false })
  const found = await client.call('service.status', {})
  if (args.has('json')) {
    process.stdout.write(`${JSON.stringify(found, null, 2)}\n`)
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
    ['Jobs', jobCounts(found)],
    ['Network', networkSentence(found)],
    ['Master key', masterKeySentence(found)],
    ['Code', codeSentence(found)],
    ...Object.entries(found.native),
  ]
  for (const [name, value] of rows) process.stdout.write(`${name.padEnd(18)} ${value}\n`)
  return exitStatus.ok
}

/** `3: 1 transferring, 2 error`. */
function jobCounts({ jobs, states }: ServiceStatus): string {
  const some = Object.entries(states).filter(([, count]) => count > 0)
  if (some.length === 0) return String(jobs)
  return `${jobs}: ${some.map(([state, count]) => `${count} ${stateWord(state)}`).join(', ')}`
}

function networkSentence({ network: { isThere, cost } }: ServiceStatus): string {
  if (!isThere) return 'not there: jobs for other machines wait for it'
  if (cost === null) return 'there'
  return cost.includes('unrestricted')
    ? 'there, not metered'
    : `there, metered: ${cost.map(dashed).join(', ')}`
}

function masterKeySentence({ masterKey: { state, reason } }: ServiceStatus): string {
  if (reason === null) return state
  return `${state}: ${reason}${state === 'unavailable' ? '; jobs with credentials fail' : ''}`
}

function codeSentence({ code: { state } }: ServiceStatus): string {
  return state === 'current'
    ? 'as the service began with'
    : 'was replaced: the service begins anew once nothing is transferred'
}
