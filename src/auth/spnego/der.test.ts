import assert from 'node:assert/strict'
import { test } from 'node:test'

import { array, assert as check, bigInt, integer, property } from 'fast-check'

import { formatHex } from '../hex.ts'
import { fuzz } from '../ntlm/fuzz.suite.ts'
import { hex } from '../ntlm/vectors.suite.ts'
import { decodeOid, DerReader, derTags, encodeDer, encodeOid } from './der.ts'
import { mechanismIds } from './mechanism-ids.ts'
import { certificates, v45, v46, v67, v68 } from './vectors.suite.ts'

test('encodeOid() gives the encodings of V40, and decodeOid() undoes it (A280)', () => {
  for (const [name, encoded] of [
    ['spnego', '06062b0601050502'],
    ['kerberos', '06092a864886f712010202'],
    ['microsoftKerberos', '06092a864882f712010202'],
    ['kerberosUserToUser', '060a2a864886f71201020203'],
    ['ntlm', '060a2b06010401823702020a'],
    ['negoEx', '060a2b06010401823702021e'],
  ] as const) {
    assert.equal(formatHex(encodeOid(mechanismIds[name])), encoded, name)
    assert.equal(decodeOid(hex(encoded).subarray(2)), mechanismIds[name], name)
  }
})

test('decodeOid() undoes encodeOid() for arcs of any size', () => {
  check(
    property(
      integer({ min: 0, max: 2 }),
      integer({ min: 0, max: 39 }),
      array(bigInt({ min: 0n, max: 1n << 64n }), { maxLength: 4 }),
      (first, second, others) => {
        const dotted = [first, second, ...others].join('.')
        assert.equal(decodeOid(new DerReader(encodeOid(dotted)).content(derTags.oid)), dotted)
      },
    ),
  )
})

test('encodeDer() writes the shortest length, and DerReader reads it back', () => {
  for (const [length, header] of [
    [0, '0400'],
    [0x7f, '047f'],
    [0x80, '048180'],
    [0xff, '0481ff'],
    [0x100, '04820100'],
    [0x1_0000, '0483010000'],
  ] as const) {
    const encoded = encodeDer(derTags.octetString, new Uint8Array(length))
    assert.equal(formatHex(encoded.subarray(0, header.length / 2)), header)
    assert.equal(new DerReader(encoded).content(derTags.octetString).length, length)
  }
})

test('DerReader takes the long forms of BER (A281)', () => {
  for (const encoded of ['0401aa', '048101aa', '04820001aa', '048400000001aa']) {
    const reader = new DerReader(hex(encoded))
    assert.equal(formatHex(reader.content(derTags.octetString)), 'aa', encoded)
    assert.ok(reader.atEnd)
  }
})

test('DerReader refuses what is not well formed, each with its own code', () => {
  for (const [why, encoded, code] of [
    ['nothing', '', 'ERR_DER_TAG'],
    ['another tag', '0500', 'ERR_DER_TAG'],
    ['cut off', '0402aa', 'ERR_DER_TRUNCATED'],
    ['a length that is cut off', '0482ff', 'ERR_DER_TRUNCATED'],
    ['four gigabytes', '0484ffffffffaa', 'ERR_DER_TRUNCATED'],
    ['an indefinite length', '0480aa0000', 'ERR_DER_LENGTH'],
    ['a length of five octets', '0485000000000100', 'ERR_DER_LENGTH'],
  ] as const) {
    const reader = new DerReader(hex(encoded))
    assert.throws(() => reader.content(derTags.octetString), { code }, why)
  }
  assert.throws(() => new DerReader(hex('1f010000')).content(0x1f), { code: 'ERR_DER_TAG' })
})

test('DerReader goes only so deep', () => {
  let nested: Uint8Array = hex('3000')
  for (let depth = 0; depth < 40; depth++) nested = encodeDer(derTags.sequence, nested)
  assert.throws(
    () => {
      let reader = new DerReader(nested)
      for (;;) reader = reader.enter(derTags.sequence)
    },
    { code: 'ERR_DER_DEPTH' },
  )
})

test('decodeOid() refuses what is no identifier', () => {
  for (const content of ['', '80', '2a86', '2a'.repeat(65)]) {
    assert.throws(() => decodeOid(hex(content)), { code: 'ERR_DER_OID' }, content)
  }
})

/** Reads every element of a structure, by its tags alone. */
function walk(reader: DerReader): number {
  let elements = 0
  for (let tag = reader.nextTag; tag !== undefined; tag = reader.nextTag) {
    elements++
    if ((tag & 0x20) === 0) reader.content(tag)
    else elements += walk(reader.enter(tag))
  }
  return elements
}

test('DerReader reads real tokens, Kerberos messages and certificates to their ends', () => {
  for (const [name, bytes, elements] of [
    ['V67, AS-REQ', v67, 49],
    ['V68, KRB-ERROR', v68, 24],
  ] as const) {
    assert.equal(walk(new DerReader(bytes)), elements, name)
  }
  for (const { certificate } of Object.values(certificates)) {
    assert.ok(walk(new DerReader(certificate)) > 20)
  }
})

test('no walk over damaged structures fails in another way than by refusing', () => {
  fuzz((bytes) => walk(new DerReader(bytes)), [v45, v46, v67, v68])
})
