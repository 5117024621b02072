/** The one copy the codec makes: the beginning of a section whose end is not there yet. */

const smallest = 1024
/** What is kept between sections; a larger one was for an unusual head, and an idle connection should be light. */
const largestKept = 4096

/** Octets put together from several pieces. Each is copied once, and on average once more when room is made. */
export class Carry {
  #bytes = new Uint8Array(0)
  #length = 0

  /** Copies a piece to the end. */
  add(piece: Uint8Array): void {
    const length = this.#length + piece.length
    if (length > this.#bytes.length) {
      const roomier = new Uint8Array(Math.max(smallest, length, 2 * this.#bytes.length))
      roomier.set(this.#bytes.subarray(0, this.#length))
      this.#bytes = roomier
    }
    this.#bytes.set(piece, this.#length)
    this.#length = length
  }

  /**
   * Adds the last piece, and begins anew.
   *
   * @returns all the pieces in one array, `last` itself if it is the only one; valid until the next call
   */
  complete(last: Uint8Array): Uint8Array {
    if (this.#length === 0) return last
    this.add(last)
    const whole = this.#bytes.subarray(0, this.#length)
    this.#length = 0
    if (this.#bytes.length > largestKept) this.#bytes = new Uint8Array(0)
    return whole
  }
}
