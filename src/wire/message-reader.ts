/** What reading requests and reading responses have in common: heads, bodies and ends, one message after another. */

import { ProtocolError } from '../base/error.ts'
import { type BodyDecoder, CloseBody, LengthBody } from './body.ts'
import { ChunkedBody } from './chunked-body.ts'
import { Fields } from './fields.ts'
import { Input } from './input.ts'
import type { WireLimits } from './limits.ts'
import { SectionScanner } from './section-scanner.ts'
import type { BodyEvent, ClosedEvent, EndEvent, ResponseFraming } from './wire.ts'
import { wireError, wireMisuse } from './wire-error.ts'

/** What comes after a message: the next one, nothing more of use, or another protocol. */
export type Afterwards = 'boundary' | 'sealed' | 'switched'

/** What differs between a client's reader and a server's. */
export interface ReaderRole<HeadEvent> {
  /** What a start line begins with; empty if it may begin with anything. */
  readonly prefix: string
  readonly forgivesBareLf: boolean
  /** Whether a connection may close cleanly after an empty line. */
  readonly mayEndBlank: boolean
  /**
   * Hears that the first octet after a message boundary has come.
   *
   * @param isSealed the message before it was the last one
   * @returns whether it is read; if not, it and all after it is thrown away
   * @throws {ProtocolError} when it must not be there
   */
  admit(isSealed: boolean): boolean
  /**
   * Reads a head, and says by {@link MessageReader.begin} where the body of its message ends. An interim response begins
   * no message: another head follows it.
   *
   * @throws {ProtocolError} when it is none, or is against the rules
   */
  open(startLine: string, fields: Fields): HeadEvent
  /** Hears that the message is whole. */
  close(): void
}

/** The end of nearly every message. */
const endWithoutTrailers: EndEvent = { kind: 'end', trailers: Fields.empty }

/**
 * Where the reader stands: at the `boundary` between messages, inside a `head`, inside a `body`; or after the last
 * message, `sealed` (the peer has yet to close), `switched` (what follows is not HTTP) or `closed`.
 */
type Phase = 'boundary' | 'head' | 'body' | 'sealed' | 'switched' | 'closed'

/**
 * Turns pushed bytes into events. The two readers put their role in and hand its calls through.
 *
 * Bytes are pushed only when those before have been used up, so that no more than one head is ever copied, and all
 * reading happens in {@link next}; an error is thrown there, after the events of everything before it.
 */
export class MessageReader<HeadEvent> {
  readonly #role: ReaderRole<HeadEvent>
  readonly #limits: WireLimits
  readonly #input = new Input()
  readonly #scanner: SectionScanner
  #phase: Phase = 'boundary'
  readonly #lengthBody = new LengthBody()
  #body: BodyDecoder = this.#lengthBody
  #afterwards: Afterwards = 'boundary'
  #failure: ProtocolError | undefined

  constructor(role: ReaderRole<HeadEvent>, limits: WireLimits) {
    this.#role = role
    this.#limits = limits
    this.#scanner = new SectionScanner({
      hasStartLine: true,
      prefix: role.prefix,
      forgivesBareLf: role.forgivesBareLf,
      maxStartLineBytes: limits.maxStartLineBytes,
      maxFieldBytes: limits.maxFieldBytes,
      maxFields: limits.maxFields,
      maxBytes: limits.maxHeadBytes,
      tooLong: 'ERR_WIRE_HEAD_TOO_LONG',
    })
  }

  /** Whether the connection is between two messages and open, and nothing is left to read. */
  get isAtBoundary(): boolean {
    return (
      this.#phase === 'boundary' &&
      this.#input.left === 0 &&
      !this.#input.hasEnded &&
      this.#failure === undefined
    )
  }

  /** Whether what follows is not HTTP. */
  get isSwitched(): boolean {
    return this.#phase === 'switched'
  }

  /** Gives bytes; see the readers for the terms. */
  push(bytes: Uint8Array): void {
    this.assertUsable('push bytes')
    if (this.#input.left > 0) {
      const { left } = this.#input
      throw wireMisuse('ERR_WIRE_NOT_DRAINED', `Cannot push bytes: ${left} are still to be read`)
    }
    this.#input.give(bytes)
  }

  /** Tells that the peer has closed. */
  end(): void {
    if (this.#failure !== undefined) throw this.#failure
    this.#input.hasEnded = true
  }

  /** Throws unless bytes may still come. @param what for the message: what was attempted */
  assertUsable(what: string): void {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#phase === 'switched') {
      throw wireMisuse(
        'ERR_WIRE_SWITCHED',
        `Cannot ${what}: the connection speaks another protocol`,
      )
    }
    if (this.#input.hasEnded) {
      throw wireMisuse('ERR_WIRE_ENDED', `Cannot ${what}: the connection has closed`)
    }
  }

  /** A message begins with the head that is being read; for {@link ReaderRole.open}. */
  begin(framing: ResponseFraming, afterwards: Afterwards): void {
    this.#body = this.#decoderFor(framing)
    this.#phase = 'body'
    this.#afterwards = afterwards
  }

  /** The next event; `undefined` when there is none before more is pushed. */
  next(): HeadEvent | BodyEvent | EndEvent | ClosedEvent | undefined {
    if (this.#failure !== undefined) throw this.#failure
    try {
      const event = this.#read()
      if (event === undefined) this.#input.release()
      return event
    } catch (error) {
      if (error instanceof ProtocolError) this.#failure = error
      throw error
    }
  }

  /** Ends the reading of HTTP at a message boundary. @returns a view of the bytes that were not read */
  takeRest(): Uint8Array {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#phase !== 'switched' && this.#phase !== 'boundary') {
      throw wireMisuse('ERR_WIRE_WITHIN_MESSAGE', `Cannot take over the connection: ${this.#phase}`)
    }
    this.#phase = 'switched'
    return this.#input.takeAll()
  }

  #read(): HeadEvent | BodyEvent | EndEvent | ClosedEvent | undefined {
    switch (this.#phase) {
      case 'boundary':
      case 'sealed':
        return this.#readBoundary(this.#phase === 'sealed')
      case 'head':
        return this.#readHead()
      case 'body':
        return this.#readBody()
      case 'switched':
      case 'closed':
        return undefined
      default:
        return this.#phase satisfies never
    }
  }

  #readBoundary(isSealed: boolean): HeadEvent | ClosedEvent | undefined {
    if (this.#input.left === 0) return this.#input.hasEnded ? this.#close() : undefined
    if (this.#role.admit(isSealed)) {
      this.#phase = 'head'
      return this.#readHead()
    }
    this.#input.takeAll()
    return this.#input.hasEnded ? this.#close() : undefined
  }

  #readHead(): HeadEvent | ClosedEvent | undefined {
    const fields = this.#scanner.scan(this.#input)
    if (fields !== undefined) return this.#role.open(this.#scanner.startLine, fields)
    return this.#input.hasEnded ? this.#endWithinHead() : undefined
  }

  #endWithinHead(): ClosedEvent {
    if (this.#role.mayEndBlank && this.#scanner.isBlank) return this.#close()
    throw wireError('ERR_WIRE_SHORT_HEAD', 'Cannot finish a head: the connection has closed')
  }

  #readBody(): BodyEvent | EndEvent | undefined {
    const bytes = this.#body.next(this.#input)
    if (bytes !== undefined) return { kind: 'body', bytes }
    if (this.#body.isWhole(this.#input)) {
      this.#phase = this.#afterwards
      this.#role.close()
      const { trailers } = this.#body
      return trailers === Fields.empty ? endWithoutTrailers : { kind: 'end', trailers }
    }
    if (!this.#input.hasEnded) return undefined
    const { shortage } = this.#body
    throw wireError(
      'ERR_WIRE_SHORT_BODY',
      `Cannot finish a body: the connection has closed and ${shortage}`,
    )
  }

  #close(): ClosedEvent {
    this.#phase = 'closed'
    return { kind: 'closed' }
  }

  #decoderFor(framing: ResponseFraming): BodyDecoder {
    switch (framing.kind) {
      case 'none':
        return this.#lengthBody.begin(0)
      case 'length':
        return this.#lengthBody.begin(framing.length)
      case 'chunked':
        return new ChunkedBody(this.#limits)
      case 'close':
        return new CloseBody()
      default:
        return framing satisfies never
    }
  }
}
