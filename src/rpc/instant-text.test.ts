import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { instantText } from './instant-text.ts'

test('instantText() writes what the calendar writes, in any order of instants', () => {
  const near = fc.integer({ min: -120_000, max: 120_000 }).map((ms) => 1_700_000_000_000 + ms)
  const any = fc.date({ noInvalidDate: true }).map(Number)
  const fraction = fc.double({ min: -1e12, max: 1e13, noNaN: true })
  fc.assert(
    fc.property(fc.oneof(near, any, fraction), (instant) =>
      assert.equal(instantText(instant), new Date(instant).toISOString()),
    ),
  )
})

test('instantText() refuses what is no instant, and is not confused by it', () => {
  for (const instant of [Number.NaN, Infinity, 8.64e15 + 60_000]) {
    assert.throws(() => instantText(instant), RangeError)
  }
  assert.equal(instantText(0), '1970-01-01T00:00:00.000Z')
})
