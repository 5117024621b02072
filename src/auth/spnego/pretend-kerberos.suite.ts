/**
 * A mechanism that behaves like Kerberos: framed tokens, one from each side, mutual authentication, integrity. Its two
 * sides share a key instead of a ticket.
 */

import { MechanismError } from '../error.ts'
import type { ContextRequest, MechanismContext, Mechanisms, MechanismStep } from '../mechanism.ts'
import { joinBytes } from '../ntlm/bytes.ts'
import { hex } from '../ntlm/vectors.suite.ts'
import { nodeHashes } from '../world.suite.ts'
import { mechanismIds } from './mechanism-ids.ts'
import { decodeGssToken, encodeGssToken } from './tokens.ts'

const request = hex('0100')
const reply = hex('0200')
const text = new TextEncoder()

function code(key: string, ...parts: readonly Uint8Array[]): Uint8Array {
  return nodeHashes.hmac('sha-256', text.encode(key), ...parts)
}

/** The side that begins. */
export class PretendInitiator implements MechanismContext {
  readonly #key: string
  readonly #name: string
  isClosed = false

  constructor(key: string, name: string) {
    this.#key = key
    this.#name = name
  }

  async step(token: Uint8Array | undefined): Promise<MechanismStep> {
    const name = text.encode(this.#name)
    if (token === undefined) {
      const inner = joinBytes(request, code(this.#key, name), name)
      return { token: encodeGssToken({ mechanism: mechanismIds.kerberos, inner }), complete: false }
    }
    const { inner } = decodeGssToken(token)
    if (!nodeHashes.equal(inner, joinBytes(reply, code(this.#key, reply, name)))) {
      throw new MechanismError('ERR_TEST_REPLY', 'Cannot verify the reply of the server', {
        reason: 'refused',
      })
    }
    return { complete: true }
  }

  async sign(message: Uint8Array): Promise<Uint8Array> {
    return code(this.#key, text.encode('i'), message)
  }

  async verify(message: Uint8Array, sent: Uint8Array): Promise<boolean> {
    return nodeHashes.equal(sent, code(this.#key, text.encode('a'), message))
  }

  close(): void {
    this.isClosed = true
  }
}

/** The side that answers. */
export class PretendAcceptor implements MechanismContext {
  readonly #key: string
  user = ''

  constructor(key: string) {
    this.#key = key
  }

  async step(token: Uint8Array | undefined): Promise<MechanismStep> {
    const { inner } = decodeGssToken(token ?? hex(''))
    const name = inner.subarray(34)
    if (!nodeHashes.equal(inner.subarray(0, 34), joinBytes(request, code(this.#key, name)))) {
      throw new MechanismError('ERR_TEST_REQUEST', 'Cannot verify the client', {
        reason: 'refused',
      })
    }
    this.user = new TextDecoder().decode(name)
    const answer = joinBytes(reply, code(this.#key, reply, name))
    return {
      token: encodeGssToken({ mechanism: mechanismIds.kerberos, inner: answer }),
      complete: true,
    }
  }

  async sign(message: Uint8Array): Promise<Uint8Array> {
    return code(this.#key, text.encode('a'), message)
  }

  async verify(message: Uint8Array, sent: Uint8Array): Promise<boolean> {
    return nodeHashes.equal(sent, code(this.#key, text.encode('i'), message))
  }

  close(): void {}
}

/** A platform that has this mechanism and no other, and keeps what it was asked for. */
export class PretendPlatform implements Mechanisms {
  readonly requests: ContextRequest[] = []
  readonly contexts: PretendInitiator[] = []
  readonly #key: string
  /** What opening a context fails with. */
  failure: MechanismError | undefined

  constructor(key: string) {
    this.#key = key
  }

  unavailable(mechanism: string): string | undefined {
    return mechanism === 'kerberos' ? undefined : `${mechanism} is not here`
  }

  async open(request: ContextRequest): Promise<MechanismContext> {
    const { signal: _, ...asked } = request
    this.requests.push(asked)
    if (this.failure !== undefined) throw this.failure
    const context = new PretendInitiator(this.#key, 'alice@REALM')
    this.contexts.push(context)
    return context
  }
}
