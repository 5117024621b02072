import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LONGEST_KEY_FILE, MOST_KEYS, decodeKeys, encodeKeys } from './key-file-format.ts'
import { MasterKey } from './master-key.ts'
import { idsOf, keyBytes, masterKey } from './scratch.suite.ts'

function reasonOf(bytes: Uint8Array): string {
  const decoded = decodeKeys(bytes)
  assert(decoded.kind === 'damaged', decoded.kind)
  return decoded.reason
}

test('decodeKeys() gives the keys that encodeKeys() took, in their order', () => {
  const keys = fc.array(fc.uint8Array({ minLength: 32, maxLength: 32 }), {
    minLength: 1,
    maxLength: MOST_KEYS,
  })
  fc.assert(
    fc.property(keys, (all) => {
      const made = all.map((bytes) => new MasterKey(bytes.slice()))
      const bytes = encodeKeys(made)
      assert(bytes.length <= LONGEST_KEY_FILE)
      const decoded = decodeKeys(bytes)
      bytes.fill(0)
      assert(decoded.kind === 'keys')
      assert.deepEqual(idsOf(decoded.keys), idsOf(made))
      for (const [index, key] of decoded.keys.entries()) {
        key.use((bytes) => assert.deepEqual(bytes, all[index]))
      }
    }),
  )
})

test('encodeKeys() keeps the format of version 1', () => {
  const expected = `4c554c4c4b4559530101${Buffer.from(keyBytes(1)).toString('hex')}`
  const bytes = encodeKeys([masterKey(1)])
  assert.equal(Buffer.from(bytes.subarray(0, -32)).toString('hex'), expected)
  assert.equal(bytes.length, 74)
})

test('decodeKeys() refuses a file of which any byte was changed', () => {
  const bytes = encodeKeys([masterKey(1), masterKey(40)])
  for (const [at, byte] of bytes.entries()) {
    for (const change of [0x01, 0x80, 0xff]) {
      const { kind } = decodeKeys(bytes.with(at, byte ^ change))
      assert.notEqual(kind, 'keys', `byte ${at}`)
    }
  }
})

test('decodeKeys() refuses a file that is longer or shorter than its keys', () => {
  const bytes = encodeKeys([masterKey(1)])
  for (let length = 0; length < bytes.length; length++) {
    assert.match(reasonOf(bytes.subarray(0, length)), /no key file|header|bytes long/)
  }
  assert.equal(reasonOf(bytes.subarray(0, -1)), 'it is 73 bytes long, not 74')
  assert.equal(reasonOf(Uint8Array.of(...bytes, 0)), 'it is 75 bytes long, not 74')
})

test('decodeKeys() tells a newer format from a damaged one', () => {
  const bytes = encodeKeys([masterKey(1)])
  assert.deepEqual(decodeKeys(bytes.with(8, 2)), { kind: 'newer', version: 2 })
  assert.equal(reasonOf(bytes.with(8, 0)), 'its header is damaged')
  for (const count of [0, MOST_KEYS + 1])
    assert.equal(reasonOf(bytes.with(9, count)), 'its header is damaged')
  assert.equal(reasonOf(keyBytes(1)), 'it is no key file')
})
