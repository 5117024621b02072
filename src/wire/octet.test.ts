import assert from 'node:assert/strict'
import { test } from 'node:test'

import { cutText, decodeOctets, encodeOctets, isWord, trimBlanks } from './octet.ts'

const all = Uint8Array.from({ length: 256 }, (_, octet) => octet)

test('decodeOctets() makes of every octet the character of its number, unlike windows-1252', () => {
  const text = decodeOctets(all)
  assert.deepEqual(
    Array.from(text, (character) => character.charCodeAt(0)),
    Array.from(all),
  )
})

test('decodeOctets() keeps a byte order mark as three characters', () => {
  assert.equal(decodeOctets(Uint8Array.of(0xef, 0xbb, 0xbf, 0x41)), '\xef\xbb\xbfA')
})

test('decodeOctets() does not read UTF-8', () => {
  assert.equal(decodeOctets(Uint8Array.of(0xc3, 0xa9)), '\xc3\xa9')
})

test('decodeOctets() takes no octet that is not UTF-8 for another one', () => {
  for (const octet of all.subarray(0x80)) {
    assert.equal(decodeOctets(Uint8Array.of(0x41, octet)), `A${String.fromCharCode(octet)}`)
  }
  assert.equal(decodeOctets(Uint8Array.of(0xe2, 0x82, 0x41)), '\xe2\x82A')
})

test('encodeOctets() is the inverse of decodeOctets()', () => {
  assert.deepEqual(encodeOctets(decodeOctets(all)), all)
})

test('isWord() compares without case, and no more than the letters of ASCII have one', () => {
  assert.equal(isWord('x-ETag:', 2, 6, 'eTAG'), true)
  assert.equal(isWord('x-ETag:', 2, 7, 'etag'), false)
  assert.equal(isWord('etaG', 0, 4, 'etah'), false)
  // Each of these differs from the other as an upper-case letter does from its lower-case one.
  for (const [a = '', b = ''] of ['@`', '[{', '^~', '\xc4\xe4'])
    assert.equal(isWord(a, 0, 1, b), false)
})

test('trimBlanks() takes off SP and HTAB, and no other white space', () => {
  assert.equal(trimBlanks(':\t a b \t;', 1, 8), 'a b')
  assert.equal(trimBlanks(' \t ', 0, 3), '')
  assert.equal(trimBlanks('\xa0a\v', 0, 3), '\xa0a\v')
})

test('cutText() cuts the same out of a short and of a long text', () => {
  const whole = decodeOctets(all)
  assert.equal(cutText(whole, 100, 200), whole.slice(100, 200))
  assert.equal(cutText(whole + 'x'.repeat(5000), 100, 200), whole.slice(100, 200))
})
