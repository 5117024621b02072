/** The acceptor of SPNEGO, for fixtures: selects a mechanism and protects the choice (RFC 4178). */

import { assert, ProtocolError } from '../../base/error.ts'
import { MechanismError } from '../error.ts'
import type { MechanismContext, MechanismStep } from '../mechanism.ts'
import { isNtlmMessage } from '../ntlm/message.ts'
import { isSameMechanism, mechanismIds } from './mechanism-ids.ts'
import type { NegotiableContext, NegotiableMechanism } from './negotiable.ts'
import {
  decodeGssToken,
  decodeNegTokenInit,
  decodeNegTokenResp,
  encodeNegTokenResp,
  type NegTokenResp,
} from './tokens.ts'

/** The mechanism that was selected, and how far it is. */
interface Selected {
  readonly id: string
  readonly context: NegotiableContext
  /** Whether its own tokens are over. */
  readonly isComplete: boolean
  /** As the initiator sent it; absent when it spoke the mechanism raw. */
  readonly mechTypeList?: Uint8Array
  /** Whether the choice has to be signed for. */
  readonly needsMic: boolean
}

/** One negotiation as the peer sees it that is asked first. Takes raw NTLM and raw Kerberos too (A288). */
export class SpnegoAcceptor implements MechanismContext {
  readonly #mechanisms: readonly NegotiableMechanism[]
  #selected: Selected | undefined
  #isMicSent = false
  #isMicVerified = false

  /** @param mechanisms what can be selected; the order does not matter, the initiator's does */
  constructor(mechanisms: readonly NegotiableMechanism[]) {
    this.#mechanisms = mechanisms
  }

  /** The identifier of the mechanism that was selected, as the initiator wrote it. */
  get selected(): string | undefined {
    return this.#selected?.id
  }

  /**
   * Takes the initiator's next token.
   *
   * @throws {ProtocolError} when it cannot be read
   * @throws {MechanismError} `ERR_SPNEGO_MECHANISM` when no mechanism is common, `ERR_SPNEGO_MIC` when the list was
   *   tampered with, and what the mechanism throws
   */
  async step(token: Uint8Array | undefined): Promise<MechanismStep> {
    if (token === undefined) {
      throw new ProtocolError('ERR_SPNEGO_SILENCE', 'Cannot accept SPNEGO: the initiator begins')
    }
    if (this.#selected === undefined) return this.#begin(token)
    if (this.#selected.mechTypeList === undefined) return this.#selected.context.step(token)
    return this.#respond(decodeNegTokenResp(token), this.#selected, {})
  }

  async sign(message: Uint8Array): Promise<Uint8Array> {
    return this.#current().context.sign(message)
  }

  async verify(message: Uint8Array, code: Uint8Array): Promise<boolean> {
    return this.#current().context.verify(message, code)
  }

  close(): void {
    this.#selected?.context.close()
  }

  async #begin(token: Uint8Array): Promise<MechanismStep> {
    if (isNtlmMessage(token)) return this.#beginRaw(mechanismIds.ntlm, token)
    const { mechanism, inner } = decodeGssToken(token)
    if (mechanism !== mechanismIds.spnego) return this.#beginRaw(mechanism, token)
    const { mechTypes, mechToken, mechTypeList } = decodeNegTokenInit(inner)
    const id = mechTypes.find((mechType) => this.#find(mechType) !== undefined)
    if (id === undefined) throw refused('ERR_SPNEGO_MECHANISM', 'no mechanism is common')
    const isFirst = id === mechTypes[0]
    const needsMic = !isFirst || isSameMechanism(id, mechanismIds.ntlm)
    this.#selected = { ...(await this.#open(id)), mechTypeList, needsMic }
    if (isFirst && mechToken !== undefined) {
      return this.#respond({ responseToken: mechToken }, this.#selected, { supportedMech: id })
    }
    const negState = isFirst ? 'accept-incomplete' : 'request-mic'
    return { token: encodeNegTokenResp({ negState, supportedMech: id }), complete: false }
  }

  async #beginRaw(id: string, token: Uint8Array): Promise<MechanismStep> {
    this.#selected = { ...(await this.#open(id)), needsMic: false }
    return this.#selected.context.step(token)
  }

  async #open(id: string): Promise<Omit<Selected, 'mechTypeList' | 'needsMic'>> {
    const mechanism = this.#find(id)
    if (mechanism === undefined) throw refused('ERR_SPNEGO_MECHANISM', `${id} is not known`)
    return { id, context: await mechanism.open(), isComplete: false }
  }

  #find(id: string): NegotiableMechanism | undefined {
    return this.#mechanisms.find((mechanism) => isSameMechanism(mechanism.id, id))
  }

  async #respond(
    { responseToken, mechListMic }: NegTokenResp,
    before: Selected,
    said: Pick<NegTokenResp, 'supportedMech'>,
  ): Promise<MechanismStep> {
    const { context, mechTypeList = new Uint8Array() } = before
    const step =
      responseToken === undefined || before.isComplete
        ? { complete: before.isComplete }
        : await context.step(responseToken)
    const selected = { ...before, isComplete: step.complete }
    this.#selected = selected
    if (mechListMic !== undefined) {
      const isGood = selected.isComplete && (await context.verify(mechTypeList, mechListMic))
      if (!isGood) throw refused('ERR_SPNEGO_MIC', 'the list of mechanisms was tampered with')
      this.#isMicVerified = true
    }
    const needsMic = selected.needsMic && context.hasIntegrity !== false
    const isDone = selected.isComplete && (!needsMic || this.#isMicVerified)
    const owesMic = selected.isComplete && (needsMic || this.#isMicVerified) && !this.#isMicSent
    // Whoever sends the last token of the mechanism signs first (RFC 4178 §5).
    const signs = owesMic && (this.#isMicVerified || step.token !== undefined)
    const mic = signs ? await context.sign(mechTypeList) : undefined
    this.#isMicSent ||= signs
    if (this.#isMicSent && this.#isMicVerified) context.resetSecurity?.()
    return {
      token: encodeNegTokenResp({
        negState: isDone ? 'accept-completed' : 'accept-incomplete',
        ...said,
        ...(step.token === undefined ? {} : { responseToken: step.token }),
        ...(mic === undefined ? {} : { mechListMic: mic }),
      }),
      complete: isDone,
    }
  }

  #current(): Selected {
    assert(this.#selected !== undefined, 'a mechanism is at hand once a token was taken')
    return this.#selected
  }
}

function refused(code: string, why: string): MechanismError {
  return new MechanismError(code, `Cannot accept SPNEGO: ${why}`, { reason: 'refused' })
}
