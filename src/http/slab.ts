/** The memory that connections read into. */

/**
 * What a connection begins with, and goes back to: heads, and bodies of which several fit.
 *
 * Measured: see {@link LARGE_SLAB_BYTES}.
 */
export const SMALL_SLAB_BYTES = 64 * 1024

/** While several small bodies are under way: a read brings many of them. */
export const PIPELINED_SLAB_BYTES = 256 * 1024

/** While a large body comes in: as much as is worth writing at once. */
export const LARGE_SLAB_BYTES = 1024 * 1024

/** Large slabs that are kept for the next large body. */
const KEPT_LARGE_SLABS = 6

/** Slabs that are nobody's. A connection takes one and gives it back when nothing reads into it any more. */
export class SlabStore {
  #large: Uint8Array[] = []

  /** @returns memory with whatever was in it before, for the taker alone until it is given back */
  take(bytes: number): Uint8Array {
    const kept = bytes === LARGE_SLAB_BYTES ? this.#large.pop() : undefined
    // Not from Buffer's pool, and not zeroed: pages that nothing is read into take no memory.
    return kept ?? Buffer.allocUnsafeSlow(bytes)
  }

  /** Small slabs are left to the garbage collector. */
  give(slab: Uint8Array): void {
    if (slab.length === LARGE_SLAB_BYTES && this.#large.length < KEPT_LARGE_SLABS) {
      this.#large.push(slab)
    }
  }

  /** Lets go of every slab. */
  clear(): void {
    this.#large = []
  }
}
