import assert from 'node:assert/strict'
import { test } from 'node:test'

import { assert as check, integer, property, string } from 'fast-check'

import { formatHttpDate, parseHttpDate } from './http-date.ts'

/** The instant of the examples of RFC 9110 §5.6.7. */
const example = Date.UTC(1994, 10, 6, 8, 49, 37)
const now = Date.UTC(2026, 0, 1)

const examples = [
  ['Sun, 06 Nov 1994 08:49:37 GMT', 'IMF-fixdate'],
  ['Sunday, 06-Nov-94 08:49:37 GMT', 'obsolete RFC 850 format'],
  ['Sun Nov  6 08:49:37 1994', "ANSI C's asctime() format"],
] as const

for (const [value, form] of examples) {
  test(`parseHttpDate() reads the example of RFC 9110 §5.6.7 in ${form}`, () => {
    assert.equal(parseHttpDate(value, now), example)
  })
}

const readable = [
  ['Sat, 31 Dec 2016 23:59:60 GMT', Date.UTC(2017, 0, 1), 'a leap second'],
  ['Thu, 29 Feb 2024 00:00:00 GMT', Date.UTC(2024, 1, 29), 'a leap day'],
  ['Mon, 01 Jan 1900 00:00:00 GMT', Date.UTC(1900, 0, 1), 'the first year of RFC 5322'],
  ['Fri, 31 Dec 9999 23:59:59 GMT', Date.UTC(9999, 11, 31, 23, 59, 59), 'the last second'],
  ['Sun Nov 13 08:49:37 1994', Date.UTC(1994, 10, 13, 8, 49, 37), 'asctime with two digits'],
] as const

for (const [value, instant, reason] of readable) {
  test(`parseHttpDate() reads ${value}: ${reason}`, () => {
    assert.equal(parseHttpDate(value), instant)
  })
}

const refused = [
  ['', 'nothing'],
  ['0', 'a number'],
  ['Sun, 06 Nov 1994 08:49:37', 'no zone'],
  ['Sun, 06 Nov 1994 08:49:37 UTC', 'another zone'],
  ['Sun, 06 Nov 1994 08:49:37 +0000', 'a zone of RFC 5322'],
  ['sun, 06 nov 1994 08:49:37 gmt', 'case counts'],
  ['Sun, 6 Nov 1994 08:49:37 GMT', 'a day of one digit'],
  ['Sun,  06 Nov 1994 08:49:37 GMT', 'two spaces'],
  [' Sun, 06 Nov 1994 08:49:37 GMT', 'a space in front'],
  ['Sun, 06 Nov 1994 08:49:37 GMT;', 'something behind'],
  ['Mon, 06 Nov 1994 08:49:37 GMT', 'it was a Sunday'],
  ['Xyz, 06 Nov 1994 08:49:37 GMT', 'no day'],
  ['Sun, 06 Xyz 1994 08:49:37 GMT', 'no month'],
  ['Sun, 00 Nov 1994 08:49:37 GMT', 'day 0'],
  ['Thu, 31 Nov 1994 08:49:37 GMT', 'November has 30 days'],
  ['Wed, 29 Feb 2023 00:00:00 GMT', 'no leap year'],
  ['Thu, 29 Feb 1900 00:00:00 GMT', 'no leap year either'],
  ['Sun, 06 Nov 1994 24:00:00 GMT', 'hour 24'],
  ['Sun, 06 Nov 1994 08:60:37 GMT', 'minute 60'],
  ['Sun, 06 Nov 1994 08:49:60 GMT', 'a leap second that is not at midnight'],
  ['Sat, 31 Dec 2016 23:59:61 GMT', 'second 61'],
  ['Mon, 01 Jan 0001 00:00:00 GMT', 'before 1900'],
  ['Sun Nov 6 08:49:37 1994', 'asctime pads the day'],
  ['Sun Nov  6 08:49:37 94', 'asctime has four digits'],
  ['Sun, 06-Nov-94 08:49:37 GMT', 'a short day name in the RFC 850 form'],
  ['Sunday, 06-Nov-1994 08:49:37 GMT', 'four digits in the RFC 850 form'],
  ['1994-11-06T08:49:37Z', 'ISO 8601'],
] as const

for (const [value, reason] of refused) {
  test(`parseHttpDate() refuses ${JSON.stringify(value)}: ${reason}`, () => {
    assert.equal(parseHttpDate(value, now), undefined)
  })
}

const twoDigitYears = [
  [2024, 'Monday, 01-Jan-74 00:00:00 GMT', 2074, 'exactly 50 years ahead'],
  [2024, 'Wednesday, 01-Jan-75 00:00:00 GMT', 1975, 'more than 50 years ahead'],
  [2024, 'Saturday, 01-Jan-00 00:00:00 GMT', 2000, 'this century'],
  [2024, 'Friday, 01-Jan-99 00:00:00 GMT', 1999, 'the last century'],
  [2090, 'Thursday, 01-Jan-05 00:00:00 GMT', 2105, 'the next century'],
  [1994, 'Thursday, 01-Jan-70 00:00:00 GMT', 1970, 'the same century'],
] as const

for (const [thisYear, value, year, reason] of twoDigitYears) {
  test(`parseHttpDate() takes ${value} in ${thisYear} for ${year}: ${reason}`, () => {
    assert.equal(parseHttpDate(value, Date.UTC(thisYear, 0, 1)), Date.UTC(year, 0, 1))
  })
}

test('parseHttpDate() takes a second more than 50 years ahead for the past', () => {
  const almost = Date.UTC(2024, 5, 1) - 1000
  assert.equal(parseHttpDate('Friday, 01-Jun-74 00:00:00 GMT', almost), undefined)
  assert.equal(parseHttpDate('Saturday, 01-Jun-74 00:00:00 GMT', almost), Date.UTC(1974, 5, 1))
})

test('parseHttpDate() does not understand two-digit years when it is not told the time', () => {
  assert.equal(parseHttpDate('Sunday, 06-Nov-94 08:49:37 GMT'), undefined)
})

const seconds = integer({ min: Date.UTC(1900, 0, 1) / 1000, max: Date.UTC(9999, 11, 31) / 1000 })

test('parseHttpDate() undoes formatHttpDate(), to the second', () => {
  check(
    property(seconds, integer({ min: 0, max: 999 }), (second, ms) => {
      assert.equal(parseHttpDate(formatHttpDate(second * 1000 + ms)), second * 1000)
    }),
  )
})

test('parseHttpDate() reads an obsolete form as it reads the preferred one', () => {
  check(
    property(seconds, (second) => {
      const [day, date = '', month, year, time] = formatHttpDate(second * 1000).split(/,? /)
      const asctime = `${day} ${month} ${date.replace(/^0/, ' ')} ${time} ${year}`
      assert.equal(parseHttpDate(asctime), second * 1000)
    }),
  )
})

test('parseHttpDate() agrees with the platform wherever it reads anything', () => {
  check(
    property(string({ unit: 'binary-ascii', maxLength: 40 }), seconds, (noise, second) => {
      const text = formatHttpDate(second * 1000)
      const at = noise.length % text.length
      const damaged = text.slice(0, at) + noise.slice(0, 1) + text.slice(at + 1)
      const read = parseHttpDate(damaged)
      // The platform knows no leap second.
      if (damaged.includes(':60 ')) return
      if (read !== undefined) assert.equal(read, Date.parse(damaged))
    }),
    { numRuns: 2000 },
  )
})

test('formatHttpDate() writes the example of RFC 9110 §5.6.7', () => {
  assert.equal(formatHttpDate(example), 'Sun, 06 Nov 1994 08:49:37 GMT')
})

test('formatHttpDate() refuses what no HTTP-date can say', () => {
  for (const instant of [Number.NaN, Infinity, Date.UTC(1899, 11, 31), Date.UTC(10_000, 0, 1)]) {
    assert.throws(() => formatHttpDate(instant), RangeError)
  }
})
