/**
 * What a scheme is, and how whoever owns the connection talks to it.
 *
 *     scheme.open(opening)            → session      one for each (peer, target, scheme, credentials)
 *     session.begin()                 → handshake    one for each request, or one for each connection
 *     handshake.prepare(request)      → send         before anybody asked, where that is safe (A386)
 *     request goes out, 401/407 comes back
 *     handshake.answer(challenge, request) → send, or detour, or unable, or refused
 *     … until a final response
 *     handshake.accept(response)      → done, or refused: the peer has not proved itself
 *
 * A session and a handshake are two things because they live differently. A Digest nonce and its counter outlive a
 * request and serve many of them at the same time on several connections, while "I have answered already, so this
 * challenge is a refusal" is true of one request only. A scheme that binds the connection keeps nothing in its session
 * and everything in its handshake, which is as old as the connection and is asked again for every request on it.
 *
 * Answers are promises because a mechanism of the platform answers in its own time (see mechanism.ts). A scheme that
 * needs no mechanism does all its work before the promise is returned, so that counters are given out in the order of
 * the calls; of what goes with each of thousands of requests, it need not make a promise at all.
 */

import type { Clock } from '../base/clock.ts'
import type { Eventually } from '../base/eventually.ts'
import type { Random } from '../base/random.ts'
import type { AuthTarget, Field, SchemeName } from './auth.ts'
import type { Challenge } from './challenge.ts'
import type { Credentials } from './credentials.ts'
import type { HashAlgorithm, Hashes } from './crypto.ts'
import type { Mechanisms } from './mechanism.ts'
import type { AuthSettings } from './settings.ts'

/** One way to prove who is asking (RFC 9110 §11). */
export interface AuthScheme {
  readonly name: SchemeName
  /** The `auth-scheme` token as it is written in a header: `Basic`, `NTLM`, `Passport1.4`. */
  readonly token: string
  /** What one success proves: the request it came with, or the connection it came on. */
  readonly binds: 'request' | 'connection'
  /** Whether the password or token itself goes to the target, so that a clear-text hop shows it (A2). */
  readonly sendsSecret: boolean
  /** Whether these kinds of credentials can answer this scheme for this target at all (A2, A60, A344). */
  accepts(credentials: Credentials, target: AuthTarget): boolean
  /**
   * Which of several challenges of this scheme in one response is answered (A182); absent: the first.
   *
   * @param challenges at least one, all of this scheme, in the server's order
   */
  pick?(challenges: readonly [Challenge, ...Challenge[]], world: AuthWorld): Challenge
  /** Begins to prove these credentials to this peer; {@link accepts} has said yes. */
  open(opening: Opening): Session | Unable
}

/** The world as this room needs it. */
export interface AuthWorld {
  readonly hashes: Hashes
  readonly random: Random
  readonly clock: Pick<Clock, 'now'>
  readonly mechanisms: Mechanisms
  readonly settings: AuthSettings
}

/** What a session is opened with. */
export interface Opening {
  readonly target: AuthTarget
  /** The origin of the server or the proxy itself: scheme, host and port; whatever else it has is ignored. */
  readonly peer: URL
  readonly credentials: Credentials
  readonly world: AuthWorld
}

/** What one scheme remembers of one peer between requests. Holds derived secrets until it is closed (A164). */
export interface Session {
  /** Begins the proof for one request, or for one connection when the scheme binds that. */
  begin(): Handshake
  /** Wipes what was derived from the credentials; the credentials stay their owner's. May be called twice. */
  close(): void
}

/** The legs that prove one thing once. Calls are made one after the other, each after the promise before it. */
export interface Handshake {
  /**
   * What the request carries without having been asked: a proof that is known to be wanted there, or the first leg on
   * a connection where one is known to be wanted. `undefined`: nothing, wait for a challenge; also when the connection
   * has been authenticated and needs no more. Called once when a request begins, and again when it has to go out anew
   * because the connection it went out on, or was to go out on, is lost.
   *
   * @param unasked whether to prove even before the first challenge of all (the switch of A86); most schemes cannot
   */
  prepare(request: RequestFacts, unasked?: boolean): Eventually<Send | undefined>
  /** Takes a challenge that came back, and says what to do. */
  answer(challenge: Challenge, request: RequestFacts): Promise<Answer>
  /** Takes what came back from a detour. Only schemes that make detours have it. */
  detoured?(response: DetourResponse, request: RequestFacts): Promise<Answer>
  /**
   * Takes a response that this target let through, whatever else it says (A139), and verifies the peer. For a server
   * that is any status but 401, and 407 is nothing it has seen; for a proxy any but 407.
   */
  accept(response: ResponseFacts): Eventually<Verdict>
  /**
   * Takes the trailers of the response that {@link accept} took, now that its body is over: a proof of the peer may come
   * as late as that (RFC 7616 §3.5). Only schemes that know such proofs have it.
   *
   * @param bodyHash where {@link awaitsBody} asked for it and the body was seen
   */
  finish?(trailers: readonly Field[], bodyHash?: Uint8Array): Verdict
  /** Which hash of the body {@link finish} needs to verify the peer; known once the response was accepted. */
  readonly awaitsBody?: HashAlgorithm | undefined
  /**
   * Ends the request, whether or not it had an answer, and lets go of what is held for it. A handshake that binds a
   * connection may be prepared again afterwards and knows what the connection has proved. May be called twice.
   */
  close(): void
}

/** One request, as the proof needs to know it. */
export interface RequestFacts {
  readonly method: string
  /** Exactly as on the request line: origin-form, absolute-form to a proxy, authority-form for CONNECT (A223). */
  readonly requestTarget: string
  /** The whole URL that is asked for, without user information: for schemes that speak about it. */
  readonly url: URL
  /** Stands for the connection that the request goes out on; absent: one that carries no other request. */
  readonly connection?: object | undefined
  /** The hash of the request's body; absent when there is none, which hashes as empty (A220). */
  readonly bodyHash?: ((algorithm: HashAlgorithm) => Uint8Array) | undefined
  /**
   * `tls-server-end-point:` and the hash of the certificate of the TLS connection that carries the header (A400, A403);
   * absent on a clear-text hop and for certificates without a defined hash.
   */
  readonly channelBinding?: Uint8Array | undefined
  /** Whether the connection that carries the header leads to a loopback address of this machine; absent: it does not. */
  readonly isLoopback?: boolean
}

/** One response, as the verification needs to know it. */
export interface ResponseFacts {
  readonly status: number
  /** Every field in order, trailers last (RFC 7615 §3). */
  readonly fields: Iterable<Field>
  /** The hash of the response's body, where it is known: for `auth-int` (A222). */
  readonly bodyHash?: (algorithm: HashAlgorithm) => Uint8Array
}

/** Send the request (again) with this. */
export interface Send {
  readonly kind: 'send'
  /** The value of `Authorization` or `Proxy-Authorization`; absent when a cookie is the proof. */
  readonly header?: string
  /** The value of `Cookie`, as one line (A341). */
  readonly cookie?: string
  /** Ask for this absolute URL on the same host instead (A340). */
  readonly url?: string
  /** Whether the request can succeed with this; where it cannot, its body stays at home (A420). */
  readonly canSucceed: boolean
}

/** Make this request first, over a route of its own, and give what comes back to {@link Handshake.detoured}. */
export interface Detour {
  readonly kind: 'detour'
  readonly method: 'GET' | 'POST'
  /** Absolute, https; redirects are not followed. */
  readonly url: string
  readonly fields: readonly Field[]
  /** Owned by the receiver, who wipes it after sending: it may hold a secret. */
  readonly body?: Uint8Array
}

/** What came back from a detour. */
export interface DetourResponse {
  readonly url: string
  readonly status: number
  readonly fields: readonly Field[]
  /** At most 64 KiB; longer ones are cut. */
  readonly body: Uint8Array
}

/** Our side cannot: no ticket, no such algorithm, a name that cannot be sent. The next scheme may be tried (A136). */
export interface Unable {
  readonly kind: 'unable'
  /** For people: sentence case, no full stop, no secret, no token (A141). */
  readonly reason: string
}

/** The peer says no to these credentials, which therefore end here (A136). */
export interface Refused {
  readonly kind: 'refused'
  /** As in {@link Unable}. */
  readonly reason: string
  /** What our side could not do, so that the peer got less than it might have taken; as {@link reason}. */
  readonly shortfall?: string
}

/** What to do about a challenge. */
export type Answer = Send | Detour | Unable | Refused

/** The proof was taken, and the peer proved itself where it had to. */
export interface Done {
  readonly kind: 'done'
}

/** What a final response means for the authentication. */
export type Verdict = Done | Refused
