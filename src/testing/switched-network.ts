/** A network that a test switches on. */

import type { NetworkMonitor } from '../engine/ports/network.ts'

/** Remembers who waits for a network. */
export class SwitchedNetwork implements NetworkMonitor {
  readonly #waiting = new Set<() => void>()

  whenBack(back: () => void): Disposable {
    this.#waiting.add(back)
    return { [Symbol.dispose]: () => this.#waiting.delete(back) }
  }

  /** How many wait. */
  get watchers(): number {
    return this.#waiting.size
  }

  /** The network comes up. */
  comeBack(): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const back of waiting) back()
  }
}
