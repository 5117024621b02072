/** Plays many rounds, several at the same time. */

import { cannotMount } from '../lab/small-disk.ts'
import type { AskedAgain } from './check.ts'
import { Dice, planRound } from './plan.ts'
import { playRound, type RoundResult } from './round.ts'
import { Stage } from './stage.ts'

/** What is played. */
export interface CrashOptions {
  readonly seed: number
  readonly rounds: number
  /** Rounds at the same time. */
  readonly parallel: number
  /** Plays this round alone. */
  readonly only?: number
  /** Hears of every violation as it is found. */
  readonly tell: (line: string) => void
}

/** What it came to. */
export interface CrashResult {
  readonly rounds: number
  readonly seconds: number
  readonly jobs: number
  readonly files: number
  readonly requests: number
  readonly bytesSent: number
  readonly nudges: number
  readonly fullDisks: number
  readonly kills: {
    readonly service: number
    readonly terminated: number
    readonly carrier: number
  }
  readonly askedAgain: AskedAgain
  readonly violations: readonly string[]
}

/** Plays the rounds of a seed. */
export async function crash(options: CrashOptions): Promise<CrashResult> {
  const { seed, rounds, parallel, only, tell } = options
  const started = performance.now()
  const numbers = only === undefined ? Array.from({ length: rounds }, (_, at) => at) : [only]
  const queue = numbers.values()
  const results: RoundResult[] = []
  const forgotten: string[] = []
  const player = async (): Promise<void> => {
    await using stage = new Stage()
    for (const number of queue) {
      const plan = planRound(new Dice(seed + number).number(1, 2 ** 31), cannotMount === false)
      const result = await playRound(plan, stage)
      results.push(result)
      for (const violation of result.violations) tell(`Round ${number}: ${violation}`)
      if (result.violations.length > 0) tell(`${JSON.stringify(plan)}\n${result.log}`)
    }
    for (const id of await stage.forgotten())
      forgotten.push(`job ${id} of an earlier round is lost`)
  }
  await Promise.all(Array.from({ length: parallel }, player))
  forgotten.forEach(tell)
  return { ...sum(results, forgotten), seconds: (performance.now() - started) / 1_000 }
}

function sum(
  results: readonly RoundResult[],
  forgotten: readonly string[],
): Omit<CrashResult, 'seconds'> {
  const add = (figure: (result: RoundResult) => number): number =>
    results.reduce((total, result) => total + figure(result), 0)
  return {
    rounds: results.length,
    jobs: add(({ plan }) => plan.jobs.length),
    files: add(({ plan }) => plan.jobs.reduce((count, { files }) => count + files.length, 0)),
    requests: add(({ requests }) => requests),
    bytesSent: add(({ bytesSent }) => bytesSent),
    nudges: add(({ nudges }) => nudges),
    fullDisks: add(({ plan }) => (plan.fullDisk.of === 'none' ? 0 : 1)),
    kills: {
      service: add(({ kills }) => kills.service),
      terminated: add(({ kills }) => kills.terminated),
      carrier: add(({ kills }) => kills.carrier),
    },
    askedAgain: {
      bytes: Math.max(0, ...results.map(({ askedAgain }) => askedAgain.bytes)),
      ms: Math.max(0, ...results.map(({ askedAgain }) => askedAgain.ms)),
    },
    violations: [...results.flatMap(({ violations }) => violations), ...forgotten],
  }
}
