/** Takes every record of the queue from older master keys to the newest. */

import {
  VaultError,
  type SealedRecord,
  type SealedRecords,
  type Vault,
} from '../engine/ports/vault.ts'

/** How many records one portion reads and commits: a few milliseconds. */
const PORTION = 100

/** How far a rotation has come. */
export interface RotationProgress {
  /** Records that are now sealed with the newest key and were not before. */
  readonly resealed: number
  /** Records that do not open, with any key: they stay as they are. */
  readonly lost: number
}

/**
 * Rotates the master key, one portion of records with each step; the caller lets others have their turn in between.
 *
 * Each step is durable, and whoever stops after any of them, or crashes within one, has lost nothing: older keys are
 * forgotten only after a whole walk through the queue. To go on, rotate again. Records that are sealed meanwhile are
 * sealed with the newest key.
 *
 * @yields after the new key was made, and after each portion
 * @returns the progress at the end, when the older keys are forgotten
 * @throws {VaultError} `ERR_VAULT_KEY_FIXED`, `ERR_VAULT_IO`; `ERR_VAULT_NEWER` when a newer version sealed a record,
 *   which this one must not make worthless. And what `records` throws
 */
export function* rotate(
  vault: Vault,
  records: SealedRecords,
): Generator<RotationProgress, RotationProgress, void> {
  const rotation = vault.beginRotation()
  const progress = { resealed: 0, lost: 0 }
  yield { ...progress }
  let page: readonly SealedRecord[] = []
  do {
    page = records.page(page.at(-1)?.context, PORTION)
    const resealed: SealedRecord[] = []
    for (const { context, sealed } of page) {
      const outcome = resealOne(() => rotation.reseal(context, sealed))
      if (outcome === 'lost') progress.lost += 1
      else if (outcome !== undefined) resealed.push({ context, sealed: outcome })
    }
    if (resealed.length > 0) records.replace(resealed)
    progress.resealed += resealed.length
    yield { ...progress }
    // A short page is the last: what follows it by now is sealed with the newest key.
  } while (page.length === PORTION)
  rotation.end()
  return progress
}

function resealOne(reseal: () => Uint8Array | undefined): Uint8Array | 'lost' | undefined {
  try {
    return reseal()
  } catch (error) {
    const isLost =
      error instanceof VaultError &&
      (error.code === 'ERR_VAULT_KEY_LOST' || error.code === 'ERR_VAULT_RECORD_REFUSED')
    if (isLost) return 'lost'
    throw error
  }
}
