import assert from 'node:assert/strict'
import { test } from 'node:test'
import { goOnWith } from './eventually.ts'

test('goOnWith() goes on at once with what is there', () => {
  assert.equal(
    goOnWith(1, (value) => value + 1),
    2,
  )
})

test('goOnWith() goes on later with what is promised', async () => {
  const later = goOnWith(Promise.resolve(1), (value) => value + 1)
  assert.ok(later instanceof Promise)
  assert.equal(await later, 2)
})

function fail(): never {
  throw new RangeError('no')
}

test('goOnWith() throws at once, and later rejects', async () => {
  assert.throws(() => goOnWith(1, fail), RangeError)
  await assert.rejects(async () => goOnWith(Promise.resolve(1), fail), RangeError)
})
