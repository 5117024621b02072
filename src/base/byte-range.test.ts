import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { addRange, countBytes, firstGap, missingRanges, type ByteRanges } from './byte-range.ts'

const range = fc
  .tuple(fc.nat(60), fc.nat(12))
  .map(([start, length]) => ({ start, end: start + length }))

function bytesOf(ranges: ByteRanges): ReadonlySet<number> {
  return new Set(
    ranges.flatMap(({ start, end }) => Array.from({ length: end - start }, (_, at) => start + at)),
  )
}

describe('byte ranges', () => {
  test('addRange() holds exactly the bytes that were added, sorted and never touching', () => {
    fc.assert(
      fc.property(fc.array(range, { maxLength: 12 }), (added) => {
        const ranges = added.reduce<ByteRanges>(addRange, [])
        assert.deepEqual(bytesOf(ranges), new Set([...bytesOf(added)].sort((a, b) => a - b)))
        for (const [index, { start, end }] of ranges.entries()) {
          assert(start < end)
          assert(index === 0 || start > (ranges[index - 1]?.end ?? 0))
        }
      }),
    )
  })

  test('missingRanges() and what is there make the whole, without a byte twice', () => {
    fc.assert(
      fc.property(fc.array(range, { maxLength: 12 }), fc.nat(80), (added, size) => {
        const ranges = added.reduce<ByteRanges>(addRange, [])
        const missing = missingRanges(ranges, size)
        const there = [...bytesOf(ranges)].filter((at) => at < size)
        assert.equal(countBytes(missing) + there.length, size)
        for (const at of bytesOf(missing)) assert(!there.includes(at))
      }),
    )
  })

  test('firstGap() is the first byte that is not there', () => {
    assert.equal(firstGap([]), 0)
    assert.equal(firstGap([{ start: 1, end: 2 }]), 0)
    assert.equal(
      firstGap([
        { start: 0, end: 7 },
        { start: 9, end: 10 },
      ]),
      7,
    )
  })
})
