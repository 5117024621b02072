/** Measures programs from outside: wall time, processor time, resident memory. Linux only: it reads /proc. */

import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'

/** What one run cost. */
export interface Cost {
  readonly wallS: number
  /** User and system time of everything that took part. */
  readonly cpuS: number
  /** Largest resident set of the program, and of its helpers together. */
  readonly peakMiB: number
  readonly helpersMiB: number
}

/** A clock tick of /proc in seconds (USER_HZ is 100 on every Linux that Node runs on). */
const TICK_S = 0.01

const SAMPLE_EVERY_MS = 10

/**
 * Runs a program to its end.
 *
 * @param helpers process ids that work for it meanwhile: a service
 * @throws {Error} when it does not end with status 0
 */
export async function measure(
  program: string,
  args: readonly string[],
  options: MeasureOptions = {},
): Promise<Cost> {
  const { helpers = [], env = {}, afterwards, input } = options
  for (const pid of helpers) resetPeak(pid)
  const helpersBefore = helpers.map(cpuOf)
  const childrenBefore = childrenCpu()
  const began = performance.now()
  let peakKiB = 0
  await new Promise<void>((resolve, reject) => {
    const child = spawn(program, [...args], {
      stdio: [input === undefined ? 'ignore' : 'pipe', 'ignore', 'pipe'],
      env: { ...process.env, ...env },
    })
    let complaint = ''
    child.stdin?.end(input)
    child.stderr?.on('data', (data: Buffer) => {
      complaint = (complaint + data.toString()).slice(-2_000)
    })
    const timer = setInterval(() => {
      if (child.pid !== undefined) peakKiB = Math.max(peakKiB, statusKiB(child.pid, 'VmHWM'))
    }, SAMPLE_EVERY_MS)
    child.once('error', reject)
    child.once('close', (status) => {
      clearInterval(timer)
      if (status === 0) resolve()
      else reject(new Error(`${program} ended with ${status}: ${complaint}`))
    })
  })
  afterwards?.()
  const wallS = (performance.now() - began) / 1000
  const helpersCpu = helpers.reduce(
    (sum, pid, index) => sum + cpuOf(pid) - (helpersBefore[index] ?? 0),
    0,
  )
  const helpersKiB = helpers.reduce((sum, pid) => sum + statusKiB(pid, 'VmHWM'), 0)
  return {
    wallS,
    cpuS: childrenCpu() - childrenBefore + helpersCpu,
    peakMiB: peakKiB / 1024,
    helpersMiB: helpersKiB / 1024,
  }
}

/** What else a measurement may be told. */
export interface MeasureOptions {
  readonly helpers?: readonly number[]
  readonly env?: Readonly<Record<string, string>>
  /** Work that belongs to the run, done in this process after the program: syncing, say. */
  readonly afterwards?: () => void
  /** What the program reads. */
  readonly input?: string
}

/** Seconds of processor time of a process and all its threads. */
export function cpuOf(pid: number): number {
  const fields = statFields(pid)
  return (Number(fields[11]) + Number(fields[12])) * TICK_S
}

/** The same of the threads that are there, to the nanosecond: for differences of what goes on with the same threads. */
export function threadsCpuS(pid: number): number {
  let nanoseconds = 0
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const text = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8')
    nanoseconds += Number(text.split(' ')[0])
  }
  return nanoseconds / 1e9
}

/** Resident memory of a process in MiB: now (`VmRSS`) or at its largest (`VmHWM`). */
export function residentMiB(pid: number, which: 'VmRSS' | 'VmHWM' = 'VmRSS'): number {
  return statusKiB(pid, which) / 1024
}

/** Of every child that has ended. */
function childrenCpu(): number {
  const fields = statFields(process.pid)
  return (Number(fields[13]) + Number(fields[14])) * TICK_S
}

/** The fields of /proc/PID/stat behind the name, which may hold anything. */
function statFields(pid: number): readonly string[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return text.slice(text.lastIndexOf(')') + 2).split(' ')
}

function statusKiB(pid: number, name: string): number {
  try {
    const line = readFileSync(`/proc/${pid}/status`, 'utf8')
      .split('\n')
      .find((each) => each.startsWith(`${name}:`))
    return Number(line?.replaceAll(/\D/gu, '') ?? 0)
  } catch {
    return 0
  }
}

function resetPeak(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '5')
  } catch {
    // Not allowed here: the peak is then the one since the process began.
  }
}

/** The median of some figures. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2
}
