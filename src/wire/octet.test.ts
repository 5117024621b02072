import assert from 'node:assert/strict'
import { test } from 'node:test'

import { decodeOctets, encodeOctets } from './octet.ts'

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

test('encodeOctets() is the inverse of decodeOctets()', () => {
  assert.deepEqual(encodeOctets(decodeOctets(all)), all)
})
