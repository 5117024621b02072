/** Mechanisms that tell what became of every identity they were to prove. */

import type {
  ContextRequest,
  MechanismContext,
  MechanismName,
  Mechanisms,
  MechanismStep,
} from '../auth/mechanism.ts'
import type { Ticket } from '../job/finding.ts'

/** Hears what became of a context, once for each. */
export type TicketWitness = (ticket: Ticket) => void

/** These mechanisms, watched: where another way is taken in the end, nobody else tells why Kerberos was not. */
export class WitnessedMechanisms implements Mechanisms {
  readonly #inner: Mechanisms
  readonly #witness: TicketWitness

  constructor(inner: Mechanisms, witness: TicketWitness) {
    this.#inner = inner
    this.#witness = witness
  }

  unavailable(mechanism: MechanismName): string | undefined {
    return this.#inner.unavailable(mechanism)
  }

  async open(request: ContextRequest): Promise<MechanismContext> {
    const { mechanism, targetName: service, identity } = request
    let isTold = false
    const tell = (error?: unknown): void => {
      if (isTold) return
      isTold = true
      const ticket = { mechanism, service, identity: identity.kind }
      this.#witness(error === undefined ? ticket : { ...ticket, reason: sentenceOf(error) })
    }
    try {
      return new WitnessedContext(await this.#inner.open(request), tell)
    } catch (error) {
      tell(error)
      throw error
    }
  }
}

/** Its first step decides whether there is a ticket. */
class WitnessedContext implements MechanismContext {
  readonly #inner: MechanismContext
  readonly #tell: (error?: unknown) => void

  constructor(inner: MechanismContext, tell: (error?: unknown) => void) {
    this.#inner = inner
    this.#tell = tell
  }

  async step(token: Uint8Array | undefined): Promise<MechanismStep> {
    try {
      const step = await this.#inner.step(token)
      this.#tell()
      return step
    } catch (error) {
      this.#tell(error)
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

function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
