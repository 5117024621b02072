/** The bytes that a reader was given and has not used up. */

import { octetAt } from './octet.ts'

const nothing = new Uint8Array()

/**
 * A place in the bytes that were pushed last. Scanners and body decoders share one and move it on.
 *
 * Nothing is copied: `bytes` is the caller's own array.
 */
export class Input {
  /** The last array pushed. */
  bytes: Uint8Array = nothing
  /** The first octet that was not used up; `at <= bytes.length`. */
  at = 0
  /** Whether the peer has closed: nothing follows what is here. */
  hasEnded = false

  /** How many octets are left. */
  get left(): number {
    return this.bytes.length - this.at
  }

  /** Takes over the next array; nothing of the last one may be left. */
  give(bytes: Uint8Array): void {
    this.bytes = bytes
    this.at = 0
  }

  /** Uses up one octet; there must be one. */
  takeOctet(): number {
    const octet = octetAt(this.bytes, this.at)
    this.at++
    return octet
  }

  /** Uses up `count` octets, at most what is left. @returns a view of them */
  take(count: number): Uint8Array {
    const { bytes, at } = this
    this.at = at + count
    if (count === bytes.length) return bytes
    return new Uint8Array(bytes.buffer, bytes.byteOffset + at, count)
  }

  /** Uses up all that is left. @returns a view of it */
  takeAll(): Uint8Array {
    return this.take(this.left)
  }

  /** Lets go of an array that is used up, so that an idle connection keeps no slab alive. */
  release(): void {
    if (this.left === 0) this.give(nothing)
  }
}
