/** The server's reader: bytes of a client in, requests out. */

import type { Fields } from './fields.ts'
import { expectsContinue, keepsAlive, requestFraming } from './framing.ts'
import { defaultWireLimits, type WireLimits } from './limits.ts'
import { MessageReader } from './message-reader.ts'
import type { HttpVersion, RequestEvent, RequestHead } from './wire.ts'
import { wireError } from './wire-error.ts'

/** What is read from a head on; the rest is the same in both roles. */
type HeadEvent = { readonly kind: 'head'; readonly head: RequestHead }

/**
 * Reads the requests of one connection; used like {@link ResponseReader}, without its `expect`.
 *
 * Any token is a method (`BITS_POST`), and any visible ASCII a target, also without a leading slash. Body bytes are
 * never copied: a `body` event is a view of the pushed array.
 *
 * Stricter than a client's reader, because what a request means must not depend on who reads it (RFC 9112 §11.2):
 * lines end with CRLF and with nothing else, and Host is there exactly once (§3.2). One empty line before a request
 * line is skipped (§2.2). What comes after a request that was to be the last one is thrown away (§9.6).
 *
 * A client may send requests without waiting. `next()` goes on to the next one only when it is called, so a server
 * that answers one at a time calls it again when it has; it must leave the pushed array alone until then.
 *
 * An error is for ever: every call after it throws the same one. A server may answer it with 400 and close.
 */
export class RequestReader {
  readonly #messages: MessageReader<HeadEvent>

  constructor({ limits = {} }: { readonly limits?: Partial<WireLimits> } = {}) {
    this.#messages = new MessageReader<HeadEvent>(
      {
        prefix: '',
        forgivesBareLf: false,
        mayEndBlank: true,
        admit: (isSealed) => !isSealed,
        open: (requestLine, fields) => this.#open(requestLine, fields),
        close: () => {},
      },
      { ...defaultWireLimits, ...limits },
    )
  }

  /** Whether no request is being read, nothing is left to read, and the connection is open. */
  get isIdle(): boolean {
    return this.#messages.isAtBoundary
  }

  /** Whether the connection was handed over by {@link takeRest}. */
  get isSwitched(): boolean {
    return this.#messages.isSwitched
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

  /** Tells that the client has closed its side, not that the connection broke. May be called twice. */
  end(): void {
    this.#messages.end()
  }

  /**
   * The next event; `undefined` when there is none before more is pushed. `closed` comes once, after {@link end}.
   *
   * @throws {ProtocolError} any `WireErrorCode`
   */
  next(): RequestEvent | undefined {
    return this.#messages.next()
  }

  /**
   * Hands over the connection once the `end` of a request was seen that asks for another protocol (Upgrade, CONNECT).
   *
   * @returns a view of the bytes that were pushed and belong to the other protocol; often none
   * @throws {MisuseError} `ERR_WIRE_WITHIN_MESSAGE` when a request is being read or no more may come
   */
  takeRest(): Uint8Array {
    return this.#messages.takeRest()
  }

  #open(requestLine: string, fields: Fields): HeadEvent {
    const { method, target, version } = parseRequestLine(requestLine)
    checkHost(version, fields)
    const framing = requestFraming(version, fields)
    const keepAlive = keepsAlive(version, fields)
    const expectContinue = expectsContinue(version, framing, fields)
    this.#messages.begin(framing, keepAlive ? 'boundary' : 'sealed')
    return {
      kind: 'head',
      head: { method, target, version, fields, framing, keepAlive, expectContinue },
    }
  }
}

/** A token, SP, visible ASCII, SP, HTTP/1 version (RFC 9112 §3). */
const requestLinePattern = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([\x21-\x7e]+) HTTP\/1\.(\d)$/

function parseRequestLine(line: string): {
  readonly method: string
  readonly target: string
  readonly version: HttpVersion
} {
  const match = requestLinePattern.exec(line)
  if (match === null) throw requestLineError(line)
  const [, method = '', target = '', minor] = match
  return { method, target, version: minor === '0' ? '1.0' : '1.1' }
}

function requestLineError(line: string) {
  const version = / HTTP\/(\d)\.\d$/.exec(line)?.[1]
  if (version === undefined) {
    return wireError('ERR_WIRE_NOT_HTTP', 'Cannot read a request: its first line names no version')
  }
  return version === '1'
    ? wireError('ERR_WIRE_START_LINE', 'Cannot read a request line: it is malformed')
    : wireError('ERR_WIRE_VERSION', 'Cannot read a request: it is not HTTP/1')
}

/** A name, an IPv4 address or an IP literal, and perhaps a port; or nothing (RFC 9112 §3.2, RFC 3986 §3.2.2). */
const hostPattern = /^(?:\[[0-9A-Za-z:.%\-_~]+\]|[A-Za-z0-9\-._~%!$&'()*+,;=]*)(?::\d*)?$/

function checkHost(version: HttpVersion, fields: Fields): void {
  const hosts = fields.all('host')
  if (hosts.length > 1) throw wireError('ERR_WIRE_HOST', 'Cannot read a request: it has two Hosts')
  const [host] = hosts
  if (host === undefined) {
    if (version === '1.0') return
    throw wireError('ERR_WIRE_HOST', 'Cannot read a request: it has no Host')
  }
  if (!hostPattern.test(host)) {
    throw wireError('ERR_WIRE_HOST', 'Cannot read a request: its Host is malformed')
  }
}
