import assert from 'node:assert/strict'
import { test } from 'node:test'
import { missing } from './capability.ts'
import { trimMemory } from './memory.ts'
import { systemCalls } from './system.ts'

test('trimMemory() does what the system offers, and says when that is nothing', () => {
  const { trimMemory: call } = systemCalls()
  assert.equal(trimMemory(), call.kind === 'missing' ? 'unsupported' : 'trimmed')
  assert.equal(trimMemory({ ...systemCalls(), trimMemory: missing('none') }), 'unsupported')
})
