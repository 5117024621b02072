/** Contexts of Kerberos over GSSAPI, for the one identity of a helper. */

import { MechanismError } from '../../auth/error.ts'
import type { MechanismStep } from '../../auth/mechanism.ts'
import type { Delegation, OpenRequest } from './conversation.ts'
import { acquireCredential, type GssCredential } from './gss-credential.ts'
import { noHandle, type Handle } from './gss-foreign.ts'
import { contextFlags, type GssLibrary } from './gss-library.ts'
import type { Initiator, InitiatorContext, OpenParts } from './initiator.ts'

/** What every context asks for (A304). */
const ALWAYS = contextFlags.replay + contextFlags.sequence + contextFlags.integrity

const delegationFlags = {
  never: 0,
  whenTrusted: contextFlags.delegateByPolicy,
} as const satisfies Record<Delegation, number>

/** Tickets of a password that end sooner are fetched anew: a context that is begun should also be completed. */
const LEAST_SECONDS_LEFT = 60

/**
 * Makes contexts.
 *
 * Credentials that the surroundings name are looked up for every context, because somebody else may have renewed them;
 * what the library fetches for them, it finds again in the helper's cache. Those of a password lie in no cache that
 * could be named, so they are kept until they run out.
 */
export class GssInitiator implements Initiator {
  readonly #library: GssLibrary
  #kept: GssCredential | undefined

  constructor(library: GssLibrary) {
    this.#library = library
  }

  open(request: OpenRequest, parts: OpenParts): InitiatorContext {
    if (parts.password !== undefined) {
      return new GssContext(this.#library, this.#keep(request, parts), request, parts)
    }
    const credential = acquireCredential(this.#library, request.identity, undefined)
    try {
      return new GssContext(this.#library, credential, request, parts)
    } finally {
      credential.retire()
    }
  }

  #keep({ identity }: OpenRequest, { password }: OpenParts): GssCredential {
    if (this.#kept !== undefined && this.#kept.secondsLeft < LEAST_SECONDS_LEFT) {
      this.#kept.retire()
      this.#kept = undefined
    }
    this.#kept ??= acquireCredential(this.#library, identity, password)
    return this.#kept
  }
}

/** One context. */
class GssContext implements InitiatorContext {
  readonly #library: GssLibrary
  readonly #credential: GssCredential
  readonly #target: Handle
  readonly #targetName: string
  readonly #flags: number
  readonly #channelBinding: Uint8Array | undefined
  /** The library's, in the one place that its calls write to. */
  readonly #context: [Handle] = [noHandle]

  /** @throws {MechanismError} when the target has no name that can be understood */
  constructor(
    library: GssLibrary,
    credential: GssCredential,
    { targetName, mutual, delegation }: OpenRequest,
    { channelBinding }: OpenParts,
  ) {
    this.#library = library
    this.#target = library.importName('hostBasedService', targetName)
    this.#targetName = targetName
    this.#flags = ALWAYS + (mutual ? contextFlags.mutual : 0) + delegationFlags[delegation]
    this.#channelBinding = channelBinding?.slice()
    this.#credential = credential
    credential.enter()
  }

  step(token: Uint8Array | undefined): MechanismStep {
    const attempt =
      token === undefined
        ? `get a ticket for ${this.#targetName}`
        : `take the answer of ${this.#targetName}`
    const result = this.#library.init(
      this.#context,
      {
        credential: this.#credential.handle,
        target: this.#target,
        flags: this.#flags,
        channelBinding: this.#channelBinding,
        token,
      },
      attempt,
    )
    if (result.isComplete) this.#check(result.flags)
    const complete = result.isComplete
    return result.token.length === 0 ? { complete } : { token: result.token, complete }
  }

  sign(message: Uint8Array): Uint8Array {
    return this.#library.sign(this.#context[0], message)
  }

  verify(message: Uint8Array, code: Uint8Array): boolean {
    return this.#library.verify(this.#context[0], message, code)
  }

  close(): void {
    this.#library.deleteContext(this.#context)
    this.#library.releaseName(this.#target)
    this.#credential.leave()
  }

  /** A library may complete a context with less than it was asked for (RFC 2744 §5.19). */
  #check(flags: number): void {
    const demanded = contextFlags.integrity + (this.#flags & contextFlags.mutual)
    if ((flags & demanded) === demanded) return
    throw new MechanismError(
      'ERR_KERBEROS_WEAK',
      `Cannot trust ${this.#targetName}: the context proves less than was asked for`,
      { reason: 'refused' },
    )
  }
}
