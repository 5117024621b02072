/** The memory that connections read into. */

/** What a connection begins with, and goes back to after a large body. */
export const SMALL_SLAB_BYTES = 64 * 1024

/**
 * While several small bodies are under way: a read brings many of them. With 20 KiB each and the depth of the pipeline,
 * half of this costs 5 % more time, a quarter 20 %, and twice as much saves nothing.
 */
export const PIPELINED_SLAB_BYTES = 256 * 1024

/** While a large body comes in: as much as is worth writing at once. With a quarter of it, files take half as long again. */
export const LARGE_SLAB_BYTES = 1024 * 1024

/** What is kept of slabs that are nobody's, in bytes. */
const KEPT_BYTES = 8 * LARGE_SLAB_BYTES

/** Slabs that are nobody's. A connection takes one and gives it back when nothing reads into it any more. */
export class SlabStore {
  readonly #kept = new Map<number, Uint8Array[]>()
  #keptBytes = 0

  /** @returns memory with whatever was in it before, for the taker alone until it is given back */
  take(bytes: number): Uint8Array {
    const slab = this.#kept.get(bytes)?.pop()
    // Not from Buffer's pool, and not zeroed: pages that nothing is read into take no memory.
    if (slab === undefined) return Buffer.allocUnsafeSlow(bytes)
    this.#keptBytes -= bytes
    return slab
  }

  /** Takes a slab back; what is too much is left to the garbage collector. */
  give(slab: Uint8Array): void {
    if (this.#keptBytes + slab.length > KEPT_BYTES) return
    const kept = this.#kept.get(slab.length)
    if (kept === undefined) this.#kept.set(slab.length, [slab])
    else kept.push(slab)
    this.#keptBytes += slab.length
  }

  /** Lets go of every slab. */
  clear(): void {
    this.#kept.clear()
    this.#keptBytes = 0
  }
}
