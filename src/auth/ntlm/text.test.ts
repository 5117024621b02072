import assert from 'node:assert/strict'
import { test } from 'node:test'

import { assert as check, property, string, uint8Array } from 'fast-check'

import { joinFlags } from './flags.ts'
import { decodeText, decodeUtf16, encodeText, encodeUtf16, upperCase, utf16OfUtf8 } from './text.ts'
import { hex } from './vectors.suite.ts'

test('decodeUtf16() undoes encodeUtf16(), lone surrogates included', () => {
  check(
    property(string({ unit: 'binary' }), uint8Array({ maxLength: 50 }), (text, bytes) => {
      assert.equal(decodeUtf16(encodeUtf16(text)), text)
      const even = bytes.subarray(0, bytes.length & ~1)
      assert.deepEqual(encodeUtf16(decodeUtf16(even)), new Uint8Array(even))
    }),
  )
})

test('decodeUtf16() refuses an odd number of bytes', () => {
  assert.throws(() => decodeUtf16(new Uint8Array(3)), { code: 'ERR_NTLM_TEXT' })
})

test('utf16OfUtf8() agrees with the platform on all text', () => {
  check(
    property(string({ unit: 'binary' }), (text) => {
      const utf8 = Buffer.from(text, 'utf8')
      assert.deepEqual(utf16OfUtf8(utf8), new Uint8Array(Buffer.from(utf8.toString(), 'utf16le')))
    }),
  )
})

test('utf16OfUtf8() replaces what is not UTF-8, and never runs away', () => {
  check(property(uint8Array({ maxLength: 100 }), (bytes) => utf16OfUtf8(bytes).length % 2 === 0))
  for (const [bytes, text] of [
    ['61ff62', 'a\ufffdb'],
    ['c080', '\ufffd\ufffd'],
    ['eda080', '\ufffd\ufffd\ufffd'],
    ['f0808080', '\ufffd\ufffd\ufffd\ufffd'],
    ['f4908080', '\ufffd\ufffd\ufffd\ufffd'],
    ['e282', '\ufffd\ufffd'],
    ['e282ac', '\u20ac'],
    ['f09d849e', '\u{1d11e}'],
  ] as const) {
    assert.equal(decodeUtf16(utf16OfUtf8(hex(bytes))), text, bytes)
  }
})

test('upperCase() maps unit by unit and keeps what would become longer (A239)', () => {
  for (const [text, upper] of [
    ['user', 'USER'],
    ['\u00fcser', '\u00dcSER'],
    ['stra\u00dfe', 'STRA\u00dfE'],
    ['\u0149', '\u0149'],
    ['\ufb01', '\ufb01'],
    ['\u{10428}', '\u{10428}'],
    ['\u03ac', '\u0386'],
  ] as const) {
    assert.equal(upperCase(text), upper, text)
  }
})

test('encodeText() writes Unicode where it is agreed, and only ASCII as OEM (A238)', () => {
  assert.deepEqual(encodeText('\u00fc', joinFlags('unicode')), hex('fc00'))
  assert.deepEqual(encodeText('u', joinFlags('oem')), hex('75'))
  assert.throws(() => encodeText('\u00fc', joinFlags('oem')), { code: 'ERR_NTLM_OEM_TEXT' })
  assert.equal(decodeText(hex('fc00'), joinFlags('unicode')), '\u00fc')
  assert.equal(decodeText(hex('fc'), joinFlags('oem')), '\u00fc')
})
