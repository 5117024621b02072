/** Instants as clients see them: ISO 8601 in UTC, with milliseconds. */

import type { Instant } from '../base/clock.ts'

const MINUTE_MS = 60_000

/** The minute that was written last. The instants of a page lie close together, and a calendar is slow. */
let last = { minute: Number.NaN, text: '' }

/** The same text as `Date.prototype.toISOString()`. @throws {RangeError} when no calendar reaches it */
export function instantText(instant: Instant): string {
  const whole = Math.trunc(instant)
  const minute = Math.floor(whole / MINUTE_MS)
  if (minute !== last.minute) {
    const text = new Date(minute * MINUTE_MS).toISOString().slice(0, -'00.000Z'.length)
    last = { minute, text }
  }
  // With a digit in front none is lost.
  const rest = String(100_000 + whole - minute * MINUTE_MS)
  return `${last.text}${rest.slice(1, 3)}.${rest.slice(3)}Z`
}
