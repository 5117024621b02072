/** The client's reader: bytes of a server in, responses out. */

import type { ProtocolError } from '../base/error.ts'
import type { Fields } from './fields.ts'
import { isTunnel, keepsAlive, responseFraming } from './framing.ts'
import { defaultWireLimits, type WireLimits } from './limits.ts'
import { MessageReader } from './message-reader.ts'
import { isInterim, switchingProtocols } from './status.ts'
import type { HttpVersion, InterimEvent, ResponseEvent, ResponseHead } from './wire.ts'
import { wireError } from './wire-error.ts'

/** What is read from a head on; the rest is the same in both roles. */
type HeadEvent = InterimEvent | { readonly kind: 'head'; readonly head: ResponseHead }

/**
 * Reads the responses of one connection.
 *
 * ```
 * reader.expect('GET')               before the request is sent
 * reader.push(bytes)                 what the socket gave
 * while ((event = reader.next()))    until there is none; then the next push
 * reader.end()                       when the server has closed; then next() once more
 * ```
 *
 * Body bytes are never copied: a `body` event is a view of the pushed array, one for each push while the body has a
 * length, one for each chunk of a push while it is chunked. The caller may reuse its array when `next()` has returned
 * `undefined`.
 *
 * Strict where servers and proxies have been made to disagree (RFC 9112 §11.2): see {@link responseFraming}; folded
 * lines, white space before a colon and control characters are refused. Lenient in what cannot hurt: a line of a head
 * may end with LF alone (§2.2), one empty line may come before a status line, and a reason phrase may be missing.
 *
 * An error is for ever: every call after it throws the same one. It is thrown after the events of everything before
 * it, so a response whose `end` was seen is good whatever comes next.
 */
export class ResponseReader {
  readonly #limits: WireLimits
  /** The methods of the requests that have no final response yet, oldest first. */
  readonly #expected: string[] = []
  #interimCount = 0
  #hasResponseBegun = false
  /** That of the last response: of most responses on a connection it is the same. */
  #statusLine = parseStatusLine('HTTP/1.1 200 OK')
  readonly #messages: MessageReader<HeadEvent>

  constructor({ limits = {} }: { readonly limits?: Partial<WireLimits> } = {}) {
    this.#limits = { ...defaultWireLimits, ...limits }
    this.#messages = new MessageReader<HeadEvent>(
      {
        prefix: 'HTTP/',
        forgivesBareLf: true,
        mayEndBlank: false,
        admit: (isSealed) => this.#admit(isSealed),
        open: (startLine, fields) => this.#open(startLine, fields),
        close: () => this.#close(),
      },
      this.#limits,
    )
  }

  /** Whether another request may be sent: the connection is open, nothing is expected and nothing is left to read. */
  get isIdle(): boolean {
    return this.#expected.length === 0 && this.#messages.isAtBoundary
  }

  /**
   * Whether anything was read of the response that is due, interim ones with it. If not when the connection fails, the
   * server may not have seen the request, and it may be sent again (RFC 9112 §9.3.1).
   */
  get hasResponseBegun(): boolean {
    return this.#hasResponseBegun
  }

  /** Whether the connection speaks another protocol from here on; {@link takeRest} has what came of it. */
  get isSwitched(): boolean {
    return this.#messages.isSwitched
  }

  /**
   * Says that a request is sent. Responses come in the order of their requests.
   *
   * @param method as sent; what HEAD and CONNECT are answered with is read differently
   * @throws {MisuseError} `ERR_WIRE_ENDED`, `ERR_WIRE_SWITCHED`
   */
  expect(method: string): void {
    this.#messages.assertUsable('expect a response')
    this.#expected.push(method)
  }

  /**
   * Gives the bytes that came next.
   *
   * @param bytes left alone by their owner until {@link next} has returned `undefined`
   * @throws {MisuseError} `ERR_WIRE_NOT_DRAINED` when events of the last bytes were not taken; `ERR_WIRE_ENDED`,
   *   `ERR_WIRE_SWITCHED`
   */
  push(bytes: Uint8Array): void {
    this.#messages.push(bytes)
  }

  /** Tells that the server has closed its side, not that the connection broke. May be called twice. */
  end(): void {
    this.#messages.end()
  }

  /**
   * The next event; `undefined` when there is none before more is pushed.
   *
   * `closed` comes once, after {@link end}, also when responses are due of which nothing was read.
   *
   * @throws {ProtocolError} any `WireErrorCode`
   */
  next(): ResponseEvent | undefined {
    return this.#messages.next()
  }

  /**
   * Hands over the connection once the `end` of a response was seen: of 101, or of a CONNECT that succeeded.
   *
   * @returns a view of the bytes that were pushed and belong to the other protocol; often none
   * @throws {MisuseError} `ERR_WIRE_WITHIN_MESSAGE` when a response is being read or no more may come
   */
  takeRest(): Uint8Array {
    return this.#messages.takeRest()
  }

  #admit(isSealed: boolean): true {
    if (isSealed || this.#expected.length === 0) {
      const why = isSealed ? 'the response before it was the last one' : 'no request was sent'
      throw wireError('ERR_WIRE_UNSOLICITED', `Cannot read a response: ${why}`)
    }
    this.#hasResponseBegun = true
    return true
  }

  #open(line: string, fields: Fields): HeadEvent {
    if (line !== this.#statusLine.line) this.#statusLine = parseStatusLine(line)
    const { version, status, reason } = this.#statusLine
    if (isInterim(status)) return this.#openInterim(status, fields)
    const method = this.#expected[0] ?? ''
    const framing = responseFraming(method, status, version, fields)
    const isSwitched = status === switchingProtocols || isTunnel(method, status)
    const keepAlive = framing.kind !== 'close' && !isSwitched && keepsAlive(version, fields)
    this.#messages.begin(framing, isSwitched ? 'switched' : keepAlive ? 'boundary' : 'sealed')
    return { kind: 'head', head: { version, status, reason, fields, framing, keepAlive } }
  }

  #openInterim(status: number, fields: Fields): HeadEvent {
    const { maxInterimResponses } = this.#limits
    this.#interimCount++
    if (this.#interimCount > maxInterimResponses) {
      throw wireError(
        'ERR_WIRE_TOO_MANY_INTERIM',
        `Cannot read an interim response: the limit is ${maxInterimResponses}`,
      )
    }
    return { kind: 'interim', status, fields }
  }

  #close(): void {
    this.#expected.shift()
    this.#interimCount = 0
    this.#hasResponseBegun = false
  }
}

/** HTTP/1 version, SP, three digits, and perhaps SP and a reason phrase (RFC 9112 §4): each at a place of its own. */
const statusLinePattern = /^HTTP\/1\.\d [1-9]\d\d(?: .*)?$/s

interface StatusLine {
  readonly line: string
  readonly version: HttpVersion
  readonly status: number
  readonly reason: string
}

function parseStatusLine(line: string): StatusLine {
  if (!statusLinePattern.test(line)) throw statusLineError(line)
  return {
    line,
    version: line.charAt(7) === '0' ? '1.0' : '1.1',
    status: Number(line.slice(9, 12)),
    reason: line.slice(13),
  }
}

function statusLineError(line: string): ProtocolError {
  return /^HTTP\/\d/.test(line) && !line.startsWith('HTTP/1.')
    ? wireError('ERR_WIRE_VERSION', 'Cannot read a response: it is not HTTP/1')
    : wireError('ERR_WIRE_START_LINE', 'Cannot read a status line: it is malformed')
}
