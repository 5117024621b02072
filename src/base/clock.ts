/** Time as the pure rooms see it: a port, because a test turns it by hand. */

/** Milliseconds since 1970-01-01T00:00:00Z on the wall clock; jumps when somebody sets the clock. */
export type Instant = number

/** Milliseconds since an arbitrary start; never jumps, never runs backwards, means nothing after a restart. */
export type Monotonic = number

/** Where time comes from. */
export interface Clock {
  /** The wall clock: for what people read and what outlives the process. */
  now(): Instant
  /** The steady clock: for every delay and every rate. */
  monotonic(): Monotonic
  /**
   * Calls `wake` once, no earlier than `delayMs` steady milliseconds from now.
   *
   * @param delayMs 0 or more; any length, also beyond what the host's own timers reach
   * @returns the alarm; disposing it before it rang means that `wake` is never called
   */
  alarm(delayMs: number, wake: () => void): Disposable
}
