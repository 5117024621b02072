/** The errors of the codec: what a peer may do wrong, and what our own side may. */

import { MisuseError, ProtocolError } from '../base/error.ts'

/** What a peer did wrong. The connection is of no use any more: where its next message begins is unknown. */
export type WireErrorCode =
  /** The first bytes are no HTTP/1 at all. */
  | 'ERR_WIRE_NOT_HTTP'
  /** HTTP, and not version 1. */
  | 'ERR_WIRE_VERSION'
  | 'ERR_WIRE_START_LINE'
  | 'ERR_WIRE_FIELD_NAME'
  | 'ERR_WIRE_FIELD_VALUE'
  /** A line that continues the one before (RFC 9112 §5.2). */
  | 'ERR_WIRE_OBS_FOLD'
  /** A CR without its LF, or an LF alone where that is not forgiven. */
  | 'ERR_WIRE_LINE_END'
  /** No Host, more than one, or not a host (RFC 9112 §3.2). */
  | 'ERR_WIRE_HOST'
  | 'ERR_WIRE_CONTENT_LENGTH'
  | 'ERR_WIRE_TRANSFER_ENCODING'
  /** Transfer-Encoding and Content-Length in one message. */
  | 'ERR_WIRE_FRAMING_CONFLICT'
  | 'ERR_WIRE_CHUNK'
  /** The connection closed inside a head. */
  | 'ERR_WIRE_SHORT_HEAD'
  /** The connection closed inside a body. */
  | 'ERR_WIRE_SHORT_BODY'
  /** Bytes from a server that owes no response. */
  | 'ERR_WIRE_UNSOLICITED'
  | WireLimitCode

/** Which limit was exceeded. */
export type WireLimitCode =
  | 'ERR_WIRE_START_LINE_TOO_LONG'
  | 'ERR_WIRE_FIELD_TOO_LONG'
  | 'ERR_WIRE_HEAD_TOO_LONG'
  | 'ERR_WIRE_TOO_MANY_FIELDS'
  | 'ERR_WIRE_TOO_MANY_INTERIM'
  | 'ERR_WIRE_CHUNK_SIZE_TOO_LONG'
  | 'ERR_WIRE_CHUNK_EXTENSION_TOO_LONG'
  | 'ERR_WIRE_TRAILERS_TOO_LONG'

/** What our own side did wrong, in the order of a reader's calls or in a message it wants sent. */
export type WireMisuseCode =
  /** Bytes pushed before the events of the last ones were taken. */
  | 'ERR_WIRE_NOT_DRAINED'
  /** A call that comes after the peer has closed. */
  | 'ERR_WIRE_ENDED'
  /** A call that comes after the connection has switched to another protocol. */
  | 'ERR_WIRE_SWITCHED'
  /** The rest of the connection asked for in the midst of a message. */
  | 'ERR_WIRE_WITHIN_MESSAGE'
  | 'ERR_WIRE_METHOD'
  | 'ERR_WIRE_TARGET'
  | 'ERR_WIRE_STATUS'
  | 'ERR_WIRE_REASON'
  | 'ERR_WIRE_FIELD_NAME'
  | 'ERR_WIRE_FIELD_VALUE'
  | 'ERR_WIRE_CHUNK'

/** A peer's fault. @param message never holds a value that was on the wire: it may be a secret */
export function wireError(code: WireErrorCode, message: string): ProtocolError {
  return new ProtocolError(code, message)
}

/** Our own fault. @param message never holds a value that was to be sent: it may be a secret */
export function wireMisuse(code: WireMisuseCode, message: string): MisuseError {
  return new MisuseError(code, message)
}
