/** The initiator of SPNEGO: offers mechanisms, takes the one that is selected, protects the choice (RFC 4178). */

import { assert, ProtocolError } from '../../base/error.ts'
import { MechanismError } from '../error.ts'
import type { MechanismContext, MechanismStep } from '../mechanism.ts'
import { isSameMechanism, mechanismIds } from './mechanism-ids.ts'
import type { NegotiableContext, NegotiableMechanism } from './negotiable.ts'
import {
  decodeNegTokenResp,
  encodeMechTypeList,
  encodeNegTokenInit,
  encodeNegTokenResp,
  type NegTokenResp,
} from './tokens.ts'

/** The context that was selected, and how far it is. */
interface Selected {
  readonly mechanism: NegotiableMechanism
  readonly context: NegotiableContext
  /** Whether its own tokens are over. */
  readonly isComplete: boolean
}

/**
 * One negotiation.
 *
 * The list of mechanisms travels before there is a key, so whoever sits in between could strike out the strong ones.
 * Therefore both sides sign the list afterwards (mechListMIC), unless the first choice of both was taken: then nothing
 * can have been struck out. NTLM is signed for even then, because its acceptors insist (A285).
 */
export class SpnegoInitiator implements MechanismContext {
  readonly #mechanisms: readonly NegotiableMechanism[]
  readonly #isOptimistic: boolean
  readonly #mechTypeList: Uint8Array
  #selected: Selected | undefined
  #isNegotiated = false
  #isMicRequested = false
  #isMicSent = false
  #isMicVerified = false
  #isClosed = false

  /**
   * @param mechanisms in order of preference, at least one
   * @param isOptimistic whether the first token carries one of the first mechanism
   */
  constructor(mechanisms: readonly NegotiableMechanism[], isOptimistic: boolean) {
    this.#mechanisms = mechanisms
    this.#isOptimistic = isOptimistic
    this.#mechTypeList = encodeMechTypeList(mechanisms.map(({ id }) => id))
  }

  /**
   * Without a token makes NegTokenInit, with NegTokenResp whatever comes next.
   *
   * @throws {ProtocolError} when the token cannot be read, or `ERR_SPNEGO_MECHANISM` when it selects what was not
   *   offered, `ERR_SPNEGO_MIC_EARLY` when the list is signed before there is a key
   * @throws {MechanismError} `ERR_SPNEGO_REJECTED`, `ERR_SPNEGO_MIC` when the list was tampered with,
   *   `ERR_SPNEGO_INCOMPLETE` when the peer ends before it proved itself, `ERR_SPNEGO_MIC_MISSING` when it ends before
   *   a list that needs it is signed; and what the mechanism throws
   */
  async step(token: Uint8Array | undefined): Promise<MechanismStep> {
    return token === undefined ? this.#begin() : this.#respond(decodeNegTokenResp(token))
  }

  async sign(message: Uint8Array): Promise<Uint8Array> {
    return this.#current().context.sign(message)
  }

  async verify(message: Uint8Array, code: Uint8Array): Promise<boolean> {
    return this.#current().context.verify(message, code)
  }

  close(): void {
    this.#isClosed = true
    this.#selected?.context.close()
    for (const mechanism of this.#mechanisms) mechanism.discard?.()
  }

  async #begin(): Promise<MechanismStep> {
    const mechTypes = this.#mechanisms.map(({ id }) => id)
    if (!this.#isOptimistic) return { token: encodeNegTokenInit({ mechTypes }), complete: false }
    const mechToken = await this.#open(0)
    const hope = mechToken === undefined ? {} : { mechToken }
    return { token: encodeNegTokenInit({ mechTypes, ...hope }), complete: false }
  }

  async #respond(response: NegTokenResp): Promise<MechanismStep> {
    const { negState, mechListMic } = response
    if (negState === 'reject') throw refused('ERR_SPNEGO_REJECTED', 'the peer rejects it')
    const responseToken = this.#isNegotiated
      ? await this.#advance(response)
      : await this.#select(response)
    const { isComplete } = this.#current()
    const isAccepted = negState === 'accept-completed'
    if (isAccepted && !isComplete) {
      throw refused('ERR_SPNEGO_INCOMPLETE', 'the peer ends before it proved itself')
    }
    if (mechListMic !== undefined) await this.#verifyMic(mechListMic)
    else if (isAccepted && this.#isMicRequested && !this.#isMicSent) {
      throw refused(
        'ERR_SPNEGO_MIC_MISSING',
        'the peer ends before the list of mechanisms is signed',
      )
    }
    const mic = isComplete && this.#owesMic(isAccepted) ? await this.#makeMic() : undefined
    if (this.#isMicSent && this.#isMicVerified) this.#current().context.resetSecurity?.()
    if (responseToken === undefined && mic === undefined) {
      // The state may be left out of later tokens.
      return { complete: isAccepted || (isComplete && negState === undefined) }
    }
    return {
      token: encodeNegTokenResp({
        ...(mic === undefined ? {} : { negState: this.#ownState(), mechListMic: mic }),
        ...(responseToken === undefined ? {} : { responseToken }),
      }),
      complete: isAccepted,
    }
  }

  /** The first response says which mechanism it is; later ones are not asked (A283). */
  async #select(response: NegTokenResp): Promise<Uint8Array | undefined> {
    this.#isNegotiated = true
    const { supportedMech = this.#mechanisms[0]?.id ?? '' } = response
    const index = this.#mechanisms.findIndex(({ id }) => isSameMechanism(id, supportedMech))
    if (index < 0) {
      throw new ProtocolError(
        'ERR_SPNEGO_MECHANISM',
        `Cannot go on with SPNEGO: ${supportedMech} was selected and not offered`,
      )
    }
    this.#isMicRequested = index > 0 || response.negState === 'request-mic'
    return index === 0 && this.#selected !== undefined ? this.#advance(response) : this.#open(index)
  }

  /** Drops the context at hand and begins another (A282). */
  async #open(index: number): Promise<Uint8Array | undefined> {
    this.#selected?.context.close()
    const mechanism = this.#mechanisms[index]
    assert(mechanism !== undefined, 'a mechanism is selected from the list')
    const context = await mechanism.open()
    // Closed while it was opening.
    if (this.#isClosed) context.close()
    this.#selected = { mechanism, context, isComplete: false }
    const { token, complete } = await context.step(undefined)
    this.#selected = { mechanism, context, isComplete: complete }
    return token
  }

  async #advance({ responseToken }: NegTokenResp): Promise<Uint8Array | undefined> {
    const selected = this.#current()
    // Some servers repeat a token with their last word.
    if (responseToken === undefined || selected.isComplete) return undefined
    const { token, complete } = await selected.context.step(responseToken)
    this.#selected = { ...selected, isComplete: complete }
    return token
  }

  async #verifyMic(mic: Uint8Array): Promise<void> {
    const { context, isComplete } = this.#current()
    if (!isComplete) {
      throw new ProtocolError(
        'ERR_SPNEGO_MIC_EARLY',
        'Cannot go on with SPNEGO: the list of mechanisms is signed before there is a key',
      )
    }
    const isGood = context.hasIntegrity !== false && (await context.verify(this.#mechTypeList, mic))
    if (!isGood) throw refused('ERR_SPNEGO_MIC', 'the list of mechanisms was tampered with')
    this.#isMicVerified = true
  }

  /** Whether the peer waits for our signature over the list (A284, A285). */
  #owesMic(isAccepted: boolean): boolean {
    const { mechanism, context } = this.#current()
    if (this.#isMicSent || context.hasIntegrity === false) return false
    const isExpected = this.#isMicRequested || isSameMechanism(mechanism.id, mechanismIds.ntlm)
    return isExpected || (this.#isMicVerified && !isAccepted)
  }

  async #makeMic(): Promise<Uint8Array> {
    this.#isMicSent = true
    return this.#current().context.sign(this.#mechTypeList)
  }

  #ownState(): 'accept-completed' | 'accept-incomplete' {
    return this.#isMicVerified ? 'accept-completed' : 'accept-incomplete'
  }

  #current(): Selected {
    assert(this.#selected !== undefined, 'a mechanism is at hand once SPNEGO has begun')
    return this.#selected
  }
}

function refused(code: string, why: string): MechanismError {
  return new MechanismError(code, `Cannot go on with SPNEGO: ${why}`, { reason: 'refused' })
}
