/** Randomness that is the same every time. */

import type { Random } from '../base/random.ts'

/** A generator with a small state (xorshift32); good enough for jitter and ids of tests, for nothing else. */
export class SeededRandom implements Random {
  #state: number

  /** @param seed any number but 0 */
  constructor(seed = 1) {
    this.#state = seed >>> 0 || 1
  }

  fraction(): number {
    return this.#next() / 2 ** 32
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.#next() & 0xff)
  }

  #next(): number {
    let state = this.#state
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    this.#state = state >>> 0
    return this.#state
  }
}
