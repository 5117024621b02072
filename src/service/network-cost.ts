/** What the network costs: as the operator says, or as NetworkManager does. */

import type { Log } from '../base/log.ts'
import { costStates } from '../job/cost.ts'
import { NetworkManager } from './network-manager.ts'

/** Knows what the network costs. */
export interface CostSource {
  /** A set of `costStates`; `undefined` until it is known. */
  present(): number | undefined
  /** Finds out, and tells when it is known or changes, until disposed; never at once. */
  watch(changed: () => void): Disposable
  /** Finds out again, if somebody watches: the network changed. */
  lookAgain(): void
}

/** What the setting `metered` says; `auto` asks the machine. */
export type Metered = 'auto' | 'yes' | 'no'

/** Every value of {@link Metered}. */
export const meteredValues = ['auto', 'yes', 'no'] as const satisfies readonly Metered[]

/** @param platform as `process.platform` names it */
export function costSource(
  metered: Metered,
  log: Log,
  platform: NodeJS.Platform = process.platform,
): CostSource {
  if (metered === 'yes') return fixedCost(costStates.cappedUsageUnknown)
  if (metered === 'no' || platform !== 'linux') return fixedCost(costStates.unrestricted)
  return new NetworkManager(log)
}

function fixedCost(cost: number): CostSource {
  return {
    present: () => cost,
    watch: () => ({ [Symbol.dispose]: () => undefined }),
    lookAgain: () => undefined,
  }
}
