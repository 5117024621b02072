/** What a service tells of itself. */

import type { Engine, LiveKind } from '../engine/engine.ts'
import type { JobStore } from '../engine/ports/job-store.ts'
import type { Vault, VaultError } from '../engine/ports/vault.ts'
import { costStates } from '../job/cost.ts'
import { bitsStates } from '../job/moves.ts'
import type { LiveState, MasterKeyView, NetworkView, ServiceStatus } from '../rpc/contract.ts'

/** Secrets that are looked at for whether there is a key: enough to find that it was lost. */
const LOOKED_AT = 100

/** The vault of a service, or why there is none. */
export interface HomeVault {
  readonly vault: Vault
  /** Why it cannot be used. */
  readonly problem: VaultError | undefined
}

/** Jobs by BITS's words for their states. */
export function stateCounts(engine: Engine): ServiceStatus['states'] {
  const counts = Object.entries(engine.counts()).map(([kind, count]) => [
    bitsStates[kind as LiveKind].name,
    count,
  ])
  return Object.fromEntries(counts) as Record<LiveState, number>
}

/** The network with names for what it costs. */
export function networkView(engine: Engine): NetworkView {
  const { isThere, cost } = engine.network()
  const names = Object.entries(costStates).filter(([, bit]) => ((cost ?? 0) & bit) !== 0)
  return { isThere, cost: cost === undefined ? null : names.map(([name]) => name) }
}

/** Whether secrets can be sealed and opened; opens none. */
export function masterKeyView({ vault, problem }: HomeVault, store: JobStore): MasterKeyView {
  if (problem !== undefined) return { state: 'unavailable', reason: problem.message }
  const records = store.sealedRecords.page(undefined, LOOKED_AT)
  const lost = records.filter(({ context, sealed }) => !vault.holdsKeyOf(context, sealed)).length
  if (lost > 0) {
    const some = lost === 1 ? 'a secret' : `${lost}${lost === LOOKED_AT ? ' or more' : ''} secrets`
    const reason = `The key that ${some} of the queue was sealed with is not there`
    return { state: 'lost', reason }
  }
  if (!vault.isRotating) return { state: 'ready', reason: null }
  return { state: 'rotating', reason: 'Older keys are kept until lull vault rotate has ended' }
}
