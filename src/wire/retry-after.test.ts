import assert from 'node:assert/strict'
import { test } from 'node:test'

import { assert as check, integer, property, string } from 'fast-check'

import { formatHttpDate } from './http-date.ts'
import { LONGEST_RETRY_AFTER_MS, parseRetryAfter } from './retry-after.ts'

const now = Date.UTC(1999, 11, 31, 23, 59, 0)

const cases = [
  ['120', 120_000, 'RFC 9110 §10.2.3, second example'],
  ['Fri, 31 Dec 1999 23:59:59 GMT', 59_000, 'RFC 9110 §10.2.3, first example'],
  ['Friday, 31-Dec-99 23:59:59 GMT', 59_000, 'the obsolete form'],
  ['0', 0, 'at once'],
  ['000', 0, 'leading zeros'],
  ['Fri, 31 Dec 1999 23:58:00 GMT', 0, 'a date that has passed'],
  ['2592000', LONGEST_RETRY_AFTER_MS, 'thirty days'],
  ['2592001', LONGEST_RETRY_AFTER_MS, 'a second more'],
  ['9'.repeat(400), LONGEST_RETRY_AFTER_MS, 'more than any number holds'],
  ['Fri, 31 Dec 9999 23:59:59 GMT', LONGEST_RETRY_AFTER_MS, 'the last date there is'],
  [undefined, undefined, 'no field'],
  ['', undefined, 'an empty field'],
  ['-1', undefined, 'a sign'],
  ['+1', undefined, 'a sign'],
  ['1.5', undefined, 'a fraction'],
  ['1e3', undefined, 'an exponent'],
  ['120s', undefined, 'a unit'],
  ['120, 60', undefined, 'two values'],
  ['soon', undefined, 'words'],
] as const

for (const [value, delayMs, reason] of cases) {
  test(`parseRetryAfter() reads ${value?.slice(0, 40)} as ${delayMs}: ${reason}`, () => {
    assert.equal(parseRetryAfter(value, now), delayMs)
  })
}

test('parseRetryAfter() reads a date as the time until then', () => {
  check(
    property(integer({ min: 0, max: LONGEST_RETRY_AFTER_MS / 1000 }), (seconds) => {
      assert.equal(parseRetryAfter(formatHttpDate(now + seconds * 1000), now), seconds * 1000)
      assert.equal(parseRetryAfter(String(seconds), now), seconds * 1000)
    }),
  )
})

test('parseRetryAfter() never leaves its limits, whatever it is given', () => {
  check(
    property(string(), (value) => {
      const delayMs = parseRetryAfter(value, now) ?? 0
      assert.ok(delayMs >= 0 && delayMs <= LONGEST_RETRY_AFTER_MS)
    }),
  )
})
