import assert from 'node:assert/strict'
import { test } from 'node:test'

import { excerpt } from './excerpt.ts'

test('excerpt() quotes a short value and escapes its control characters', () => {
  assert.equal(excerpt('a"b\r\nc'), String.raw`"a\"b\r\nc"`)
})

test('excerpt() says how much of a long value it leaves out', () => {
  assert.equal(excerpt('x'.repeat(100)), `"${'x'.repeat(80)}" and 20 characters more`)
})
