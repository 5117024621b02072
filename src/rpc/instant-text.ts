/** Instants as clients see them: ISO 8601 in UTC, with milliseconds. */

import type { Instant } from '../base/clock.ts'

const MINUTE_MS = 60_000

/** What was written last. The instants of a page lie close together, often on each other, and a calendar is slow. */
let last = { instant: Number.NaN, text: '' }
let lastMinute = { minute: Number.NaN, text: '' }

/** The same text as `Date.prototype.toISOString()`. @throws {RangeError} when no calendar reaches it */
export function instantText(instant: Instant): string {
  if (instant !== last.instant) last = { instant, text: format(instant) }
  return last.text
}

function format(instant: Instant): string {
  const whole = Math.trunc(instant)
  const minute = Math.floor(whole / MINUTE_MS)
  if (minute !== lastMinute.minute) {
    const text = new Date(minute * MINUTE_MS).toISOString().slice(0, -'00.000Z'.length)
    lastMinute = { minute, text }
  }
  // With a digit in front none is lost.
  const rest = String(100_000 + whole - minute * MINUTE_MS)
  return `${lastMinute.text}${rest.slice(1, 3)}.${rest.slice(3)}Z`
}
