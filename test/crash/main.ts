/**
 * `npm run crash -- --rounds N [--seed S] [--parallel P]`: kills services and carriers at random moments of random
 * jobs, and checks that nothing is lost and nothing is wrong. The same seed makes the same plans; `--only K` plays the
 * round with that number of the seed alone.
 */

import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { cannotMount } from '../lab/small-disk.ts'
import { crash, type CrashResult } from './crash.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '200' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_007) },
    parallel: { type: 'string', default: String(3 * availableParallelism()) },
    only: { type: 'string' },
  },
})

const seed = Number(values.seed)
process.stdout.write(`Seed ${seed}\n`)
if (cannotMount !== false) process.stdout.write(`Left out: full disks: ${cannotMount}\n`)
const result = await crash({
  seed,
  rounds: Number(values.rounds),
  parallel: Number(values.parallel),
  ...(values.only === undefined ? {} : { only: Number(values.only) }),
  tell: (line) => process.stdout.write(`${line}\n`),
})
process.stdout.write(table(result))
process.exitCode = result.violations.length === 0 ? 0 : 1

function table(result: CrashResult): string {
  const { seconds, rounds, jobs, files, kills, fullDisks, bytesSent, requests, askedAgain } = result
  const rows: readonly (readonly [string, string | number])[] = [
    ['Rounds', `${rounds} in ${seconds.toFixed(0)} s`],
    ['Jobs, files', `${jobs}, ${files}`],
    ['Requests, bytes', `${requests}, ${(bytesSent / 1e6).toFixed(0)} MB`],
    ['Services killed', kills.service],
    ['Services ended', kills.terminated],
    ['Carriers killed', kills.carrier],
    ['Full disks', fullDisks],
    ['Tries after a failure', result.nudges],
    ['Most asked for again', `${(askedAgain.bytes / 1e3).toFixed(0)} kB of one file`],
    ['… at a steady pace', `${askedAgain.ms.toFixed(0)} ms of one file`],
    ['Violations', result.violations.length],
  ]
  return rows.map(([name, value]) => `${name.padEnd(24)}${value}\n`).join('')
}
