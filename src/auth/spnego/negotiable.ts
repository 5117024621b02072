/** A mechanism as SPNEGO negotiates it. */

import type { MechanismContext } from '../mechanism.ts'

/** One mechanism that could be used. */
export interface NegotiableMechanism {
  /** Its object identifier, dotted. */
  readonly id: string
  /** Opens a context. @throws {MechanismError} when it cannot be used */
  open(): Promise<NegotiableContext>
  /** Lets go of what was made before anybody opened it; nothing to do when absent. May be called twice. */
  discard?(): void
}

/** A context of such a mechanism. */
export interface NegotiableContext extends MechanismContext {
  /** Whether it can sign, once it is complete; it can when this is absent. */
  readonly hasIntegrity?: boolean
  /** Begins signing anew after the codes over the list of mechanisms (A286); nothing to do when absent. */
  resetSecurity?(): void
}
