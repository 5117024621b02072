/** How fast something moves, smoothed so that a person can read it. */

/** The time over which older samples lose their weight. */
const SMOOTHING_MS = 4_000

/** Estimates a rate from samples of a growing count. */
export class Rate {
  #bytes: number | undefined
  #at = 0
  #perSecond = 0

  /** Takes a sample: `bytes` in all at `now` on a steady clock. A smaller count begins anew. */
  sample(bytes: number, now: number): void {
    if (this.#bytes === undefined || bytes < this.#bytes) {
      this.#bytes = bytes
      this.#at = now
      return
    }
    const elapsedMs = now - this.#at
    if (elapsedMs <= 0) return
    const current = ((bytes - this.#bytes) * 1000) / elapsedMs
    const weight = this.#perSecond === 0 ? 1 : 1 - Math.exp(-elapsedMs / SMOOTHING_MS)
    this.#perSecond += (current - this.#perSecond) * weight
    this.#bytes = bytes
    this.#at = now
  }

  /** Forgets: nothing moves. */
  rest(): void {
    this.#bytes = undefined
    this.#perSecond = 0
  }

  /** Bytes per second. */
  get perSecond(): number {
    return this.#perSecond
  }
}
