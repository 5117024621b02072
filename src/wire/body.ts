/** Where a body ends: a small decoder for each kind of framing (the chunked one has its own file). */

import { Fields } from './fields.ts'
import type { Input } from './input.ts'

/** Takes the octets of one body out of what was pushed. */
export interface BodyDecoder {
  /**
   * Uses up what it can.
   *
   * @returns the largest view there is of body octets, never an empty one; `undefined` when there is none, because
   *   the body is whole or because more must be pushed
   * @throws {ProtocolError} when the framing is broken
   */
  next(input: Input): Uint8Array | undefined
  /** Whether the body is whole, once {@link next} has said that there is no more. */
  isWhole(input: Input): boolean
  /** Empty until the body is whole. */
  readonly trailers: Fields
  /** What is missing, for a sentence on a connection that closed too early. */
  readonly shortage: string
}

/** So many octets (RFC 9112 §6.2). One decoder does for one body after another. */
export class LengthBody implements BodyDecoder {
  readonly trailers = Fields.empty
  #length = 0
  #left = 0

  /** Stands before a body of this length. @returns itself */
  begin(length: number): this {
    this.#length = length
    this.#left = length
    return this
  }

  next(input: Input): Uint8Array | undefined {
    const count = Math.min(this.#left, input.left)
    if (count === 0) return undefined
    this.#left -= count
    return input.take(count)
  }

  isWhole(): boolean {
    return this.#left === 0
  }

  get shortage(): string {
    return `${this.#left} of ${this.#length} bytes are missing`
  }
}

/** Everything until the connection ends (RFC 9112 §6.3, item 8). */
export class CloseBody implements BodyDecoder {
  readonly trailers = Fields.empty
  readonly shortage = 'the connection is still open'

  next(input: Input): Uint8Array | undefined {
    return input.left === 0 ? undefined : input.takeAll()
  }

  isWhole(input: Input): boolean {
    return input.hasEnded
  }
}
