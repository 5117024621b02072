import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { httpStatusFailure } from './failure.ts'
import { eased, isTooMuch, pressureOf, tightened } from './restraint.ts'

test('isTooMuch() is 429 and 503, unless the server says when to come again', () => {
  for (const status of [429, 503]) {
    assert(isTooMuch(httpStatusFailure(status, 'Too much')))
    assert(!isTooMuch(httpStatusFailure(status, 'Too much', { retryAfterMs: 1000 })))
  }
  for (const status of [404, 408, 500, 502]) assert(!isTooMuch(httpStatusFailure(status, 'Other')))
})

test('pressureOf() halves connections and doubles the time between requests with every step', () => {
  const steps = [0, 1, 2, 3, 4].map((step) => pressureOf(step, 6))
  assert.deepEqual(
    steps.map(({ connections }) => connections),
    [6, 3, 1, 1, 1],
  )
  assert.deepEqual(
    steps.map(({ spacingMs }) => spacingMs),
    [0, 25, 50, 100, 200],
  )
})

test('tightened() goes on only while something comes before the refusal, and comes to an end', () => {
  assert.deepEqual([tightened(0, false), tightened(0, true)], [1, 1])
  assert.deepEqual([tightened(1, false), tightened(1, true)], [1, 2])
  let step = 0
  for (let refusals = 0; refusals < 100; refusals++) step = tightened(step, true)
  assert.equal(step, tightened(step, true))
  assert(pressureOf(step, 6).spacingMs > 5_000)
})

test('a step holds for a whole minute, and begins anew with every refusal', () => {
  const steps = [59_999, 60_000, 119_999, 120_000].map((elapsedMs) => eased(2, elapsedMs))
  assert.deepEqual(
    steps.map((step) => pressureOf(step, 6)),
    [2, 1, 1, 0].map((step) => pressureOf(step, 6)),
  )
  assert.deepEqual([tightened(1.5, false), tightened(1.5, true)], [2, 3])
})

test('eased() takes a step back every minute, never below none, in however many looks', () => {
  assert.deepEqual([eased(3, 60_000), eased(3, 150_000), eased(1, 1e9)], [2, 0.5, 0])
  const quarters = fc.nat({ max: 80 })
  fc.assert(
    fc.property(fc.nat({ max: 9 }), quarters, quarters, (step, one, two) => {
      assert.equal(
        eased(eased(step, one * 15_000), two * 15_000),
        eased(step, (one + two) * 15_000),
      )
    }),
  )
})
