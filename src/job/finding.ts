/** What somebody finds out who wonders how a URL is reached. */

import type { AuthTarget } from '../auth/auth.ts'
import type { Witnessed } from '../auth/exchange.ts'
import type { MechanismIdentity, MechanismName } from '../auth/mechanism.ts'
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
  /** A proxy could not be reached, and why; the next way is taken where there is one. */
  | { readonly kind: 'unreachable'; readonly proxy: string; readonly reason: string }
  /** TLS with a server or proxy. */
  | ({ readonly kind: 'secured' } & Secured)
  /** The platform was asked to prove an identity, and why it could not. */
  | ({ readonly kind: 'ticket' } & Ticket)
  /** A server or proxy asked for proof, or took one. */
  | ({ readonly kind: 'proof' } & Witnessed)
  /** What cannot be used on this machine, and what to install. */
  | { readonly kind: 'missing'; readonly what: string; readonly reason: string }
  /** The final answer. */
  | ({ readonly kind: 'answer' } & FinalAnswer)
  /** There is none. */
  | { readonly kind: 'failure'; readonly failure: Failure }

/** A certificate, for people. */
export interface ShownCertificate {
  /** Who it is for, and who says so: `CN=proxy.example, O=Example`. */
  readonly subject: string
  readonly issuer: string
  /** The names it is good for: `DNS:example.org, IP Address:127.0.0.1`. */
  readonly names: string
  /** ISO 8601. */
  readonly validFrom: string
  readonly validTo: string
  /** SHA-256 of its DER, hexadecimal with colons. */
  readonly fingerprint: string
}

/** A TLS connection that was made. */
export interface Secured {
  readonly target: AuthTarget
  /** Whom the certificate had to be for. */
  readonly host: string
  /** `TLSv1.3`. */
  readonly protocol: string
  /** Whether it asks for a certificate of ours. */
  readonly wantsCertificate: boolean
  readonly certificate?: ShownCertificate
  /** Why it is not trusted, by Node's name for it: `CERT_HAS_EXPIRED`. */
  readonly flaw?: string
}

/** What became of a security context that the platform opens, up to its first token. */
export interface Ticket {
  readonly mechanism: MechanismName
  /** `HTTP@host`. */
  readonly service: string
  /** Whose identity was to be proven. */
  readonly identity: MechanismIdentity['kind']
  /** Why there is none; absent: there is one. */
  readonly reason?: string
}

/** Who answered in the end, and what. */
export interface FinalAnswer {
  /** Without user information and query. */
  readonly url: string
  readonly status: number
  /** What it says it is (Server), and which proxies say that they passed it on (Via). */
  readonly server?: string
  readonly via?: string
  /** Seconds that this machine's clock is ahead of the server's. */
  readonly clockAhead?: number
}
