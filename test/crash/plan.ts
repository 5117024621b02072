/** What happens in one round, decided by a number: the jobs, their servers' faults, and who is killed when. */

import type { Priority } from 'lull'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import type { FaultName } from '../lab/fault-server.ts'
import type { ResourceOptions } from '../lab/situation.ts'

const KIBIBYTE = 1024
const MEBIBYTE = 1024 * KIBIBYTE

/** One file. */
export interface FilePlan {
  readonly fault: FaultName
  readonly options: ResourceOptions & { readonly size: number }
  /** Whether the server lets every interruption be gone on from: strong validators, ranges, one version. */
  readonly isResumable: boolean
}

/** One job. */
export interface JobPlan {
  /** Not the name of any other job. */
  readonly name: string
  readonly priority: Priority
  readonly files: readonly FilePlan[]
  /** What its owner does to it meanwhile, and after how many milliseconds. */
  readonly whim: { readonly kind: 'none' | 'cancel' | 'suspend'; readonly afterMs: number }
}

/** One death. */
export interface KillPlan {
  readonly afterMs: number
  /** Whether a file that is on its way becomes another one on its server at the same moment. */
  readonly changesFile: boolean
  readonly victim: 'service' | 'carrier'
  readonly signal: 'SIGKILL' | 'SIGTERM'
}

/** One round. */
export interface RoundPlan {
  readonly seed: number
  readonly carriers: 'threads' | 'processes'
  /** Which disk has no room for a while, and how long that is. */
  readonly fullDisk: { readonly of: 'none' | 'targets' | 'queue'; readonly forMs: number }
  readonly jobs: readonly JobPlan[]
  readonly kills: readonly KillPlan[]
}

/** Chance, with words for what is asked of it. */
export class Dice {
  readonly #random: SeededRandom

  constructor(seed: number) {
    this.#random = new SeededRandom(seed)
    // The first numbers of neighbouring seeds resemble each other.
    this.#random.bytes(16)
  }

  /** A whole number from `least` to `most`. */
  number(least: number, most: number): number {
    return least + Math.floor(this.#random.fraction() * (most - least + 1))
  }

  chance(probability: number): boolean {
    return this.#random.fraction() < probability
  }

  pick<T>(first: T, ...others: readonly T[]): T {
    return [first, ...others][this.number(0, others.length)] ?? first
  }
}

/** Makes the plan of a round; the same for the same number. @param hasSmallDisks whether disks may be full */
export function planRound(seed: number, hasSmallDisks: boolean): RoundPlan {
  const dice = new Dice(seed)
  const isFull = hasSmallDisks && dice.chance(0.12)
  const of = isFull ? dice.pick('targets' as const, 'targets' as const, 'queue' as const) : 'none'
  const carriers = dice.chance(0.25) ? 'processes' : 'threads'
  const jobs = planJobs(dice, isFull, seed)
  const count = dice.pick(0, 1, 1, 1, 1, 2, 2, 3, 5)
  const kills = Array.from({ length: count }, () => planKill(dice, carriers))
  return { seed, carriers, fullDisk: { of, forMs: dice.number(50, 600) }, jobs, kills }
}

function planKill(dice: Dice, carriers: RoundPlan['carriers']): KillPlan {
  return {
    afterMs: dice.chance(0.3) ? dice.number(0, 30) : dice.number(0, 400),
    changesFile: dice.chance(0.2),
    victim: carriers === 'processes' && dice.chance(0.5) ? 'carrier' : 'service',
    signal: dice.chance(0.15) ? 'SIGTERM' : 'SIGKILL',
  }
}

function planJobs(dice: Dice, isDiskSmall: boolean, seed: number): readonly JobPlan[] {
  const count = dice.pick(1, 1, 2, 3, 4)
  const budget = { bytes: isDiskSmall ? 3 * MEBIBYTE : 16 * MEBIBYTE, slow: 6, seed: 0 }
  return Array.from({ length: count }, (_, job) => {
    const files = dice.chance(0.3) ? dice.number(10, 60) : dice.number(1, 8)
    return {
      name: `round ${seed} job ${job}`,
      priority: dice.pick('foreground', 'foreground', 'high', 'normal', 'low'),
      files: Array.from({ length: files }, () => planFile(dice, budget)),
      whim: {
        kind: dice.pick('none', 'none', 'none', 'none', 'none', 'none', 'cancel', 'suspend'),
        afterMs: dice.number(0, 500),
      },
    }
  })
}

interface Budget {
  bytes: number
  /** How many files may take a noticeable time. */
  slow: number
  seed: number
}

function planFile(dice: Dice, budget: Budget): FilePlan {
  const size = Math.min(planSize(dice), budget.bytes)
  budget.bytes -= size
  const isSlow = budget.slow > 0 && size > 20 * KIBIBYTE && dice.chance(0.6)
  if (isSlow) budget.slow--
  const { fault, options, isResumable } = planFault(dice, size)
  const rate = isSlow ? { rate: Math.ceil(size / (dice.number(2, 15) / 10)) } : {}
  return { fault, options: { ...options, ...rate, size, seed: budget.seed++ }, isResumable }
}

function planSize(dice: Dice): number {
  const kind = dice.number(0, 99)
  if (kind < 4) return 0
  if (kind < 60) return dice.number(1, 20 * KIBIBYTE)
  if (kind < 90) return dice.number(20 * KIBIBYTE, 400 * KIBIBYTE)
  if (kind < 97) return dice.number(400 * KIBIBYTE, 2 * MEBIBYTE)
  return dice.number(2 * MEBIBYTE, 8 * MEBIBYTE)
}

interface FaultPlan {
  readonly fault: FaultName
  readonly options: ResourceOptions
  readonly isResumable: boolean
}

function resumable(fault: FaultName, options: ResourceOptions = {}): FaultPlan {
  return { fault, options, isResumable: true }
}

function restarting(fault: FaultName, options: ResourceOptions = {}): FaultPlan {
  return { fault, options, isResumable: false }
}

/** A fault that ends some time: every file can be had in the end. */
function planFault(dice: Dice, size: number): FaultPlan {
  const cut = dice.number(0, size)
  if (dice.chance(0.4)) return resumable('good')
  return dice.pick<FaultPlan>(
    resumable('good', { cut: cut + 1 }),
    resumable('good', { cut: Math.ceil(cut / 3) + 1, cuts: 2, etag: 'none' }),
    resumable('good', { etag: 'weak' }),
    resumable('chunked'),
    resumable('closes'),
    resumable('closes-silently'),
    resumable('less-than-asked', { part: 100 * KIBIBYTE }),
    resumable('status', { code: 503, times: 1 }),
    resumable('status', { code: 429, times: 1, 'retry-after': 1 }),
    resumable('no-answer', { times: 1, how: dice.pick('fin', 'reset') }),
    resumable('cut', { after: cut, times: 1, how: 'reset' }),
    restarting('close-delimited', { version: 'HTTP/1.1' }),
    restarting('surplus', { times: 1 }),
    restarting('good', { etag: 'none', modified: 'none', cut: cut + 1 }),
    restarting('good', { etag: 'none', modified: 'fresh' }),
    restarting('good', { etag: 'edge', cut: cut + 1, cuts: 3 }),
    restarting('good', { ignores: 'ranges', cut: cut + 1 }),
    restarting('part-unproven'),
    restarting('good', { changes: dice.number(1, 3), cut: cut + 1 }),
    restarting('good', { changes: 2, ignores: 'conditions', cut: cut + 1, cuts: 2 }),
    restarting('good', { changes: 2, etag: 'none', cut: cut + 1, cuts: 2 }),
    restarting('redirect-chain', { hops: 2 }),
  )
}
