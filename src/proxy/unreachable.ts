/** Proxies that could not be reached: they are asked last for a while (N75). */

import type { Clock, Monotonic } from '../base/clock.ts'
import { describeProxy, type Hop, type Proxy, type Route } from '../job/route.ts'

/** For how long; Chromium's five minutes. */
export const ASKED_LAST_FOR_MS = 5 * 60_000

/** The memory of one carrier, shared by all its jobs: a proxy that is away is away for everybody. */
export class UnreachableProxies {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #until = new Map<string, Monotonic>()

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock
  }

  /** A proxy could not be reached just now. */
  add(proxy: Proxy): void {
    this.#until.set(describeProxy(proxy), this.#clock.monotonic() + ASKED_LAST_FOR_MS)
  }

  /** Whether a proxy is asked last now. */
  has(hop: Hop): boolean {
    if (hop === 'direct' || this.#until.size === 0) return false
    const key = describeProxy(hop)
    const until = this.#until.get(key)
    if (until === undefined) return false
    if (until > this.#clock.monotonic()) return true
    this.#until.delete(key)
    return false
  }

  /** The same ways, those that are worth trying first in front; none is left out. */
  order(route: Route): Route {
    if (this.#until.size === 0 || route.length === 1) return route
    const isAway = route.map((hop) => this.has(hop))
    const [first = 'direct', ...others] = [
      ...route.filter((_, index) => isAway[index] !== true),
      ...route.filter((_, index) => isAway[index] === true),
    ]
    return [first, ...others]
  }

  /** Forgets them all: on another network they may be there. */
  forget(): void {
    this.#until.clear()
  }
}
