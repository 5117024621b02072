import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { FileParams } from '../rpc/contract.ts'
import { jobPortions, portions } from './long-job.ts'

function file(length: number): FileParams {
  return { remoteName: 'r'.repeat(length), localName: '/l', digests: ['d'] }
}

/** How many files each portion of so many has. */
function lengths(count: number): readonly number[] {
  return [...portions(Array.from({ length: count }, () => file(20)))].map((part) => part.length)
}

const MESSAGE_BYTES = 64 * 1024 * 1024

test('portions() leaves nothing out, keeps the order, and fits into messages at their worst', () => {
  const lengths = fc.oneof(fc.constant(1), fc.integer({ min: 0, max: 65_536 }))
  const law = fc.property(fc.array(lengths, { maxLength: 400 }), (sizes) => {
    const files = sizes.map(file)
    const parts = [...portions(files)]
    assert.deepEqual(parts.flat(), files)
    for (const part of parts) {
      assert(part.length > 0)
      // Each character as an escape: a backslash, u and four digits.
      assert(6 * JSON.stringify(part).length < MESSAGE_BYTES)
    }
  })
  fc.assert(law, { numRuns: 30 })
})

test('portions() closes a portion at 10,000 files, and not before', () => {
  assert.deepEqual(lengths(0), [])
  assert.deepEqual(lengths(10_000), [10_000])
  assert.deepEqual(lengths(20_001), [10_000, 10_000, 1])
})

test('jobPortions() leaves a long job alone, and puts short ones together', () => {
  const short = { displayName: 'short', files: [file(20)] }
  const long = { displayName: 'long', files: Array.from({ length: 10_001 }, () => file(1)) }
  const heavy = { displayName: 'heavy', files: Array.from({ length: 100 }, () => file(60_000)) }
  const jobs = [short, short, long, short, heavy, heavy, short]
  assert.deepEqual(
    [...jobPortions(jobs)].map((part) => part.map(({ displayName }) => displayName)),
    [['short', 'short'], ['long'], ['short'], ['heavy'], ['heavy'], ['short']],
  )
})
