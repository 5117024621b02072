/** The other side of Kerberos: MIT's own acceptor, with a keytab, in a process of its own. */

import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'

/** What the acceptor is asked about one of its contexts; bytes in base64. */
export type AcceptorRequest = { readonly context: number } & (
  | {
      /** Begins the context, or goes on with it. */
      readonly kind: 'accept'
      readonly token: string
      /** Application data of the channel binding; absent when it does not look at bindings. */
      readonly binding?: string
    }
  | { readonly kind: 'sign'; readonly message: string }
  | { readonly kind: 'verify'; readonly message: string; readonly code: string }
)

/** One request without its context. */
type Question<Request = AcceptorRequest> = Request extends AcceptorRequest
  ? Omit<Request, 'context'>
  : never

/** What it answers. */
export type AcceptorAnswer =
  | {
      readonly kind: 'accepted'
      readonly token: string
      readonly isComplete: boolean
      /** Empty while it is not complete. */
      readonly user: string
      readonly flags: number
      readonly isDelegated: boolean
    }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'signed'; readonly code: string }
  | { readonly kind: 'verified'; readonly isGood: boolean }

/** A token that was accepted. */
export interface Accepted {
  readonly token: Uint8Array
  readonly isComplete: boolean
  readonly user: string
  /** As in RFC 2744 §5.19. */
  readonly flags: number
  /** Whether it may act for the user now. */
  readonly isDelegated: boolean
}

/** GSS_C_CHANNEL_BOUND_FLAG: both sides have bound to the same channel. */
export const CHANNEL_BOUND = 0x800

/** One acceptor; its process ends when it is disposed. */
export class GssAcceptor implements AsyncDisposable {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  readonly #answers: AsyncIterator<string>
  #contexts = 0
  #current: AcceptorContext

  /**
   * @param environment with `KRB5_KTNAME`, the keytab of the service, and `KRB5_CONFIG`; with `NTLM_USER_FILE` it knows
   *   NTLM too, where gss-ntlmssp is installed
   */
  constructor(environment: Readonly<Record<string, string>>) {
    const script = join(import.meta.dirname, 'kdc-acceptor-process.ts')
    this.#child = spawn(process.execPath, [script], {
      // Without a replay cache, which would lie in a folder that all tests share.
      env: { ...environment, KRB5RCACHENAME: 'none:' },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]()
    this.#current = this.begin()
  }

  /** A new context; there may be several. */
  begin(): AcceptorContext {
    const context = ++this.#contexts
    return new AcceptorContext((question) => this.#ask({ ...question, context }))
  }

  /** Begins a new context with the next token. */
  renew(): void {
    this.#current = this.begin()
  }

  /** {@link AcceptorContext.accept} of the current context. */
  accept(token: Uint8Array, binding?: Uint8Array): Promise<Accepted> {
    return this.#current.accept(token, binding)
  }

  /** {@link AcceptorContext.sign} of the current context. */
  sign(message: Uint8Array): Promise<Uint8Array> {
    return this.#current.sign(message)
  }

  /** {@link AcceptorContext.verify} of the current context. */
  verify(message: Uint8Array, code: Uint8Array): Promise<boolean> {
    return this.#current.verify(message, code)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exited
  }

  async #ask(request: AcceptorRequest): Promise<AcceptorAnswer> {
    this.#child.stdin.write(`${JSON.stringify(request)}\n`)
    const { value, done } = await this.#answers.next()
    if (done === true) throw new Error('the acceptor has ended')
    // Written by the other half of this acceptor.
    return JSON.parse(value) as AcceptorAnswer
  }
}

/** The other side of one context. */
export class AcceptorContext {
  readonly #ask: (question: Question) => Promise<AcceptorAnswer>

  /** @param ask about this context */
  constructor(ask: (question: Question) => Promise<AcceptorAnswer>) {
    this.#ask = ask
  }

  /**
   * Takes a token.
   *
   * @param binding what this side sees of the channel
   * @throws {Error} with the library's words when it is refused
   */
  async accept(token: Uint8Array, binding?: Uint8Array): Promise<Accepted> {
    const answer = await this.#ask({
      kind: 'accept',
      token: encode(token),
      ...(binding === undefined ? {} : { binding: encode(binding) }),
    })
    if (answer.kind === 'refused') throw new Error(answer.reason)
    if (answer.kind !== 'accepted') throw new Error(`answered with ${answer.kind}`)
    return { ...answer, token: decode(answer.token) }
  }

  /** Its integrity code over a message. */
  async sign(message: Uint8Array): Promise<Uint8Array> {
    const answer = await this.#ask({ kind: 'sign', message: encode(message) })
    if (answer.kind !== 'signed') throw new Error(`answered with ${answer.kind}`)
    return decode(answer.code)
  }

  /** Whether a code is the initiator's. */
  async verify(message: Uint8Array, code: Uint8Array): Promise<boolean> {
    const answer = await this.#ask({
      kind: 'verify',
      message: encode(message),
      code: encode(code),
    })
    return answer.kind === 'verified' && answer.isGood
  }
}

function encode(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}

function decode(base64: string): Uint8Array {
  return Buffer.from(base64, 'base64')
}
