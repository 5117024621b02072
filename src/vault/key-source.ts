/** Where a master key may live: the seam for operating systems and their keyrings. */

import type { MasterKey } from './master-key.ts'

/** One place for master keys. Both calls are synchronous, and only one process uses the place. */
export interface KeySource {
  /** For people: `the key file /home/alice/.local/share/lull/master.key`. */
  readonly name: string
  /** Whether its keys only open records and never seal; `false` when absent. */
  readonly isRetired?: boolean
  /**
   * Reads what is there.
   *
   * @returns the keys, oldest first, which the caller owns; none when there are none, or no such place on this machine
   * @throws {VaultError} when there is something that is not to be used, or it cannot be read. It is never taken for
   *   "none": a new key would then begin beside one that may only be hidden for a while
   */
  read(): readonly MasterKey[]
  /**
   * Replaces what is there, durably and in one step: whatever happens, a later {@link read} gives either the old keys or
   * these. Called after {@link read}; the keys stay the caller's. Absent where only the machine's operator writes.
   *
   * @param keys oldest first; none to leave nothing
   * @throws {VaultError} `ERR_VAULT_IO`; either keys may be there then
   */
  readonly write?: (keys: readonly MasterKey[]) => void
}
