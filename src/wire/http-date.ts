/** Timestamps in fields: HTTP-date (RFC 9110 §5.6.7). */

import type { Instant } from '../base/clock.ts'

const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const longDays = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

const imfFixdate = /^([A-Z][a-z]{2}), (\d{2}) ([A-Z][a-z]{2}) (\d{4}) (\d{2}:\d{2}:\d{2}) GMT$/
const rfc850Date = /^([A-Z][a-z]{5,8}), (\d{2})-([A-Z][a-z]{2})-(\d{2}) (\d{2}:\d{2}:\d{2}) GMT$/
const asctimeDate = /^([A-Z][a-z]{2}) ([A-Z][a-z]{2}) (\d{2}| \d) (\d{2}:\d{2}:\d{2}) (\d{4})$/

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
  /** `hh:mm:ss`. */
  readonly time: string
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
  const parts = readImfFixdate(value) ?? readAsctimeDate(value)
  if (parts !== undefined) return instantOf(parts)
  const obsolete = now === undefined ? undefined : readRfc850Date(value)
  if (obsolete === undefined || now === undefined) return undefined
  return instantOf({ ...obsolete, year: fourDigitYear(obsolete, now) })
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

function readImfFixdate(value: string): Parts | undefined {
  const [, weekday, day, month, year, time] = imfFixdate.exec(value) ?? []
  return time === undefined ? undefined : partsOf(days, { weekday, day, month, year, time })
}

function readRfc850Date(value: string): Parts | undefined {
  const [, weekday, day, month, year, time] = rfc850Date.exec(value) ?? []
  return time === undefined ? undefined : partsOf(longDays, { weekday, day, month, year, time })
}

function readAsctimeDate(value: string): Parts | undefined {
  const [, weekday, month, day, time, year] = asctimeDate.exec(value) ?? []
  return time === undefined ? undefined : partsOf(days, { weekday, day, month, year, time })
}

function partsOf(
  dayNames: readonly string[],
  text: Readonly<Record<'weekday' | 'day' | 'month' | 'year', string | undefined>> & {
    readonly time: string
  },
): Parts {
  return {
    weekday: dayNames.indexOf(text.weekday ?? ''),
    day: Number(text.day),
    month: months.indexOf(text.month ?? ''),
    year: Number(text.year),
    time: text.time,
  }
}

/** The latest year with these last two digits in which the timestamp is no more than 50 years ahead of `now`. */
function fourDigitYear(parts: Parts, now: Instant): number {
  const limit = new Date(now)
  limit.setUTCFullYear(limit.getUTCFullYear() + YEARS_AHEAD)
  const century = Math.floor(limit.getUTCFullYear() / 100) * 100
  const [hour = 0, minute = 0, second = 0] = parts.time.split(':').map(Number)
  const year = century + parts.year
  const latest = Date.UTC(year, parts.month, parts.day, hour, minute, second)
  return latest > limit.getTime() ? year - 100 : year
}

/** The instant the parts name, when there is one. */
function instantOf({ weekday, day, month, year, time }: Parts): Instant | undefined {
  if (month < 0 || year < FIRST_YEAR) return undefined
  const hour = Number(time.slice(0, 2))
  const minute = Number(time.slice(3, 5))
  const second = Number(time.slice(6, 8))
  const isLeapSecond = hour === 23 && minute === 59 && second === 60
  if (hour > 23 || minute > 59 || (second > 59 && !isLeapSecond)) return undefined
  const date = new Date(Date.UTC(year, month, day))
  // A day past the end of its month has become another day of the next one.
  if (date.getUTCDate() !== day || date.getUTCDay() !== weekday) return undefined
  return Date.UTC(year, month, day, hour, minute, second)
}
