/** Timestamps in fields: HTTP-date (RFC 9110 §5.6.7). */

import type { Instant } from '../base/clock.ts'
import { DIGIT_0 } from './octet.ts'

const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const longDays = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

const imfFixdate = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/
const rfc850Date = /^[A-Z][a-z]{5,8}, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT$/
const asctimeDate = /^[A-Z][a-z]{2} [A-Z][a-z]{2} (?:\d{2}| \d) \d{2}:\d{2}:\d{2} \d{4}$/

const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** The day of the week, counted from Sunday, on which 1970 began. */
const THURSDAY = 4

/** The first year that RFC 5322 §3.3 knows, whose meanings HTTP-date takes over. */
const FIRST_YEAR = 1900

/** How far ahead a two-digit year may lie before it means the past. */
const YEARS_AHEAD = 50

/** The parts of a timestamp; `weekday` and `month` count from 0 and are -1 for a name that is none. */
interface Parts {
  readonly weekday: number
  readonly day: number
  readonly month: number
  /** Four digits, or two in the obsolete RFC 850 form. */
  readonly year: number
  /** Milliseconds since midnight; NaN when there is no such time. */
  readonly timeMs: number
}

/**
 * Reads an HTTP-date in any of its three forms, to the letter: case, spaces, ranges, and a day name that is the day's.
 * A leap second (23:59:60) is the second after it.
 *
 * @param now the wall clock, which the two-digit year of the RFC 850 form is measured against; without it that form is
 *   not understood
 * @returns milliseconds since 1970; `undefined` when it is no such date or lies before 1900
 */
export function parseHttpDate(value: string, now?: Instant): Instant | undefined {
  const instant = readImfFixdate(value) ?? readAsctimeDate(value)
  return instant === undefined && now !== undefined ? readRfc850Date(value, now) : instant
}

/**
 * Writes an HTTP-date in the one form a sender may use, IMF-fixdate; what is less than a second is cut off.
 *
 * @param instant from 1900 to 9999
 * @throws {RangeError} outside of these years
 */
export function formatHttpDate(instant: Instant): string {
  const date = new Date(instant)
  const year = date.getUTCFullYear()
  if (!(year >= FIRST_YEAR && year <= 9999)) {
    throw new RangeError(`Cannot write an HTTP-date outside of the years 1900 to 9999: ${instant}`)
  }
  return date.toUTCString()
}

function readImfFixdate(value: string): Instant | undefined {
  if (!imfFixdate.test(value)) return undefined
  return instantOf({
    weekday: nameAt(days, value, 0),
    day: numberAt(value, 5, 2),
    month: nameAt(months, value, 8),
    year: numberAt(value, 12, 4),
    timeMs: timeAt(value, 17),
  })
}

function readRfc850Date(value: string, now: Instant): Instant | undefined {
  if (!rfc850Date.test(value)) return undefined
  const comma = value.indexOf(',')
  const parts: Parts = {
    weekday: longDays.indexOf(value.slice(0, comma)),
    day: numberAt(value, comma + 2, 2),
    month: nameAt(months, value, comma + 5),
    year: numberAt(value, comma + 9, 2),
    timeMs: timeAt(value, comma + 12),
  }
  return instantOf({ ...parts, year: fourDigitYear(parts, now) })
}

function readAsctimeDate(value: string): Instant | undefined {
  if (!asctimeDate.test(value)) return undefined
  return instantOf({
    weekday: nameAt(days, value, 0),
    day: value.charAt(8) === ' ' ? numberAt(value, 9, 1) : numberAt(value, 8, 2),
    month: nameAt(months, value, 4),
    year: numberAt(value, 20, 4),
    timeMs: timeAt(value, 11),
  })
}

/** Which of these names stands at a place; -1 when none does. */
function nameAt(names: readonly string[], value: string, at: number): number {
  for (let index = 0; index < names.length; index++) {
    if (value.startsWith(names[index] ?? '', at)) return index
  }
  return -1
}

/** The number that so many digits make; it is known that they are digits. */
function numberAt(value: string, at: number, length: number): number {
  let number = 0
  for (let place = at; place < at + length; place++) {
    number = number * 10 + value.charCodeAt(place) - DIGIT_0
  }
  return number
}

/** The time that stands as `hh:mm:ss` at a place. */
function timeAt(value: string, at: number): number {
  const hour = numberAt(value, at, 2)
  const minute = numberAt(value, at + 3, 2)
  const second = numberAt(value, at + 6, 2)
  const isLeapSecond = hour === 23 && minute === 59 && second === 60
  if (hour > 23 || minute > 59 || (second > 59 && !isLeapSecond)) return Number.NaN
  return hour * HOUR_MS + minute * MINUTE_MS + second * SECOND_MS
}

/** The latest year with these last two digits in which the timestamp is no more than 50 years ahead of `now`. */
function fourDigitYear({ year, month, day, timeMs }: Parts, now: Instant): number {
  const limit = new Date(now)
  limit.setUTCFullYear(limit.getUTCFullYear() + YEARS_AHEAD)
  const century = Math.floor(limit.getUTCFullYear() / 100) * 100
  const latest = Date.UTC(century + year, month, day) + timeMs
  return latest > limit.getTime() ? century + year - 100 : century + year
}

/** The instant the parts name, when there is one. */
function instantOf({ weekday, day, month, year, timeMs }: Parts): Instant | undefined {
  if (month < 0 || year < FIRST_YEAR || Number.isNaN(timeMs)) return undefined
  const midnight = Date.UTC(year, month, day)
  if (day < 1 || midnight >= Date.UTC(year, month + 1)) return undefined
  return weekdayOf(midnight) === weekday ? midnight + timeMs : undefined
}

/** The day of the week, counted from Sunday. @param midnight that it begins with, also before 1970 */
function weekdayOf(midnight: Instant): number {
  return (((midnight / DAY_MS + THURSDAY) % 7) + 7) % 7
}
