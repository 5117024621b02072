/** Bytes that nobody prints: passwords, tokens, keys derived from them. */

import { assert } from '../base/error.ts'

const placeholder = '[secret]'

/**
 * Holds secret bytes until they are wiped.
 *
 * A string cannot be wiped, so a secret is bytes from the moment it arrives until it is used (A163). Text, JSON and
 * inspection of a secret all say `[secret]`; the bytes are reachable through {@link use} only.
 */
export class Secret implements Disposable {
  #bytes: Uint8Array
  #wiped = false

  /** @param bytes owned by the secret from here on; wiped with it */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** Makes a secret of text, as UTF-8. The text itself stays in memory until the collector takes it. */
  static fromText(text: string): Secret {
    return new Secret(new TextEncoder().encode(text))
  }

  /** How many bytes there are; 0 is a blank password, which is legal (A15). */
  get length(): number {
    return this.#bytes.length
  }

  /** Whether the bytes are gone. */
  get isWiped(): boolean {
    return this.#wiped
  }

  /**
   * Lends the bytes to `work`, which must neither keep nor change them; what it derives is as secret as they are.
   *
   * @throws {Error} when the secret was wiped: using it later is a mistake of ours
   */
  use<Result>(work: (bytes: Uint8Array) => Result): Result {
    assert(!this.#wiped, 'a secret is not used after it was wiped')
    return work(this.#bytes)
  }

  /** A second secret with the same bytes, wiped separately. */
  copy(): Secret {
    return this.use((bytes) => new Secret(bytes.slice()))
  }

  /** Whether both hold the same bytes; takes the same time wherever they differ. */
  equals(other: Secret): boolean {
    return this.use((mine) => other.use((theirs) => equalBytes(mine, theirs)))
  }

  /** Overwrites the bytes with zeros. May be called twice. */
  wipe(): void {
    this.#bytes.fill(0)
    this.#bytes = new Uint8Array(0)
    this.#wiped = true
  }

  [Symbol.dispose](): void {
    this.wipe()
  }

  toString(): string {
    return placeholder
  }

  toJSON(): string {
    return placeholder
  }

  /** What Node's `util.inspect` shows. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return placeholder
  }
}

/** Compares without stopping at the first difference; only the length can be told from the time it takes. */
function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false
  let difference = 0
  for (const [index, byte] of left.entries()) difference |= byte ^ (right[index] ?? 0)
  return difference === 0
}
