/**
 * Proves who is asking to one peer, for all requests of a job: the loop of one target (A121, A440).
 *
 *     using exchange = authenticator.begin()          one request with all its legs
 *     send = await exchange.prepare(request)          the first time, and again on every other connection
 *     … the request goes out with `send`, a response comes back
 *     if it asks for proof: step = await exchange.challenged(response, request)
 *         send    drain the body, send the request again with it, on the same connection
 *         detour  make that request, then step = await exchange.detoured(what came back, request)
 *         failed  the response is final
 *     anything else that the target let through: verdict = await exchange.accepted(response)
 *
 * What it promises: nothing is sent that the wallet does not allow. Credentials that the peer has not taken yet are
 * tried by one request at a time, whatever scheme it is asked for, and the others wait for its outcome, so that a wrong
 * password on many connections is one failed logon and not many (A133, A135). Authenticators of several peers that share
 * their first trials do so together. What the peer has refused is not sent to it again. No request goes round for ever.
 *
 * There is one for the server and one for each proxy, and neither knows the other. A request that goes out anew because
 * the server asked is another request for the proxy, with an exchange of its own; a request that goes out anew because
 * the proxy asked is the same one for the server, which has not seen it, and carries the same step. Exchanges of one
 * authenticator, or of those that share first trials, may wait for each other, so whoever drives several must not make
 * one wait for another.
 */

import { fieldValues, targetFields, type AuthTarget } from './auth.ts'
import { Exchange, type Witnessed } from './exchange.ts'
import { FirstTrials } from './first-trials.ts'
import { authSchemes } from './list.ts'
import { PeerMemory, type ReadableProof } from './peer-memory.ts'
import type { AuthScheme, AuthWorld, ResponseFacts } from './scheme.ts'
import type { Situation, Wallet } from './wallet.ts'

/**
 * Whether a response asks the one who sent the request for proof: 401 of a server, 407 of a proxy, and Passport's 302,
 * which is no redirect (A333).
 */
export function asksForProof(target: AuthTarget, { status, fields }: ResponseFacts): boolean {
  const { status: asking, challenge } = targetFields[target]
  if (status === asking) return true
  if (target === 'proxy' || status !== 302) return false
  return fieldValues(fields, challenge).some((value) => /^passport1\.4(?: |$)/i.test(value))
}

/** What an authenticator is made of. */
export interface AuthenticatorOptions {
  readonly situation: Situation
  /** Its secrets stay their owner's, who wipes them after the authenticator was closed. */
  readonly wallet: Wallet
  readonly world: AuthWorld
  /** Strongest first; every one we know when absent. */
  readonly schemes?: readonly AuthScheme[]
  /** Whether to prove even before the first challenge, where a scheme can (A86). */
  readonly isUnasked?: boolean
  /** Who tries what for the first time, where other authenticators of the same target share it. */
  readonly trials?: FirstTrials
  /** Hears what each response meant; for people who wonder. Must not throw. */
  readonly witness?: (witnessed: Witnessed) => void
  /** Is warned before a password or token is shown to everybody on the way, once for each scheme (A183). Must not throw. */
  readonly warn?: (readable: ReadableProof) => void
}

/** One target of one job, from its first request to its last; made anew when the job's credentials change. */
export class Authenticator implements Disposable {
  readonly #memory: PeerMemory

  constructor({
    situation,
    wallet,
    world,
    schemes = authSchemes,
    isUnasked = false,
    trials = new FirstTrials(),
    witness,
    warn,
  }: AuthenticatorOptions) {
    this.#memory = new PeerMemory({
      situation,
      wallet,
      world,
      schemes,
      isUnasked,
      trials,
      ...(witness === undefined ? {} : { witness }),
      ...(warn === undefined ? {} : { warn }),
    })
  }

  /**
   * Begins one request. Whoever begins it closes it.
   *
   * @param options `isPatient` is for an application that proves itself (A46): nothing is sent that was never asked for,
   *   whatever `isUnasked` says, and nothing that nobody set, whatever UseLMCompat says
   */
  begin({ isPatient = false }: { readonly isPatient?: boolean } = {}): Exchange {
    return new Exchange(this.#memory, isPatient)
  }

  /** Ends what is under way, and wipes what was derived from credentials. May be called twice. */
  close(): void {
    this.#memory.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}
