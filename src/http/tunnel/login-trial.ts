/** What a proxy makes of a name and a password that it is told on every connection anew. */

/**
 * Tries a login on one connection until it was taken, and nowhere any more once it was refused: a wrong password is one
 * failed logon, however many connections there are (A133, A135).
 */
export class LoginTrial {
  #outcome: 'unknown' | 'taken' | 'refused' = 'unknown'
  /** Settles when the connection that tries has its answer, or has none. */
  #going: Promise<void> | undefined
  #warn: (() => void) | undefined

  /** @param warn is called before the first login: everybody on the way can read it (A183) */
  constructor(warn?: () => void) {
    this.#warn = warn
  }

  /**
   * Tells the proxy who is asking, unless that is known to be in vain.
   *
   * @param tell resolves with whether it was taken
   * @returns whether it was taken
   * @throws whatever `tell` does: then nothing is known
   */
  async make(tell: () => Promise<boolean>): Promise<boolean> {
    while (this.#outcome === 'unknown' && this.#going !== undefined) await this.#going
    if (this.#outcome === 'refused') return false
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#going = promise
    this.#warn?.()
    this.#warn = undefined
    try {
      const isTaken = await tell()
      this.#outcome = isTaken ? 'taken' : 'refused'
      return isTaken
    } finally {
      this.#going = undefined
      resolve()
    }
  }
}
