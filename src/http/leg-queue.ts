/** Legs that wait, first come, first served. */

import type { Leg } from './leg.ts'

/** Places that were served are cut off when there are more than these, and as many as are waiting. */
const SERVED_PLACES = 256

/**
 * A queue out of which legs also vanish: those that are settled meanwhile are passed over.
 *
 * An array and a place in it. Deleting from a `Set` in the order of insertion looks simpler, but the engine's hash
 * tables point from each to the one that replaced it, and one that has grown old keeps all later ones, with everything
 * that ever waited, alive until the next full garbage collection.
 */
export class LegQueue {
  #legs: Leg[] = []
  #served = 0

  /** The leg that is next, if any waits. */
  get next(): Leg | undefined {
    for (;;) {
      const leg = this.#legs[this.#served]
      if (leg === undefined || !leg.isSettled) return leg
      this.shift()
    }
  }

  push(leg: Leg): void {
    this.#legs.push(leg)
  }

  /** Takes out the leg that is next. */
  shift(): void {
    this.#served++
    const isEmpty = this.#served >= this.#legs.length
    if (isEmpty) this.#legs = []
    else if (this.#served > SERVED_PLACES && this.#served * 2 > this.#legs.length) {
      this.#legs = this.#legs.slice(this.#served)
    } else return
    this.#served = 0
  }

  /** Takes out every leg. */
  clear(): readonly Leg[] {
    const legs = this.#legs.slice(this.#served).filter(({ isSettled }) => !isSettled)
    this.#legs = []
    this.#served = 0
    return legs
  }
}
