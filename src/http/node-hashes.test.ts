import assert from 'node:assert/strict'
import { test } from 'node:test'
import { array, assert as check, nat, oneof, property, string, uint8Array } from 'fast-check'
import { formatHex } from '../auth/hex.ts'
import { encodeOctets } from '../wire/octet.ts'
import { nodeHashes } from './node-hashes.ts'

const octets = uint8Array({ maxLength: 3_000 })
const text = octets.map((bytes) => String.fromCharCode(...bytes))

test('nodeHashes.hex() is what hash() is, of octets and of text alike', () => {
  check(
    property(array(oneof(octets, text, string()), { maxLength: 4 }), (parts) => {
      const bytes = parts.map((part) => (typeof part === 'string' ? encodeOctets(part) : part))
      for (const algorithm of ['md5', 'sha-256', 'sha-512-256'] as const) {
        assert.equal(
          nodeHashes.hex(algorithm, ...parts),
          formatHex(nodeHashes.hash(algorithm, ...bytes)),
        )
      }
    }),
  )
})

test('nodeHashes.hex() leaves its parts as they are', () => {
  const key = encodeOctets('a key')
  nodeHashes.hex('md5', key, 'and text')
  assert.deepEqual(key, encodeOctets('a key'))
})

test('nodeHashes.equal() says whether two codes are the same, of whatever lengths (A432)', () => {
  const code = uint8Array({ maxLength: 40 })
  check(
    property(code, code, nat(), (left, right, at) => {
      assert.equal(nodeHashes.equal(left, right), Buffer.compare(left, right) === 0)
      assert(nodeHashes.equal(left, left.slice()))
      if (left.length === 0) return
      const changed = left.with(at % left.length, (left[at % left.length] ?? 0) ^ 1)
      assert(!nodeHashes.equal(left, changed))
    }),
  )
})
