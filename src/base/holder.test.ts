import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatHolder, parseHolder } from './holder.ts'

test('parseHolder() reads what formatHolder() wrote', () => {
  const holders = fc.record(
    { pid: fc.integer({ min: 1, max: 2 ** 31 }), isComing: fc.boolean() },
    { noNullPrototype: true },
  )
  fc.assert(
    fc.property(holders, (holder) => assert.deepEqual(parseHolder(formatHolder(holder)), holder)),
  )
})

test('parseHolder() takes nothing else', () => {
  for (const text of ['', '\n', '0', '-1', 'nobody', '12 going', '12coming', '1e3', '1\n2']) {
    assert.equal(parseHolder(text), undefined, JSON.stringify(text))
  }
})
