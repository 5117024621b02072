/**
 * What the use of a network costs, and on which networks a job may be transferred: BITS_COST_STATE (bits-jobs.md §3).
 * All sets of 32 bits, without sign.
 */

import { failure, JobError, type Failure } from './failure.ts'

/** What a network costs. A network may be in several of these states: roaming, and paid per byte. */
export const costStates = {
  /** Not metered. */
  unrestricted: 0x0000_0001,
  /** There is a cap, and nobody knows how much of it is used. */
  cappedUsageUnknown: 0x0000_0002,
  /** Under 80 % of the cap. */
  belowCap: 0x0000_0004,
  /** Between 80 % and 100 % of the cap. */
  nearCap: 0x0000_0008,
  /** Over the cap, and what goes beyond it is charged. */
  overcapCharged: 0x0000_0010,
  /** Over the cap and slow for it, but not charged. */
  overcapThrottled: 0x0000_0020,
  /** Paid per byte. */
  usageBased: 0x0000_0040,
  /** Of another operator than one's own. */
  roaming: 0x0000_0080,
} as const

/** Every state that a network can be in. */
const EVERY_STATE = 0x0000_00ff

/** What a job may have set besides states: BITS's reserved bit, and BITS_COST_OPTION_IGNORE_CONGESTION. */
const OPTIONS = 0xc000_0000

/** The policies that have a name (BITS_JOB_TRANSFER_POLICY), most generous first. */
export const transferPolicies = {
  always: 0x8000_00ff,
  notRoaming: 0x8000_007f,
  noSurcharge: 0x8000_006f,
  standard: 0x8000_0067,
  unrestricted: 0x8000_0021,
} as const

/** The name of one of {@link transferPolicies}. */
export type TransferPolicy = keyof typeof transferPolicies

/** Every {@link TransferPolicy}. */
export const transferPolicyNames = Object.keys(transferPolicies) as readonly TransferPolicy[]

/** Whether a job with these flags may be transferred over a network that costs `cost`: every state of it has to be in them. */
export function admitsCost(flags: number, cost: number): boolean {
  return (cost & ~flags & EVERY_STATE) === 0
}

/** Whether a job with these flags may be transferred over every network, whatever that costs. */
export function admitsEveryCost(flags: number): boolean {
  return admitsCost(flags, EVERY_STATE)
}

/** @throws {JobError} `E_INVALIDARG` for bits that mean nothing, and when no network is left */
export function checkCostFlags(flags: number): void {
  const known = (EVERY_STATE | OPTIONS) >>> 0
  if (Number.isInteger(flags) && flags >= 0 && flags <= 0xffff_ffff && (flags & ~known) === 0) {
    if ((flags & EVERY_STATE) !== 0) return
    throw invalid(flags, 'no network would be left')
  }
  throw invalid(flags, `every bit is one of ${formatFlags(known)}`)
}

function invalid(flags: number, why: string): JobError {
  return new JobError('E_INVALIDARG', `Cannot set cost flags to ${formatFlags(flags)}: ${why}`)
}

function formatFlags(flags: number): string {
  return `0x${flags.toString(16).toUpperCase().padStart(8, '0')}`
}

/** What people read of each state. */
const words: Readonly<Record<keyof typeof costStates, string>> = {
  unrestricted: 'not metered',
  cappedUsageUnknown: 'metered',
  belowCap: 'metered, below its cap',
  nearCap: 'metered, near its cap',
  overcapCharged: 'metered, over its cap and charged',
  overcapThrottled: 'metered, over its cap and throttled',
  usageBased: 'paid per byte',
  roaming: 'roaming',
}

/** What a network costs, as words that follow "the network is". */
export function describeCost(cost: number): string {
  const states = Object.entries(costStates).filter(([, bit]) => (cost & bit) !== 0)
  return states.map(([name]) => words[name as keyof typeof costStates]).join(' and ')
}

/** The failure of a job that waits for a network of another cost. */
export function costFailure(cost: number): Failure {
  return failure(
    'BG_E_BLOCKED_BY_COST_TRANSFER_POLICY',
    'GENERAL_QUEUE_MANAGER',
    `The network is ${describeCost(cost)}, and the job does not allow that`,
    { waitsFor: 'cost' },
  )
}
