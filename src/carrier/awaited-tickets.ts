/** Tickets end sooner than jobs (N114): whether a proof failed for want of fresh ones, and nothing else. */

import { MechanismError } from '../auth/error.ts'
import type {
  ContextRequest,
  MechanismContext,
  MechanismIdentity,
  MechanismName,
  Mechanisms,
  MechanismStep,
} from '../auth/mechanism.ts'
import type { Failure } from '../job/failure.ts'
import { httpStatusHresult } from '../job/hresult.ts'

/** How long a job waits until it looks whether somebody has logged on anew: that asks nobody but this machine. */
const LOOK_AGAIN_MS = 60_000

/** The failures of who could not prove who they are. */
const unproven = new Set([401, 407].map((status) => httpStatusHresult(status)))

/** These mechanisms, and what they say of tickets that have expired. */
export class AwaitedTickets implements Mechanisms {
  readonly #inner: Mechanisms
  #areExpired = false

  constructor(inner: Mechanisms) {
    this.#inner = inner
  }

  /**
   * What a failure comes to: one that fresh tickets would mend is one for now. Only where nothing was proved with a
   * password, which would be tried, and refused, again and again (A133).
   *
   * @param hasPasswords whether the job has any
   */
  interpret(failure: Failure, hasPasswords: boolean): Failure {
    if (!this.#areExpired || hasPasswords || !unproven.has(failure.hresult)) return failure
    return {
      ...failure,
      severity: 'transient',
      waitsFor: 'tickets',
      sentence: `${failure.sentence}; the tickets of who is logged on have expired: it goes on when there are fresh ones`,
      retryAfterMs: LOOK_AGAIN_MS,
    }
  }

  unavailable(mechanism: MechanismName): string | undefined {
    return this.#inner.unavailable(mechanism)
  }

  async open(request: ContextRequest): Promise<MechanismContext> {
    try {
      const context = await this.#inner.open(request)
      return new AwaitedContext(context, (error) => this.#hear(request.identity, error))
    } catch (error) {
      this.#hear(request.identity, error)
      throw error
    }
  }

  /** Keys are as good as ever: what is made of them expires and is made anew. */
  #hear({ kind }: MechanismIdentity, error?: unknown): void {
    if (kind !== 'implicit' && kind !== 'tickets') return
    this.#areExpired = error instanceof MechanismError && error.code === 'ERR_KERBEROS_EXPIRED'
  }
}

/** Its first step decides whether there is a ticket. */
class AwaitedContext implements MechanismContext {
  readonly #inner: MechanismContext
  readonly #heard: (error?: unknown) => void

  constructor(inner: MechanismContext, heard: (error?: unknown) => void) {
    this.#inner = inner
    this.#heard = heard
  }

  async step(token: Uint8Array | undefined): Promise<MechanismStep> {
    if (token !== undefined) return this.#inner.step(token)
    try {
      const step = await this.#inner.step(token)
      this.#heard()
      return step
    } catch (error) {
      this.#heard(error)
      throw error
    }
  }

  sign(message: Uint8Array): Promise<Uint8Array> {
    return this.#inner.sign(message)
  }

  verify(message: Uint8Array, code: Uint8Array): Promise<boolean> {
    return this.#inner.verify(message, code)
  }

  close(): void {
    this.#inner.close()
  }
}
