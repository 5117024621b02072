import assert from 'node:assert/strict'
import { test } from 'node:test'

import { assert as check, property, uint8Array } from 'fast-check'

import { decodeBase64, encodeBase64 } from './base64.ts'

test('encodeBase64() writes what the platform writes, at any length', () => {
  check(
    property(uint8Array({ maxLength: 20_000, size: 'max' }), (bytes) => {
      assert.equal(encodeBase64(bytes), Buffer.from(bytes).toString('base64'))
    }),
    { numRuns: 50 },
  )
})

test('decodeBase64() undoes encodeBase64(), with and without padding', () => {
  check(
    property(uint8Array({ maxLength: 300 }), (bytes) => {
      const text = encodeBase64(bytes)
      assert.deepEqual(decodeBase64(text), bytes)
      assert.deepEqual(decodeBase64(text.replace(/=+$/, '')), bytes)
    }),
  )
})
