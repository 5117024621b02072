/** A clock that is turned by hand. */

import type { Clock, Instant, Monotonic } from '../base/clock.ts'

interface Alarm {
  readonly at: Monotonic
  readonly wake: () => void
}

/** Time stands still until {@link TurnedClock.turn}. */
export class TurnedClock implements Clock {
  #now: Instant
  #monotonic: Monotonic = 0
  readonly #alarms = new Set<Alarm>()

  constructor(now: Instant = Date.UTC(2030, 0, 1)) {
    this.#now = now
  }

  now(): Instant {
    return this.#now
  }

  monotonic(): Monotonic {
    return this.#monotonic
  }

  alarm(delayMs: number, wake: () => void): Disposable {
    const alarm = { at: this.#monotonic + delayMs, wake }
    this.#alarms.add(alarm)
    return { [Symbol.dispose]: () => this.#alarms.delete(alarm) }
  }

  /** How many alarms are set. */
  get alarms(): number {
    return this.#alarms.size
  }

  /** Lets both clocks run by `ms`, ringing every alarm that falls due, in order, at its time. */
  turn(ms: number): void {
    const end = this.#monotonic + ms
    for (;;) {
      const next = [...this.#alarms].sort((a, b) => a.at - b.at)[0]
      if (next === undefined || next.at > end) break
      this.#advance(Math.max(0, next.at - this.#monotonic))
      this.#alarms.delete(next)
      next.wake()
    }
    this.#advance(end - this.#monotonic)
  }

  /** Sets the wall clock, as a person or a time server does; the steady clock does not move. */
  set(now: Instant): void {
    this.#now = now
  }

  #advance(ms: number): void {
    this.#monotonic += ms
    this.#now += ms
  }
}
