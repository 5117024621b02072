/**
 * The room `wire`: HTTP/1.1 as bytes and events, both roles. It knows no socket, no timer and no promise: bytes are
 * pushed into a reader and events are pulled out of it; messages to send are formatted into bytes.
 *
 * Terms (RFC 9110, RFC 9112):
 *
 * - *head*: the start line and the field section of a message, up to and with its empty line.
 * - *start line*: the request line of a request, the status line of a response.
 * - *field*: one name and one value. *Trailers*: the fields after a chunked body.
 * - *framing*: how the end of a body is known: there is no body, a length, chunks, or the end of the connection.
 * - *interim* response: a 1xx before the final response; 101 is final, because nothing of HTTP follows it.
 * - *message boundary*: the place between two messages of a connection, the only one where it may close cleanly.
 * - *unsolicited*: bytes from a server that owes no response.
 * - *switched*: a connection that speaks another protocol from here on (101, or a CONNECT that succeeded).
 */

import type { Fields } from './fields.ts'

/** The versions this codec tells apart; a higher minor version is read as 1.1 (RFC 9110 §2.5). */
export type HttpVersion = '1.0' | '1.1'

/** How the end of a request body is known; `length` counts bytes, 0 to 2^53 − 1. */
export type RequestFraming =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly length: number }
  | { readonly kind: 'chunked' }

/** How the end of a response body is known; `close` is up to the end of the connection. */
export type ResponseFraming = RequestFraming | { readonly kind: 'close' }

/** The head of a final response. */
export interface ResponseHead {
  readonly version: HttpVersion
  /** 101, or 200 to 999; what is past 599 is the server's own. */
  readonly status: number
  /** As sent, ISO-8859-1; often empty. */
  readonly reason: string
  readonly fields: Fields
  readonly framing: ResponseFraming
  /** Whether the connection may carry another request after this response (RFC 9112 §9.3). */
  readonly keepAlive: boolean
}

/** The head of a request. */
export interface RequestHead {
  /** A token, as sent: methods are case-sensitive. */
  readonly method: string
  /** Visible ASCII, one character or more, in whatever form it was sent. */
  readonly target: string
  readonly version: HttpVersion
  readonly fields: Fields
  readonly framing: RequestFraming
  /** Whether the client means to send another request on this connection (RFC 9112 §9.3). */
  readonly keepAlive: boolean
  /** Whether the client holds its body back until it has seen 100 or a final status (RFC 9110 §10.1.1). */
  readonly expectContinue: boolean
}

/** A part of a body, never empty: a view of the bytes that were pushed, valid until their owner reuses them. */
export interface BodyEvent {
  readonly kind: 'body'
  readonly bytes: Uint8Array
}

/** The message is whole. */
export interface EndEvent {
  readonly kind: 'end'
  /** Empty unless the body was chunked. Never part of the head's fields (RFC 9110 §6.5.1). */
  readonly trailers: Fields
}

/** The peer closed the connection at a message boundary; nothing comes after this event. */
export interface ClosedEvent {
  readonly kind: 'closed'
}

/** A 1xx response other than 101; the final response is still to come. */
export interface InterimEvent {
  readonly kind: 'interim'
  readonly status: number
  readonly fields: Fields
}

/** What a client reads: for each request any number of `interim`, then `head`, any number of `body`, and `end`. */
export type ResponseEvent =
  | InterimEvent
  | { readonly kind: 'head'; readonly head: ResponseHead }
  | BodyEvent
  | EndEvent
  | ClosedEvent

/** What a server reads: for each request `head`, any number of `body`, and `end`. */
export type RequestEvent =
  | { readonly kind: 'head'; readonly head: RequestHead }
  | BodyEvent
  | EndEvent
  | ClosedEvent
