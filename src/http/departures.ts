/** Who leaves when a signal aborts. */

import type { Leg } from './leg.ts'

/**
 * One listener for each signal, however many thousands of legs come and go with it.
 *
 * An event target keeps its listeners in a chain, and what was removed from it keeps what came after alive until the
 * next full garbage collection.
 */
export class Departures {
  readonly #parties = new WeakMap<AbortSignal, Leg[]>()

  /** Has `leg` leave when its signal aborts, unless it is settled before. */
  add(leg: Leg): void {
    const { signal } = leg.parts
    const known = this.#parties.get(signal)
    const legs = known ?? []
    leg.departure = legs.push(leg) - 1
    leg.tellSettled(this.#settled)
    if (known !== undefined) return
    this.#parties.set(signal, legs)
    signal.addEventListener('abort', () => {
      for (const leg of legs.splice(0)) leg.leave(signal.reason)
    })
  }

  readonly #settled = (leg: Leg): void => {
    const legs = this.#parties.get(leg.parts.signal)
    const last = legs?.at(-1)
    if (legs === undefined || last === undefined || legs[leg.departure] !== leg) return
    // The last one takes its place: order does not matter here.
    legs[leg.departure] = last
    last.departure = leg.departure
    legs.pop()
  }
}
