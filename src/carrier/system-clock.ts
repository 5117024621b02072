/** The clock of this machine. */

import type { Clock } from '../base/clock.ts'

/** The longest delay a host timer takes; longer alarms are set again when it rings. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** Real time; alarms keep the process alive no longer than its other work does. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  alarm(delayMs, wake) {
    const at = performance.now() + delayMs
    let timer: NodeJS.Timeout
    const set = (): void => {
      const leftMs = Math.max(0, at - performance.now())
      timer = setTimeout(
        () => (performance.now() < at ? set() : wake()),
        Math.min(Math.ceil(leftMs), LONGEST_TIMER_MS),
      )
    }
    set()
    return { [Symbol.dispose]: () => clearTimeout(timer) }
  },
}
