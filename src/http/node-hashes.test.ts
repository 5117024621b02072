import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { nodeHashes } from './node-hashes.ts'

test('nodeHashes.equal() says whether two codes are the same, of whatever lengths (A432)', () => {
  const code = fc.uint8Array({ maxLength: 40 })
  fc.assert(
    fc.property(code, code, fc.nat(), (left, right, at) => {
      const isSame = Buffer.compare(left, right) === 0
      assert.equal(nodeHashes.equal(left, right), isSame)
      assert(nodeHashes.equal(left, left.slice()))
      if (left.length === 0) return
      const changed = left.with(at % left.length, (left[at % left.length] ?? 0) ^ 1)
      assert(!nodeHashes.equal(left, changed))
    }),
  )
})
