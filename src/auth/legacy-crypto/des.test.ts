import assert from 'node:assert/strict'
import { createCipheriv } from 'node:crypto'
import { test } from 'node:test'

import { assert as check, property, uint8Array } from 'fast-check'

import { formatHex } from '../hex.ts'
import { encryptDesBlock, expandDesKey } from './des.ts'

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'))

/** Triple DES with one key three times is single DES, which the platform does not offer by itself (A430). */
function platformDes(key: Uint8Array, block: Uint8Array): string {
  const cipher = createCipheriv('des-ede3', Buffer.concat([key, key, key]), null)
  cipher.setAutoPadding(false)
  return Buffer.concat([cipher.update(block), cipher.final()]).toString('hex')
}

test('encryptDesBlock() agrees with the platform', () => {
  const eight = uint8Array({ minLength: 8, maxLength: 8 })
  check(
    property(eight, eight, (key, block) => {
      assert.equal(formatHex(encryptDesBlock(key, block)), platformDes(key, block))
    }),
  )
})

test('encryptDesBlock() gives published cipher texts', () => {
  for (const [key, block, cipher, source] of [
    ['133457799bbcdff1', '0123456789abcdef', '85e813540f0ab405', 'the worked example of 1992'],
    ['0101010101010101', '8000000000000000', '95f8a5e5dd31d900', 'SP 800-17, variable plain text'],
    ['8001010101010101', '0000000000000000', '95a8d72813daa94d', 'SP 800-17, variable key'],
    ['7ca110454a1a6e57', '01a1d6d039776742', '690f5b0d9a26939b', 'SP 800-17, substitution tables'],
  ] as const) {
    assert.equal(formatHex(encryptDesBlock(hex(key), hex(block))), cipher, source)
  }
})

test('encryptDesBlock() refuses keys and blocks of other lengths', () => {
  assert.throws(() => encryptDesBlock(new Uint8Array(7), new Uint8Array(8)), RangeError)
  assert.throws(() => encryptDesBlock(new Uint8Array(8), new Uint8Array(9)), RangeError)
})

test('expandDesKey() spreads seven bytes with odd parity', () => {
  // V22.
  for (const [seven, eight] of [
    ['50415353574f52', '5120546b34ba3da4'],
    ['44000000000000', '4501010101010101'],
    ['a4f49c406510bd', 'a47a26890729437a'],
    ['cab6824ee7c30f', 'cb5ba149ef3e0d1f'],
    ['d8520000000000', 'd929800101010101'],
  ] as const) {
    assert.equal(formatHex(expandDesKey(hex(seven))), eight, seven)
  }
  assert.throws(() => expandDesKey(new Uint8Array(8)), RangeError)
})
