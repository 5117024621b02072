/** The client of NTLM: two messages, the first without and the second with proof (MS-NLMP §3.1). */

import { MisuseError } from '../../base/error.ts'
import { parseUserName, type PasswordCredentials } from '../credentials.ts'
import { MechanismError } from '../error.ts'
import { rc4 } from '../legacy-crypto/rc4.ts'
import type { AuthWorld } from '../scheme.ts'
import type { Secret } from '../secret.ts'
import type { AuthSettings } from '../settings.ts'
import {
  encodeAuthenticateMessage,
  micBytes,
  withMic,
  type AuthenticateMessage,
} from './authenticate-message.ts'
import { avIds, findAvPair } from './av-pairs.ts'
import { decodeChallengeMessage, type ChallengeMessage } from './challenge-message.ts'
import { hashChannelBinding } from './channel-bindings.ts'
import type { NtlmParty, NtlmStep } from './context.ts'
import { hasFlag, ntlmFlags } from './flags.ts'
import { KeyRing } from './key-ring.ts'
import {
  agreedFlags,
  offeredFlags,
  responseKind,
  sendsLmResponse,
  type ResponseKind,
} from './level.ts'
import { ourVersion } from './message.ts'
import { encodeNegotiateMessage } from './negotiate-message.ts'
import { encodeFiletime } from './ntlmv2-client-challenge.ts'
import { computeLmHash, computeNtHash, computeNtlmv2Key } from './password-keys.ts'
import {
  respondAnonymously,
  respondV1,
  respondV2,
  respondWithSessionSecurity,
  type NtlmResponses,
} from './responses.ts'
import { computeKeyExchangeKey } from './session-keys.ts'
import { NtlmSessionSecurity } from './session-security.ts'
import { clientTargetInfo } from './target-info.ts'

/** Who the client is. */
export interface NtlmIdentity {
  readonly user: string
  readonly domain: string
  /** UTF-8; belongs to whoever owns the credentials. */
  readonly password: Secret
  /** The NT hash, where it is known and the password is not. As the password. */
  readonly ntHash?: Secret
}

/**
 * The identity that a user name means to NTLM: `DOMAIN\user` in two, `user@dns.name` whole and without domain (A236),
 * `user` with the default domain (A235). No name and no password are nobody, in no domain.
 */
export function ntlmIdentity(
  { userName, password }: PasswordCredentials,
  { defaultDomain }: Pick<AuthSettings, 'defaultDomain'>,
): NtlmIdentity {
  const { user, domain, realm } = parseUserName(userName)
  const isPlain = user !== '' && realm === '' && !userName.includes('\\')
  return { user, domain: isPlain ? defaultDomain : domain, password }
}

/** What one authentication is for. */
export interface NtlmInitiatorOptions {
  readonly identity: NtlmIdentity
  /** The service principal name, `HTTP/host` (A249). */
  readonly targetName: string
  /** Application data of the channel binding; absent on a clear-text hop. */
  readonly channelBinding?: Uint8Array
  /** Whether messages will be signed afterwards: inside SPNEGO (A285). */
  readonly integrity: boolean
}

/** What of the world the client needs. */
export type NtlmClientWorld = Pick<AuthWorld, 'hashes' | 'random' | 'clock'> & {
  readonly settings: Pick<AuthSettings, 'lmCompatibilityLevel' | 'ntlmRequires128' | 'workstation'>
}

type State =
  | { readonly kind: 'initial' }
  | { readonly kind: 'negotiated'; readonly negotiate: Uint8Array; readonly offered: number }
  | { readonly kind: 'complete' }

/** What answers a challenge, before it is written down. */
interface Proof {
  readonly challenge: ChallengeMessage
  /** What was agreed. */
  readonly flags: number
  readonly kind: ResponseKind
  /** Whether the messages are bound together: with NTLMv2 and a timestamp of the server (A248). */
  readonly hasMic: boolean
}

/** One authentication of a client. */
export class NtlmInitiator implements NtlmParty {
  readonly #options: NtlmInitiatorOptions
  readonly #world: NtlmClientWorld
  #state: State = { kind: 'initial' }

  constructor(options: NtlmInitiatorOptions, world: NtlmClientWorld) {
    this.#options = options
    this.#world = world
  }

  /**
   * Without a token makes NEGOTIATE, with CHALLENGE makes AUTHENTICATE. Keys that were derived on the way are wiped,
   * except those for signing.
   *
   * @throws {ProtocolError} when CHALLENGE cannot be read; codes as in {@link decodeChallengeMessage}
   * @throws {MechanismError} `ERR_NTLM_WEAK_KEYS` when 128-bit keys are required and not agreed (A251),
   *   `ERR_NTLM_TARGET_INFO` when messages are to be signed and the server does not say who it is (A250)
   * @throws {MisuseError} `ERR_NTLM_STATE` when it is not that message's turn
   */
  step(token: Uint8Array | undefined): NtlmStep {
    if (this.#state.kind === 'initial' && token === undefined) return this.#negotiate()
    if (this.#state.kind === 'negotiated' && token !== undefined) {
      return this.#authenticate(token, this.#state.negotiate, this.#state.offered)
    }
    throw new MisuseError('ERR_NTLM_STATE', `Cannot go on with NTLM: ${this.#state.kind}`)
  }

  #negotiate(): NtlmStep {
    const { lmCompatibilityLevel } = this.#world.settings
    const offered = offeredFlags(lmCompatibilityLevel, this.#options.integrity)
    const negotiate = encodeNegotiateMessage({
      flags: offered,
      domainName: '',
      workstation: '',
      version: ourVersion,
    })
    this.#state = { kind: 'negotiated', negotiate, offered }
    return { token: negotiate, complete: false }
  }

  #authenticate(token: Uint8Array, negotiate: Uint8Array, offered: number): NtlmStep {
    const { hashes, random, settings } = this.#world
    const challenge = decodeChallengeMessage(token)
    const proof = this.#plan(challenge, offered)
    using keys = new KeyRing()
    const responses = this.#respond(proof, keys)
    const exchange = keys.keep(
      computeKeyExchangeKey(
        { ...responses, ...proof, serverChallenge: challenge.serverChallenge },
        hashes,
      ),
    )
    const exchanges = exchangesKeys(proof.flags)
    const exported = exchanges ? keys.keep(random.bytes(16)) : exchange
    const message: AuthenticateMessage = {
      flags: proof.flags,
      domainName: this.#options.identity.domain,
      userName: this.#options.identity.user,
      workstation: settings.workstation,
      lmResponse: responses.lmResponse,
      ntResponse: responses.ntResponse,
      encryptedRandomSessionKey: exchanges ? rc4(exchange, exported) : new Uint8Array(),
      version: ourVersion,
      ...(proof.hasMic ? { mic: new Uint8Array(micBytes) } : {}),
    }
    const encoded = encodeAuthenticateMessage(message)
    this.#state = { kind: 'complete' }
    const mic = proof.hasMic ? hashes.hmac('md5', exported, negotiate, token, encoded) : undefined
    return {
      token: mic === undefined ? encoded : withMic(encoded, mic),
      complete: true,
      ...(hasFlag(proof.flags, 'sign')
        ? { security: new NtlmSessionSecurity(proof.flags, exported, 'client', hashes) }
        : {}),
    }
  }

  #plan(challenge: ChallengeMessage, offered: number): Proof {
    const { settings } = this.#world
    const agreed = agreedFlags(offered, challenge.flags)
    const flags = this.#isAnonymous ? (agreed | ntlmFlags.anonymous) >>> 0 : agreed
    const kind = responseKind(settings.lmCompatibilityLevel, flags)
    if (settings.ntlmRequires128 && !hasFlag(flags, 'key128')) {
      throw unable('ERR_NTLM_WEAK_KEYS', 'the server does not offer 128-bit keys')
    }
    const { targetInfo = [] } = challenge
    const isNamed = [avIds.nbComputerName, avIds.nbDomainName].every(
      (id) => findAvPair(targetInfo, id) !== undefined,
    )
    if (this.#options.integrity && kind === 'v2' && !isNamed) {
      throw unable('ERR_NTLM_TARGET_INFO', 'the server does not say its name and domain')
    }
    const hasTimestamp = findAvPair(targetInfo, avIds.timestamp) !== undefined
    return { challenge, flags, kind, hasMic: kind === 'v2' && hasTimestamp && !this.#isAnonymous }
  }

  /** Without name and password; a name with a blank password is somebody. */
  get #isAnonymous(): boolean {
    const { user, password, ntHash } = this.#options.identity
    return user === '' && password.length === 0 && ntHash === undefined
  }

  /** Keys made on the way, the session's among them, go onto the ring. */
  #respond(proof: Proof, keys: KeyRing): NtlmResponses {
    const { hashes, random, settings } = this.#world
    const { password, ntHash: known } = this.#options.identity
    if (this.#isAnonymous) return kept(respondAnonymously(), keys)
    const { serverChallenge } = proof.challenge
    const ntHash = keys.keep(known?.use((hash) => hash.slice()) ?? password.use(computeNtHash))
    switch (proof.kind) {
      case 'v1': {
        const lmHash =
          known === undefined && sendsLmResponse(settings.lmCompatibilityLevel)
            ? password.use(computeLmHash)
            : undefined
        if (lmHash !== undefined) keys.keep(lmHash)
        return kept(respondV1(serverChallenge, ntHash, lmHash), keys)
      }
      case 'session':
        return kept(
          respondWithSessionSecurity(serverChallenge, random.bytes(8), ntHash, hashes),
          keys,
        )
      case 'v2':
        return kept(this.#respondV2(proof, ntHash, keys), keys)
      default:
        return proof.kind satisfies never
    }
  }

  #respondV2({ challenge, hasMic }: Proof, ntHash: Uint8Array, keys: KeyRing): NtlmResponses {
    const { hashes, random, clock } = this.#world
    const { identity, targetName, channelBinding } = this.#options
    const key = keys.keep(computeNtlmv2Key(ntHash, identity.user, identity.domain, hashes))
    const timestamp = findAvPair(challenge.targetInfo ?? [], avIds.timestamp)
    const client = {
      timestamp: timestamp ?? encodeFiletime(clock.now()),
      clientChallenge: random.bytes(8),
      // A server of old that sends no target information gets an empty list (A253).
      targetInfo:
        challenge.targetInfo === undefined
          ? []
          : clientTargetInfo(challenge.targetInfo, {
              hasMic,
              channelBinding: hashChannelBinding(channelBinding, hashes),
              targetName,
              isTargetNameUntrusted: false,
            }),
    }
    return respondV2(challenge.serverChallenge, client, key, timestamp === undefined, hashes)
  }
}

function kept(responses: NtlmResponses, keys: KeyRing): NtlmResponses {
  keys.keep(responses.sessionBaseKey)
  return responses
}

/** Whether the session key is random and sent, not derived (MS-NLMP §3.1.5.1.2). */
export function exchangesKeys(flags: number): boolean {
  return hasFlag(flags, 'keyExchange') && (hasFlag(flags, 'sign') || hasFlag(flags, 'seal'))
}

function unable(code: string, why: string): MechanismError {
  return new MechanismError(code, `Cannot answer NTLM: ${why}`, { reason: 'unable' })
}
