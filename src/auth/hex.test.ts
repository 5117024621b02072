import assert from 'node:assert/strict'
import { test } from 'node:test'
import { equalHex, formatHex } from './hex.ts'

test('formatHex() writes two lower-case digits for each byte', () => {
  assert.equal(formatHex(Uint8Array.of(0, 9, 10, 255)), '00090aff')
})

const rows: readonly (readonly [lower: string, any: string, isEqual: boolean])[] = [
  ['', '', true],
  ['00ff', '00ff', true],
  ['00ff', '00FF', true],
  ['00ff', '00fe', false],
  ['00ff', '10ff', false],
  ['00ff', '00f', false],
  ['00ff', '00ff0', false],
]

test('equalHex() compares all digits, in any case', () => {
  for (const [lower, any, isEqual] of rows) {
    assert.equal(equalHex(lower, any), isEqual, `${lower} ${any}`)
  }
})
