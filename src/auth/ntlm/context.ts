/** NTLM as a mechanism: either side of it behind the interface of the platform's contexts. */

import { MisuseError } from '../../base/error.ts'
import type { MechanismContext, MechanismStep } from '../mechanism.ts'
import type { NtlmSessionSecurity } from './session-security.ts'

/** One side of the exchange of messages. */
export interface NtlmParty {
  /**
   * Takes the peer's message (`undefined` before the client's first) and makes ours.
   *
   * @throws {ProtocolError} when the message cannot be read
   * @throws {MechanismError} when it cannot be answered, or does not prove what it should
   */
  step(token: Uint8Array | undefined): NtlmStep
}

/** What a step made. */
export interface NtlmStep extends MechanismStep {
  /** With the last step, when signing was agreed; belongs to the receiver, who wipes it. */
  readonly security?: NtlmSessionSecurity
}

/** One NTLM authentication. Its promises are kept before they are returned: there is nothing to wait for. */
export class NtlmContext implements MechanismContext {
  readonly #party: NtlmParty
  #security: NtlmSessionSecurity | undefined

  constructor(party: NtlmParty) {
    this.#party = party
  }

  /** Whether {@link sign} and {@link verify} can be used: after the last step, when signing was agreed. */
  get hasIntegrity(): boolean {
    return this.#security !== undefined
  }

  /** @throws as {@link NtlmParty.step} */
  async step(token: Uint8Array | undefined): Promise<MechanismStep> {
    const { security, ...step } = this.#party.step(token)
    this.#security = security
    return step
  }

  /** @throws {MisuseError} `ERR_NTLM_STATE` when signing was not agreed, or not yet */
  async sign(message: Uint8Array): Promise<Uint8Array> {
    return this.#secured().sign(message)
  }

  /** @throws {MisuseError} as {@link sign} */
  async verify(message: Uint8Array, code: Uint8Array): Promise<boolean> {
    return this.#secured().verify(message, code)
  }

  /** Begins signing anew, as after the codes over a mechListMIC (A286). */
  resetSecurity(): void {
    this.#security?.reset()
  }

  close(): void {
    this.#security?.wipe()
    this.#security = undefined
  }

  #secured(): NtlmSessionSecurity {
    if (this.#security !== undefined) return this.#security
    throw new MisuseError('ERR_NTLM_STATE', 'Cannot sign a message: NTLM has no session key')
  }
}
