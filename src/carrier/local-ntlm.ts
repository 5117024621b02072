/**
 * NTLM for who is logged on, where the platform has none: winbind's word for it first, then that of a file of the person's
 * (N120, N121).
 */

import type {
  ContextRequest,
  MechanismContext,
  MechanismName,
  Mechanisms,
  MechanismStep,
} from '../auth/mechanism.ts'
import { MechanismError } from '../auth/error.ts'
import { NtlmContext } from '../auth/ntlm/context.ts'
import { NtlmInitiator, type NtlmClientWorld, type NtlmIdentity } from '../auth/ntlm/initiator.ts'
import { NTLM_USER_FILE, readUserFile } from './ntlm-user-file.ts'
import { systemClock } from './system-clock.ts'
import { hasWinbind, openWinbind, type WinbindOptions } from './winbind.ts'

/** These mechanisms, and NTLM besides where they have none. */
export class LocalNtlm implements Mechanisms {
  readonly #inner: Mechanisms
  readonly #world: NtlmClientWorld
  readonly #environment: Readonly<Record<string, string | undefined>>
  readonly #winbind: WinbindOptions

  /** @param environment names the file */
  constructor(
    inner: Mechanisms,
    world: NtlmClientWorld,
    environment: Readonly<Record<string, string | undefined>> = process.env,
    winbind: WinbindOptions = { clock: systemClock },
  ) {
    this.#inner = inner
    this.#world = world
    this.#environment = environment
    this.#winbind = winbind
  }

  unavailable(mechanism: MechanismName): string | undefined {
    const reason = this.#inner.unavailable(mechanism)
    if (mechanism !== 'ntlm' || reason === undefined) return reason
    if (hasWinbind(this.#winbind)) return undefined
    if (this.#file === undefined) return reason
    const found = readUserFile(this.#file)
    if (typeof found === 'string') return found
    wipe(found)
    return undefined
  }

  async open(request: ContextRequest): Promise<MechanismContext> {
    const { mechanism, identity } = request
    const isOurs = mechanism === 'ntlm' && this.#inner.unavailable(mechanism) !== undefined
    if (!isOurs || identity.kind !== 'implicit') return this.#inner.open(request)
    const domainUser = await this.#askWinbind(request)
    if (domainUser !== undefined) return domainUser
    if (this.#file === undefined) return this.#inner.open(request)
    const found = readUserFile(this.#file)
    if (typeof found !== 'string') return this.#context(found, request)
    throw new MechanismError('ERR_NTLM_USER_FILE', `Cannot use NTLM: ${found}`, {
      reason: 'unable',
    })
  }

  /** Winbind signs nothing; and what it cannot do, the file may. */
  async #askWinbind({ integrity }: ContextRequest): Promise<MechanismContext | undefined> {
    if (integrity === true || !hasWinbind(this.#winbind)) return undefined
    try {
      return await openWinbind(this.#winbind)
    } catch (error) {
      if (this.#file === undefined) throw error
      return undefined
    }
  }

  get #file(): string | undefined {
    const file = this.#environment[NTLM_USER_FILE]
    return file === '' ? undefined : file
  }

  #context(
    identity: NtlmIdentity,
    { targetName, integrity = false, channelBinding }: ContextRequest,
  ): MechanismContext {
    const options = {
      identity,
      targetName: targetName.replace('@', '/'),
      integrity,
      ...(channelBinding === undefined ? {} : { channelBinding }),
    }
    return new OwningContext(new NtlmContext(new NtlmInitiator(options, this.#world)), identity)
  }
}

/** Wipes with the context what it was made of. */
class OwningContext implements MechanismContext {
  readonly #inner: NtlmContext
  readonly #identity: NtlmIdentity

  constructor(inner: NtlmContext, identity: NtlmIdentity) {
    this.#inner = inner
    this.#identity = identity
  }

  step(token: Uint8Array | undefined): Promise<MechanismStep> {
    return this.#inner.step(token)
  }

  sign(message: Uint8Array): Promise<Uint8Array> {
    return this.#inner.sign(message)
  }

  verify(message: Uint8Array, code: Uint8Array): Promise<boolean> {
    return this.#inner.verify(message, code)
  }

  close(): void {
    this.#inner.close()
    wipe(this.#identity)
  }
}

function wipe({ password, ntHash }: NtlmIdentity): void {
  password.wipe()
  ntHash?.wipe()
}
