/** A platform's security contexts, inside a helper: the port `Mechanisms` of the room auth, and every call blocks. */

import type { MechanismStep } from '../../auth/mechanism.ts'
import type { OpenRequest } from './conversation.ts'

/** Bytes of an {@link OpenRequest}; wiped when `open` returns, so what is needed later has to be copied. */
export interface OpenParts {
  /** Absent unless the identity has one. */
  readonly password: Uint8Array | undefined
  readonly channelBinding: Uint8Array | undefined
}

/** Makes contexts for one identity. */
export interface Initiator {
  /** @throws {MechanismError} when these credentials cannot be used */
  open(request: OpenRequest, parts: OpenParts): InitiatorContext
}

/** One context. */
export interface InitiatorContext {
  /** @throws {MechanismError} when the peer's token does not verify or ours cannot be made */
  step(token: Uint8Array | undefined): MechanismStep
  /** @throws {MechanismError} when there is no key yet */
  sign(message: Uint8Array): Uint8Array
  verify(message: Uint8Array, code: Uint8Array): boolean
  /** Called once. */
  close(): void
}
