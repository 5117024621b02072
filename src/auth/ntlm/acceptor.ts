/** The server of NTLM: asks, and judges the answer by the NT hash of an account (MS-NLMP §3.2). For fixtures. */

import { MisuseError, ProtocolError } from '../../base/error.ts'
import { MechanismError } from '../error.ts'
import { rc4 } from '../legacy-crypto/rc4.ts'
import type { AuthWorld } from '../scheme.ts'
import {
  clientChallengeOf,
  decodeAuthenticateMessage,
  proofBytes,
  shortResponseBytes,
  withMic,
  type AuthenticateMessage,
} from './authenticate-message.ts'
import { avIds, findAvPair } from './av-pairs.ts'
import { encodeChallengeMessage, type ChallengeMessage } from './challenge-message.ts'
import { hashChannelBinding } from './channel-bindings.ts'
import type { NtlmParty, NtlmStep } from './context.ts'
import { hasFlag, joinFlags, ntlmFlags, withoutFlags } from './flags.ts'
import { exchangesKeys } from './initiator.ts'
import { KeyRing } from './key-ring.ts'
import type { ResponseKind } from './level.ts'
import { ourVersion } from './message.ts'
import { decodeNegotiateMessage } from './negotiate-message.ts'
import { decodeFiletime, encodeFiletime } from './ntlmv2-client-challenge.ts'
import { computeNtlmv2Key, encryptWithThirds } from './password-keys.ts'
import { md4 } from '../legacy-crypto/md4.ts'
import { computeKeyExchangeKey } from './session-keys.ts'
import { NtlmSessionSecurity } from './session-security.ts'
import { serverTargetInfo, type ServerNames } from './target-info.ts'
import { decodeUtf16 } from './text.ts'

/** What the server insists on. */
export interface NtlmAcceptorOptions {
  readonly names: ServerNames
  /** The NT hash of an account, which is only read; `undefined` when there is none. */
  readonly ntHashOf: (user: string, domain: string) => Uint8Array | undefined
  /** Which generations of responses are let in. */
  readonly accepts: readonly ResponseKind[]
  /** Whether the challenge carries the time, which makes clients bind their messages with a MIC. */
  readonly hasTimestamp: boolean
  /**
   * By how many milliseconds the time of an NTLMv2 response may differ from ours (MaxLifetime, A252); by any when absent.
   */
  readonly maximumLifetimeMs?: number
  /** Whether extended session security is agreed to. */
  readonly hasSessionSecurity: boolean
  /** `ignore`: bindings are not looked at; `allow`: a wrong one is refused; `require`: an absent one too. */
  readonly bindingPolicy: 'ignore' | 'allow' | 'require'
  /** Application data of the channel binding; absent on a clear-text hop. */
  readonly channelBinding?: Uint8Array
}

/** Who was let in, and what they proved besides. */
export interface NtlmPeer {
  readonly user: string
  readonly domain: string
  readonly workstation: string
  readonly kind: ResponseKind
  readonly hasMic: boolean
  /** Whether the proof is bound to our TLS channel. */
  readonly isBound: boolean
  /** The service principal name that the client meant; empty when it did not say. */
  readonly targetName: string
}

/** What of the world the server's side needs. */
export type NtlmWorld = Pick<AuthWorld, 'hashes' | 'random' | 'clock'>

type State =
  | { readonly kind: 'initial' }
  | {
      readonly kind: 'challenged'
      readonly negotiate: Uint8Array
      readonly challenge: Uint8Array
      readonly message: ChallengeMessage
    }
  | { readonly kind: 'complete'; readonly peer: NtlmPeer }

/** What of the client's offer is agreed to, and what is said besides. */
const supported = joinFlags(
  'unicode',
  'requestTarget',
  'sign',
  'seal',
  'ntlm',
  'alwaysSign',
  'extendedSessionSecurity',
  'version',
  'key128',
  'key56',
  'keyExchange',
)
const stated = joinFlags('targetTypeDomain', 'targetInfo')

/** One authentication as a server sees it. */
export class NtlmAcceptor implements NtlmParty {
  readonly #options: NtlmAcceptorOptions
  readonly #world: NtlmWorld
  #state: State = { kind: 'initial' }

  constructor(options: NtlmAcceptorOptions, world: NtlmWorld) {
    this.#options = options
    this.#world = world
  }

  /** Who was let in; `undefined` until then. */
  get peer(): NtlmPeer | undefined {
    return this.#state.kind === 'complete' ? this.#state.peer : undefined
  }

  /**
   * Takes NEGOTIATE and makes CHALLENGE, then takes AUTHENTICATE.
   *
   * @throws {ProtocolError} when a message cannot be read
   * @throws {MechanismError} `ERR_NTLM_LOGON` when the client is not let in
   * @throws {MisuseError} `ERR_NTLM_STATE` when no message is expected
   */
  step(token: Uint8Array | undefined): NtlmStep {
    if (token !== undefined && this.#state.kind === 'initial') return this.#challenge(token)
    if (token !== undefined && this.#state.kind === 'challenged') {
      return this.#judge(token, this.#state)
    }
    throw new MisuseError('ERR_NTLM_STATE', `Cannot go on with NTLM: ${this.#state.kind}`)
  }

  #challenge(negotiate: Uint8Array): NtlmStep {
    const { names, hasTimestamp, hasSessionSecurity } = this.#options
    const { random, clock } = this.#world
    const offered = decodeNegotiateMessage(negotiate).flags
    const common = ((offered & supported) | stated) >>> 0
    const flags = hasSessionSecurity ? common : withoutFlags(common, 'extendedSessionSecurity')
    const message: ChallengeMessage = {
      flags: hasFlag(flags, 'unicode') ? flags : (flags | ntlmFlags.oem) >>> 0,
      targetName: names.nbDomainName,
      serverChallenge: random.bytes(8),
      targetInfo: serverTargetInfo(names, hasTimestamp ? encodeFiletime(clock.now()) : undefined),
      version: ourVersion,
    }
    const challenge = encodeChallengeMessage(message)
    this.#state = { kind: 'challenged', negotiate, challenge, message }
    return { token: challenge, complete: false }
  }

  #judge(token: Uint8Array, state: State & { kind: 'challenged' }): NtlmStep {
    const { hashes } = this.#world
    const message = decodeAuthenticateMessage(token)
    const { kind, sessionBaseKey } = this.#verifyResponse(message, state.message.serverChallenge)
    using keys = new KeyRing()
    keys.keep(sessionBaseKey)
    const exchange = keys.keep(
      computeKeyExchangeKey(
        { ...message, kind, sessionBaseKey, serverChallenge: state.message.serverChallenge },
        hashes,
      ),
    )
    const exported = keys.keep(exportedKey(message, exchange))
    if (message.mic !== undefined) {
      const unsigned = withMic(token)
      const mic = hashes.hmac('md5', exported, state.negotiate, state.challenge, unsigned)
      if (!hashes.equal(mic, message.mic)) throw refused('the MIC is wrong')
    }
    this.#state = { kind: 'complete', peer: this.#describe(message, kind) }
    if (!hasFlag(message.flags, 'sign')) return { complete: true }
    return {
      complete: true,
      security: new NtlmSessionSecurity(message.flags, exported, 'server', hashes),
    }
  }

  #verifyResponse(
    message: AuthenticateMessage,
    serverChallenge: Uint8Array,
  ): { readonly kind: ResponseKind; readonly sessionBaseKey: Uint8Array } {
    const { accepts, ntHashOf } = this.#options
    const { hashes } = this.#world
    const { userName, domainName, ntResponse, lmResponse } = message
    const kind = kindOf(message)
    if (kind === undefined || !accepts.includes(kind)) throw refused('this kind is not accepted')
    const ntHash = ntHashOf(userName, domainName)
    if (ntHash === undefined) throw refused('there is no such account')
    if (kind === 'v2') {
      using keys = new KeyRing()
      const key = keys.keep(computeNtlmv2Key(ntHash, userName, domainName, hashes))
      const proof = hashes.hmac('md5', key, serverChallenge, ntResponse.subarray(proofBytes))
      if (!hashes.equal(proof, ntResponse.subarray(0, proofBytes))) throw wrongPassword()
      this.#checkTime(ntResponse)
      return { kind, sessionBaseKey: hashes.hmac('md5', key, proof) }
    }
    const block =
      kind === 'v1'
        ? serverChallenge
        : hashes.hash('md5', serverChallenge, lmResponse.subarray(0, 8)).subarray(0, 8)
    if (!hashes.equal(encryptWithThirds(ntHash, block), ntResponse)) throw wrongPassword()
    return { kind, sessionBaseKey: md4(ntHash) }
  }

  #checkTime(ntResponse: Uint8Array): void {
    const { maximumLifetimeMs = Number.POSITIVE_INFINITY } = this.#options
    const said = clientChallengeOf(ntResponse)?.timestamp
    const at = said === undefined ? Number.NaN : decodeFiletime(said)
    if (Math.abs(at - this.#world.clock.now()) > maximumLifetimeMs) throw refused('it is too old')
  }

  #describe(message: AuthenticateMessage, kind: ResponseKind): NtlmPeer {
    const pairs = clientChallengeOf(message.ntResponse)?.targetInfo ?? []
    return {
      user: message.userName,
      domain: message.domainName,
      workstation: message.workstation,
      kind,
      hasMic: message.mic !== undefined,
      isBound: this.#verifyBinding(findAvPair(pairs, avIds.channelBindings)),
      targetName: decodeUtf16(findAvPair(pairs, avIds.targetName) ?? new Uint8Array()),
    }
  }

  #verifyBinding(sent: Uint8Array | undefined): boolean {
    const { bindingPolicy, channelBinding } = this.#options
    const { hashes } = this.#world
    const isSent = sent?.some((byte) => byte !== 0) ?? false
    if (bindingPolicy === 'ignore') return false
    if (sent === undefined || !isSent) {
      if (bindingPolicy === 'require') throw refused('the channel is not bound')
      return false
    }
    if (!hashes.equal(sent, hashChannelBinding(channelBinding, hashes))) {
      throw refused('it is bound to another channel')
    }
    return true
  }
}

function kindOf({ flags, ntResponse }: AuthenticateMessage): ResponseKind | undefined {
  if (ntResponse.length > shortResponseBytes) return 'v2'
  if (ntResponse.length < shortResponseBytes) return undefined
  return hasFlag(flags, 'extendedSessionSecurity') ? 'session' : 'v1'
}

function exportedKey(message: AuthenticateMessage, exchange: Uint8Array): Uint8Array {
  if (!exchangesKeys(message.flags)) return exchange
  const encrypted = message.encryptedRandomSessionKey
  if (encrypted.length === 16) return rc4(exchange, encrypted)
  throw new ProtocolError(
    'ERR_NTLM_SESSION_KEY',
    `Cannot read AUTHENTICATE: a session key of ${encrypted.length} bytes`,
  )
}

function wrongPassword(): MechanismError {
  return refused('the password is wrong')
}

function refused(why: string): MechanismError {
  return new MechanismError('ERR_NTLM_LOGON', `Cannot let the client in: ${why}`, {
    reason: 'refused',
  })
}
