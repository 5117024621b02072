/** What somebody finds out who wonders how a URL is reached. */

import type { Witnessed } from '../auth/exchange.ts'
import type { Failure } from './failure.ts'

/** What an examination met, in the order in which it did. Nothing in it is secret: it may be sent to others. */
export type Finding =
  /** How the way of a URL was decided, and which it is; none where that fails. */
  | {
      readonly kind: 'way'
      /** Without user information and query. */
      readonly url: string
      /** Sentence case, no full stop. */
      readonly steps: readonly string[]
      /** `direct`, or `http://host:port` of a proxy; the first is taken, the others are in reserve. */
      readonly hops: readonly string[]
    }
  /** A server or proxy asked for proof, or took one. */
  | ({ readonly kind: 'proof' } & Witnessed)
  /** What cannot be used on this machine, and what to install. */
  | { readonly kind: 'missing'; readonly what: string; readonly reason: string }
  /** The final answer. */
  | { readonly kind: 'answer'; readonly url: string; readonly status: number }
  /** There is none. */
  | { readonly kind: 'failure'; readonly failure: Failure }
