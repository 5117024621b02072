/** The part of the clock that this room needs. */

import type { Clock } from '../base/clock.ts'

/** Delays and intervals; never the time of day. */
export type SteadyClock = Pick<Clock, 'monotonic' | 'alarm'>

/** This machine's steady clock. Its alarms keep no process alive: what is worth waiting for has a socket that does. */
export const hostClock: SteadyClock = {
  monotonic: () => performance.now(),
  alarm(delayMs, wake) {
    const timer = setTimeout(wake, delayMs)
    timer.unref()
    return { [Symbol.dispose]: () => clearTimeout(timer) }
  },
}
