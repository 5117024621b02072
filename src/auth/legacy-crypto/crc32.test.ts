import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32 as platformCrc32 } from 'node:zlib'

import { assert as check, property, uint8Array } from 'fast-check'

import { crc32 } from './crc32.ts'

test('crc32() gives the check value of the algorithm', () => {
  assert.equal(crc32(new TextEncoder().encode('123456789')), 0xcbf43926)
})

test('crc32() agrees with the platform', () => {
  check(
    property(uint8Array({ maxLength: 2000 }), (bytes) => {
      assert.equal(crc32(bytes), platformCrc32(bytes))
    }),
  )
})
