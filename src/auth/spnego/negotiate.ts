/** Negotiate over HTTP: Kerberos where it can be had, otherwise NTLM (RFC 4559, MS-N2HT, A270 to A290). */

import { ProtocolError } from '../../base/error.ts'
import type { Credentials } from '../credentials.ts'
import { MechanismError } from '../error.ts'
import type {
  MechanismContext,
  MechanismIdentity,
  MechanismName,
  MechanismStep,
} from '../mechanism.ts'
import { ContextSession, type ContextScheme } from '../ntlm/context-handshake.ts'
import { isNtlmMessage, type MessageType } from '../ntlm/message.ts'
import { ntlmUnavailable, openNtlm, serviceHost } from '../ntlm/ntlm.ts'
import type { AuthScheme, Opening, RequestFacts } from '../scheme.ts'
import { SpnegoInitiator } from './initiator.ts'
import { isSameMechanism, mechanismIds } from './mechanism-ids.ts'
import type { NegotiableMechanism } from './negotiable.ts'
import { decodeGssToken, decodeNegTokenInit, decodeNegTokenResp, isGssToken } from './tokens.ts'

/** Negotiate, for servers and proxies. */
export const negotiateScheme: AuthScheme = {
  name: 'negotiate',
  token: 'Negotiate',
  binds: 'connection',
  sendsSecret: false,
  accepts: (credentials) => identityOf(credentials) !== undefined,
  open(opening) {
    const identity = identityOf(opening.credentials)
    if (identity === undefined) {
      return {
        kind: 'unable',
        reason: `Negotiate cannot use ${opening.credentials.kind} credentials`,
      }
    }
    const reasons = unavailability(opening)
    if (reasons !== undefined) return { kind: 'unable', reason: reasons }
    return new ContextSession(new NegotiateOverHttp(opening, identity), opening.target)
  },
}

function identityOf(credentials: Credentials): MechanismIdentity | undefined {
  return credentials.kind === 'bearer' || credentials.kind === 'client' ? undefined : credentials
}

/** Why no mechanism can be used at all; `undefined` when one can. */
function unavailability(opening: Opening): string | undefined {
  const kerberos = kerberosReason(opening)
  const ntlm = ntlmReason(opening)
  if (kerberos === undefined || ntlm === undefined || hasPlatform(opening)) return undefined
  return `Kerberos: ${kerberos}; NTLM: ${ntlm}`
}

/** Why Kerberos cannot be used, or may not. */
function kerberosReason(opening: Opening): string | undefined {
  return forbidden(opening, 'kerberos') ?? opening.world.mechanisms.unavailable('kerberos')
}

/** Why NTLM cannot be used inside, or may not. */
function ntlmReason(opening: Opening): string | undefined {
  return forbidden(opening, 'ntlm') ?? ntlmUnavailable(opening)
}

/** Whether the platform may make of it what it will: where one mechanism is forbidden it could take that one. */
function hasPlatform(opening: Opening): boolean {
  const isFree = (['kerberos', 'ntlm'] as const).every(
    (mechanism) => forbidden(opening, mechanism) === undefined,
  )
  return isFree && opening.world.mechanisms.unavailable('negotiate') === undefined
}

/** N96. */
function forbidden({ target, world }: Opening, mechanism: MechanismName): string | undefined {
  const isForbidden =
    target === 'proxy' && world.settings.disableProxyAuthSchemes.includes(mechanism)
  return isForbidden ? 'the administrator does not let proxies be answered with it' : undefined
}

const notOffered = 'the peer does not offer it'

/**
 * How long Kerberos is left alone for a peer after it could not be had and NTLM can do instead: a ticket server that
 * does not answer costs many seconds, and every connection would pay them.
 */
const kerberosPauseMs = 60_000

/** Tokens of SPNEGO in the header, or raw ones of NTLM when there is nothing else (A285). */
class NegotiateOverHttp implements ContextScheme {
  readonly token = 'Negotiate'
  readonly #opening: Opening
  readonly #identity: MechanismIdentity
  #kerberosPausedUntil = Number.NEGATIVE_INFINITY
  #kerberosFailure = ''
  /** Whether the peer did not understand raw NTLM. */
  #wrapsNtlm = false

  constructor(opening: Opening, identity: MechanismIdentity) {
    this.#opening = opening
    this.#identity = identity
  }

  async open(
    request: RequestFacts,
    hint: Uint8Array | undefined,
    signal: AbortSignal,
  ): Promise<MechanismContext> {
    const wanted = hintedMechanisms(hint)
    const wants = (id: string): boolean =>
      wanted === undefined || wanted.some((each) => isSameMechanism(each, id))
    const ntlm = wants(mechanismIds.ntlm) ? ntlmReason(this.#opening) : notOffered
    const kerberos = wants(mechanismIds.kerberos)
      ? await this.#openKerberos(request, ntlm === undefined, signal)
      : notOffered
    if (typeof kerberos !== 'string') {
      const first = {
        id: mechanismIds.kerberos,
        open: async () => kerberos,
        discard: () => kerberos.close(),
      }
      const second = ntlm === undefined ? [this.#signedNtlm(request)] : []
      return new SpnegoInitiator([first, ...second], true)
    }
    // What the platform makes of it all by itself, for identities that only the platform has.
    if (this.#opening.credentials.kind !== 'password' && hasPlatform(this.#opening)) {
      return this.#openPlatform('negotiate', request, signal)
    }
    if (ntlm === undefined) {
      return this.#wrapsNtlm
        ? this.#wrapNtlm(request)
        : openNtlm(this.#opening, request, false, signal)
    }
    throw new MechanismError(
      'ERR_NEGOTIATE_MECHANISM',
      `Cannot answer Negotiate: Kerberos: ${kerberos}; NTLM: ${ntlm}`,
      { reason: 'unable' },
    )
  }

  /** Acceptors that were given credentials for SPNEGO alone do not know raw NTLM; wrapped they do. */
  otherForm(request: RequestFacts, token: Uint8Array): MechanismContext | undefined {
    if (!isNtlm(token) || ntlmReason(this.#opening) !== undefined) return undefined
    this.#wrapsNtlm = true
    return this.#wrapNtlm(request)
  }

  #wrapNtlm(request: RequestFacts): MechanismContext {
    return new SpnegoInitiator([this.#signedNtlm(request)], true)
  }

  canSucceed(token: Uint8Array): boolean {
    const inner = mechanismTokenOf(token)
    return inner !== undefined && !isNtlm(inner, 'NEGOTIATE')
  }

  shortfall(): string | undefined {
    const isWithout = this.#opening.world.clock.now() < this.#kerberosPausedUntil
    return isWithout ? this.#kerberosFailure : undefined
  }

  persists(token: Uint8Array): boolean {
    return isNtlm(mechanismTokenOf(token))
  }

  /**
   * A Kerberos context that has made its first token, or why there is none.
   *
   * @param hasOther whether something else can do instead
   * @throws {MechanismError} when the identity was refused: the same password is not tried with NTLM then (A136, A311)
   */
  async #openKerberos(
    request: RequestFacts,
    hasOther: boolean,
    signal: AbortSignal,
  ): Promise<MechanismContext | string> {
    const { clock } = this.#opening.world
    const unavailable = kerberosReason(this.#opening)
    if (unavailable !== undefined) return unavailable
    if (hasOther && clock.now() < this.#kerberosPausedUntil) return this.#kerberosFailure
    let context: MechanismContext | undefined
    try {
      context = await this.#openPlatform('kerberos', request, signal)
      return new BegunContext(context, await context.step(undefined))
    } catch (error) {
      context?.close()
      if (!(error instanceof MechanismError) || error.reason === 'refused') throw error
      // Whoever leaves has found out nothing about Kerberos.
      if (signal.aborted) throw error
      this.#kerberosPausedUntil = clock.now() + kerberosPauseMs
      this.#kerberosFailure = error.message
      return error.message
    }
  }

  #openPlatform(
    mechanism: MechanismName,
    { channelBinding }: RequestFacts,
    signal: AbortSignal,
  ): Promise<MechanismContext> {
    const { peer, world } = this.#opening
    return world.mechanisms.open({
      mechanism,
      identity: this.#identity,
      targetName: `HTTP@${serviceHost(peer)}`,
      mutual: true,
      signal,
      ...(channelBinding === undefined ? {} : { channelBinding }),
    })
  }

  #signedNtlm(request: RequestFacts): NegotiableMechanism {
    return { id: mechanismIds.ntlm, open: () => openNtlm(this.#opening, request, true) }
  }
}

/** A context whose first step was made early, to see whether it can be made. */
class BegunContext implements MechanismContext {
  readonly #context: MechanismContext
  readonly #first: MechanismStep

  constructor(context: MechanismContext, first: MechanismStep) {
    this.#context = context
    this.#first = first
  }

  async step(token: Uint8Array | undefined): Promise<MechanismStep> {
    return token === undefined ? this.#first : this.#context.step(token)
  }

  sign(message: Uint8Array): Promise<Uint8Array> {
    return this.#context.sign(message)
  }

  verify(message: Uint8Array, code: Uint8Array): Promise<boolean> {
    return this.#context.verify(message, code)
  }

  close(): void {
    this.#context.close()
  }
}

/**
 * The mechanisms that a server says it has before anybody asked (NegTokenInit2). NegoEx and whatever else we do not
 * speak is among them and ignored (A289).
 *
 * @returns `undefined` without a hint; what cannot be read is none
 */
function hintedMechanisms(hint: Uint8Array | undefined): readonly string[] | undefined {
  if (hint === undefined) return undefined
  try {
    const { mechanism, inner } = decodeGssToken(hint)
    return mechanism === mechanismIds.spnego ? decodeNegTokenInit(inner).mechTypes : undefined
  } catch (error) {
    if (error instanceof ProtocolError) return undefined
    throw error
  }
}

/**
 * The token of the mechanism inside one of ours; `undefined` when there is none. A token of the platform that is no
 * SPNEGO stands for itself.
 */
function mechanismTokenOf(token: Uint8Array): Uint8Array | undefined {
  if (isNtlmMessage(token)) return token
  try {
    return unwrap(token)
  } catch (error) {
    if (error instanceof ProtocolError) return token
    throw error
  }
}

function unwrap(token: Uint8Array): Uint8Array | undefined {
  if (!isGssToken(token)) {
    const { responseToken, mechListMic } = decodeNegTokenResp(token)
    return responseToken ?? mechListMic
  }
  const { mechanism, inner } = decodeGssToken(token)
  return mechanism === mechanismIds.spnego ? decodeNegTokenInit(inner).mechToken : token
}

function isNtlm(token: Uint8Array | undefined, type?: MessageType): boolean {
  return token !== undefined && isNtlmMessage(token, type)
}
