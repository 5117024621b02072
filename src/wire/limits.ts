/** How much of a peer's words a reader takes before it refuses; each limit has its own error. */

/** The bounds of one reader. All are counts, 0 or more; exceeding one breaks the connection. */
export interface WireLimits {
  /** A request line or status line, with its line end: `ERR_WIRE_START_LINE_TOO_LONG`. */
  readonly maxStartLineBytes: number
  /** One field line, with its line end: `ERR_WIRE_FIELD_TOO_LONG`. */
  readonly maxFieldBytes: number
  /** A whole head, start line to empty line: `ERR_WIRE_HEAD_TOO_LONG`. */
  readonly maxHeadBytes: number
  /** The field lines of one head or one trailer section: `ERR_WIRE_TOO_MANY_FIELDS`. */
  readonly maxFields: number
  /** Interim responses to one request: `ERR_WIRE_TOO_MANY_INTERIM`. */
  readonly maxInterimResponses: number
  /** The digits of one chunk size, with leading zeros: `ERR_WIRE_CHUNK_SIZE_TOO_LONG`. */
  readonly maxChunkSizeDigits: number
  /** The extensions of one chunk: `ERR_WIRE_CHUNK_EXTENSION_TOO_LONG`. */
  readonly maxChunkExtensionBytes: number
  /** A whole trailer section with its empty line: `ERR_WIRE_TRAILERS_TOO_LONG`. */
  readonly maxTrailerBytes: number
}

/**
 * What a reader takes unless it is told otherwise.
 *
 * A start line has to hold the 8000 bytes that RFC 9112 §3 asks for, and one field a Kerberos ticket with many
 * groups in it. The memory a reader may be made to hold is that of one head.
 */
export const defaultWireLimits: WireLimits = {
  maxStartLineBytes: 16 * 1024,
  maxFieldBytes: 48 * 1024,
  maxHeadBytes: 64 * 1024,
  maxFields: 256,
  maxInterimResponses: 16,
  maxChunkSizeDigits: 16,
  maxChunkExtensionBytes: 4 * 1024,
  maxTrailerBytes: 16 * 1024,
}
