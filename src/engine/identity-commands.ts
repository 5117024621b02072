/** What clients may ask about as whom a job asks: credentials, for now. */

import { takePair, type GivenPair } from '../job/given-credentials.ts'
import type { JobId } from '../job/job.ts'
import { findJob, findOwned, type Caller } from './access.ts'
import type { Core } from './core.ts'
import type { PairName } from './secrets.ts'

/** The calls about identities. A change reaches a job that is being transferred with a new turn. */
export class IdentityCommands {
  readonly #core: Core

  constructor(core: Core) {
    this.#core = core
  }

  /**
   * Sets the credentials of one pair of target and scheme, in the place of what was set for it (A11, A12).
   *
   * @throws {JobError} `E_ACCESSDENIED` when the caller is not the owner (A18), `BG_E_INVALID_STATE`, and as `takePair`
   * @throws {VaultError} when the vault is not available
   */
  setCredentials(caller: Caller, id: JobId, given: GivenPair): void {
    const job = findOwned(this.#core, caller, id, 'the credentials')
    const pair = takePair(given)
    this.#core.commit(() => {
      this.#core.secrets.savePairs(job, [pair])
      this.#core.renewTurn(job)
    })
  }

  /**
   * Forgets the credentials of one pair.
   *
   * @returns whether there were any (A25)
   * @throws {JobError} `E_ACCESSDENIED`, `BG_E_INVALID_STATE`
   */
  removeCredentials(caller: Caller, id: JobId, { target, scheme }: PairName): boolean {
    const job = findOwned(this.#core, caller, id, 'the credentials')
    return this.#core.commit(() => {
      const were = this.#core.secrets.remove(job, { target, scheme })
      if (were) this.#core.renewTurn(job)
      return were
    })
  }

  /** Which pairs are set, and nothing else of them (A17). @throws {JobError} as `findJob` */
  credentials(caller: Caller, id: JobId): readonly PairName[] {
    return this.#core.secrets.pairs(findJob(this.#core, caller, id))
  }
}
