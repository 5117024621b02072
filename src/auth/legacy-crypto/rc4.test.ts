import assert from 'node:assert/strict'
import { test } from 'node:test'

import { assert as check, property, uint8Array } from 'fast-check'

import { formatHex } from '../hex.ts'
import { Rc4, rc4 } from './rc4.ts'

const text = new TextEncoder()

test('rc4() gives the well-known cipher texts', () => {
  // V21.
  for (const [key, plain, cipher] of [
    ['Key', 'Plaintext', 'bbf316e8d940af0ad3'],
    ['Wiki', 'pedia', '1021bf0420'],
    ['Secret', 'Attack at dawn', '45a01f645fc35b383552544b9bf5'],
  ] as const) {
    assert.equal(formatHex(rc4(text.encode(key), text.encode(plain))), cipher, key)
  }
})

test('rc4() gives the key streams of RFC 6229', () => {
  for (const [key, stream] of [
    ['0102030405', 'b2396305f03dc027ccc3524a0a1118a8'],
    ['01020304050607', '293f02d47f37c9b633f2af5285feb46b'],
    ['0102030405060708090a0b0c0d0e0f10', '9ac7cc9a609d1ef7b2932899cde41b97'],
  ] as const) {
    assert.equal(formatHex(rc4(Buffer.from(key, 'hex'), new Uint8Array(16))), stream, key)
  }
})

test('Rc4 gives the same stream however the message is cut', () => {
  check(
    property(
      uint8Array({ minLength: 1, maxLength: 256 }),
      uint8Array({ maxLength: 600 }),
      uint8Array({ maxLength: 600 }),
      (key, first, second) => {
        const whole = rc4(key, new Uint8Array([...first, ...second]))
        const stream = new Rc4(key)
        assert.deepEqual(new Uint8Array([...stream.apply(first), ...stream.apply(second)]), whole)
      },
    ),
  )
})

test('Rc4 keeps nothing of its key once it is wiped', () => {
  const stream = new Rc4(text.encode('Key'))
  stream.wipe()
  assert.deepEqual(stream.apply(text.encode('Plaintext')), text.encode('Plaintext'))
})
