/** What we and a helper say to each other: one answer to each request, in order. */

import type { MechanismError } from '../../auth/error.ts'
import type { MechanismName } from '../../auth/mechanism.ts'

/** Who is to be proved. A password travels beside it, as a part of the frame. */
export type HelperIdentity =
  | {
      /** Whoever the helper's own surroundings say. */
      readonly kind: 'implicit'
      /** Which principal of them; the default one when absent. */
      readonly principal?: string
    }
  | { readonly kind: 'keytab'; readonly principal: string; readonly keytab: string }
  | {
      readonly kind: 'password'
      /** As the platform's library names a user: a principal, or `DOMAIN\user`. */
      readonly userName: string
    }

/**
 * Whether a service may act for the user elsewhere (A304): never, or where the realm trusts the service with it
 * (ok-as-delegate).
 */
export type Delegation = 'never' | 'whenTrusted'

/**
 * Opens a context and makes its first token: two things that fail for the same reasons, and one round trip. Parts: the
 * password, the application data of the channel binding; each empty when there is none.
 */
export interface OpenRequest {
  readonly kind: 'open'
  /** By which later requests name it; new with each. */
  readonly context: number
  readonly mechanism: MechanismName
  readonly identity: HelperIdentity
  /** `HTTP@host`. */
  readonly targetName: string
  readonly mutual: boolean
  readonly delegation: Delegation
}

/** What is asked of a helper. */
export type HelperRequest =
  | OpenRequest
  /** Part: the peer's token. */
  | { readonly kind: 'step'; readonly context: number }
  /** Part: the message. */
  | { readonly kind: 'sign'; readonly context: number }
  /** Parts: the message, the code. */
  | { readonly kind: 'verify'; readonly context: number }
  | { readonly kind: 'close'; readonly context: number }

/** What a helper answers. */
export type HelperAnswer =
  /** To `open` and `step`. Part: our token, or no part. */
  | { readonly kind: 'stepped'; readonly complete: boolean }
  /** Part: the code. */
  | { readonly kind: 'signed' }
  | { readonly kind: 'verified'; readonly isGood: boolean }
  | { readonly kind: 'closed' }
  /** A {@link MechanismError} in its parts. */
  | {
      readonly kind: 'failed'
      readonly code: string
      readonly message: string
      readonly reason: MechanismError['reason']
    }
