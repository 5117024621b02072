import assert from 'node:assert/strict'
import { test } from 'node:test'

import { assert as check, integer, property, uint8Array } from 'fast-check'

import { decodeBase64 } from './base64.ts'

test('decodeBase64() undoes the platform, with any number of padding characters', () => {
  check(
    property(uint8Array({ maxLength: 200 }), integer({ min: 0, max: 4 }), (bytes, padding) => {
      const body = Buffer.from(bytes).toString('base64').replaceAll('=', '')
      assert.deepEqual(decodeBase64(body + '='.repeat(padding)), bytes)
    }),
  )
})

const refused = [
  ['a', 'six bits make no byte'],
  ['YWJj YWJj', 'a space, RFC 4648 §3.3'],
  ['YWJj\nYWJj', 'a line feed, RFC 4648 §3.1'],
  ['YQ==YQ==', 'padding inside'],
  ['ab-_', 'the alphabet of RFC 4648 §5'],
  ['äbcd', 'not ASCII'],
] as const

for (const [text, reason] of refused) {
  test(`decodeBase64() refuses ${JSON.stringify(text)}: ${reason}`, () => {
    assert.equal(decodeBase64(text), undefined)
  })
}

test('decodeBase64() forgives pad bits that are not zero, RFC 9651 §4.2.7', () => {
  assert.deepEqual(decodeBase64('YR=='), decodeBase64('YQ=='))
})
