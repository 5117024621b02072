/** The one base class of every error of our own. */

/** A condition that a caller can act on. `code` is API; the message is for people and may change. */
export class LullError extends Error {
  /** Stable, `ERR_AREA_REASON`. */
  readonly code: string

  constructor(code: string, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.name = new.target.name
    this.code = code
  }
}

/** The other side broke the protocol: remote misbehaviour, never ours. */
export class ProtocolError extends LullError {}

/** Our side asked for what the protocol does not allow: local misuse. */
export class MisuseError extends LullError {}

/** An invariant of our own: states it in a sentence and throws when it does not hold. */
export function assert(condition: unknown, sentence: string): asserts condition {
  if (!condition) throw new Error(`Broken invariant: ${sentence}`)
}
