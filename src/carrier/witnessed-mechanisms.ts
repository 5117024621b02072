/** Mechanisms that tell what became of every identity they were to prove. */

import { MechanismError } from '../auth/error.ts'
import type {
  ContextRequest,
  MechanismContext,
  MechanismIdentity,
  MechanismName,
  Mechanisms,
  MechanismStep,
} from '../auth/mechanism.ts'
import type { Ticket } from '../job/finding.ts'

/** Hears what became of a context, once for each. */
export type TicketWitness = (ticket: Ticket) => void

/**
 * These mechanisms, watched: where another way is taken in the end, nobody else tells why Kerberos was not. What they
 * fail with has no name in it that was set, because that cannot be read back (A17).
 */
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
    const name = nameOf(identity)
    const ticket = { mechanism, service, identity: identity.kind }
    let isTold = false
    const tell = (reason?: string): void => {
      if (isTold) return
      isTold = true
      this.#witness(reason === undefined ? ticket : { ...ticket, reason })
    }
    const failed = (error: unknown): Error => {
      const nameless = withoutName(error, name)
      tell(nameless.message)
      return nameless
    }
    try {
      return new WitnessedContext(await this.#inner.open(request), tell, failed)
    } catch (error) {
      throw failed(error)
    }
  }
}

/** Its first step decides whether there is a ticket. */
class WitnessedContext implements MechanismContext {
  readonly #inner: MechanismContext
  readonly #made: () => void
  readonly #failed: (error: unknown) => Error

  constructor(inner: MechanismContext, made: () => void, failed: (error: unknown) => Error) {
    this.#inner = inner
    this.#made = made
    this.#failed = failed
  }

  async step(token: Uint8Array | undefined): Promise<MechanismStep> {
    try {
      const step = await this.#inner.step(token)
      this.#made()
      return step
    } catch (error) {
      throw this.#failed(error)
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

/** Without domain and realm: messages have names as the library writes them. Empty where nobody is named. */
function nameOf(identity: MechanismIdentity): string {
  const name =
    identity.kind === 'password'
      ? identity.userName
      : identity.kind === 'implicit'
        ? ''
        : (identity.principal ?? '')
  return name.replace(/^[^\\]*\\/u, '').replace(/@.*$/su, '')
}

function withoutName(error: unknown, name: string): Error {
  if (!(error instanceof MechanismError) || name === '') {
    return error instanceof Error ? error : new Error(String(error))
  }
  const escaped = name.replaceAll(/[$()*+./?[\\\]^{|}]/gu, String.raw`\$&`)
  const domain = String.raw`(?:[\w.-]+\\)?`
  const realm = String.raw`(?:\\?@[\w.-]+)*`
  const pattern = new RegExp(String.raw`(?<!\w)${domain}${escaped}${realm}(?!\w)`, 'giu')
  const { code, reason, cause } = error
  return new MechanismError(code, error.message.replaceAll(pattern, 'the user'), { reason, cause })
}
