import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { MisuseError } from '../base/error.ts'
import type { Field } from './fields.ts'
import { Fields } from './fields.ts'
import { decodeOctets } from './octet.ts'
import { formatChunk, formatLastChunk, formatRequest, formatResponse } from './write.ts'

test('formatRequest() writes the request line and the fields in their order (RFC 9112 §3, §5)', () => {
  const head = formatRequest({
    method: 'BITS_POST',
    target: 'no/slash?x',
    fields: [
      ['Host', 'a'],
      ['X-B', 'caf\xe9'],
      ['x-a', ''],
    ],
  })
  assert.equal(
    decodeOctets(head),
    'BITS_POST no/slash?x HTTP/1.1\r\nHost: a\r\nX-B: caf\xe9\r\nx-a: \r\n\r\n',
  )
})

test('formatResponse() writes the space also without a reason (RFC 9112 §4)', () => {
  const head = formatResponse({ status: 204, fields: new Fields([['A', 'b']]) })
  assert.equal(decodeOctets(head), 'HTTP/1.1 204 \r\nA: b\r\n\r\n')
})

test('formatResponse() writes a reason past ASCII as one octet a character', () => {
  const head = formatResponse({ status: 200, reason: 'tr\xe8s bien', fields: [] })
  assert.equal(decodeOctets(head), 'HTTP/1.1 200 tr\xe8s bien\r\n\r\n')
})

test('formatChunk() frames a chunk without copying it (RFC 9112 §7.1)', () => {
  const bytes = new Uint8Array(26)
  const [line, data, lineEnd] = formatChunk(bytes)
  assert.equal(decodeOctets(line), '1a\r\n')
  assert.equal(data, bytes)
  assert.equal(decodeOctets(lineEnd), '\r\n')
})

test('formatChunk() refuses an empty chunk, which would end the body', () => {
  assert.throws(() => formatChunk(new Uint8Array()), isMisuse('CHUNK'))
})

test('formatLastChunk() ends a body, with trailers or without (RFC 9112 §7.1.2)', () => {
  assert.equal(decodeOctets(formatLastChunk()), '0\r\n\r\n')
  assert.equal(decodeOctets(formatLastChunk([['A', 'b']])), '0\r\nA: b\r\n\r\n')
})

suite('formatRequest() refuses', () => {
  const rows: readonly (readonly [what: string, method: string, target: string, code: string])[] = [
    ['an empty method', '', '/', 'METHOD'],
    ['a method with a blank', 'GET /x', '/', 'METHOD'],
    ['a method with a line end', 'GET\r\n', '/', 'METHOD'],
    ['an empty target', 'GET', '', 'TARGET'],
    ['a target with a blank', 'GET', '/ HTTP/1.1', 'TARGET'],
    ['a target with a line end', 'GET', '/\r\nA:b', 'TARGET'],
    ['a target that ends with LF', 'GET', '/\n', 'TARGET'],
    ['a target past ASCII', 'GET', '/\xe9', 'TARGET'],
  ]
  for (const [what, method, target, reason] of rows) {
    test(what, () => {
      assert.throws(() => formatRequest({ method, target, fields: [] }), isMisuse(reason))
    })
  }
})

suite('formatRequest(), formatResponse() and formatLastChunk() refuse a field', () => {
  const rows: readonly (readonly [what: string, field: Field, code: string])[] = [
    ['without a name', ['', 'b'], 'FIELD_NAME'],
    ['whose name holds a colon', ['A: x', 'b'], 'FIELD_NAME'],
    ['whose name holds a blank', ['A ', 'b'], 'FIELD_NAME'],
    ['whose name holds a line end', ['A\r\nB', 'b'], 'FIELD_NAME'],
    ['whose name ends with LF', ['A\n', 'b'], 'FIELD_NAME'],
    ['whose name is past ASCII', ['\xc4', 'b'], 'FIELD_NAME'],
    ['whose value holds CRLF', ['A', 'b\r\nC: d'], 'FIELD_VALUE'],
    ['whose value holds CR', ['A', 'b\rC'], 'FIELD_VALUE'],
    ['whose value ends with LF', ['A', 'b\n'], 'FIELD_VALUE'],
    ['whose value holds NUL', ['A', 'b\0'], 'FIELD_VALUE'],
    ['whose value holds DEL', ['A', 'b\x7f'], 'FIELD_VALUE'],
    ['whose value is past one octet', ['A', '\u010d\u010a'], 'FIELD_VALUE'],
    ['whose value holds a character of two units', ['A', '\u{1f4a3}'], 'FIELD_VALUE'],
  ]
  for (const [what, field, reason] of rows) {
    test(what, () => {
      const fields = [['Host', 'a'] as const, field]
      const formats = [
        () => formatRequest({ method: 'GET', target: '/', fields }),
        () => formatResponse({ status: 200, fields }),
        () => formatLastChunk(fields),
      ]
      for (const format of formats) assert.throws(format, isMisuse(reason))
    })
  }

  test('and name it, but never its value', () => {
    const fields: Field[] = [['Authorization', 'Basic secret\n']]
    assert.throws(
      () => formatRequest({ method: 'GET', target: '/', fields }),
      ({ message }: Error) => message === 'Cannot send Authorization: character U+000A at 12',
    )
  })
})

suite('formatResponse() refuses', () => {
  for (const status of [99, 1000, 200.5, Number.NaN]) {
    test(`the status ${status}`, () => {
      assert.throws(() => formatResponse({ status, fields: [] }), isMisuse('STATUS'))
    })
  }

  for (const reason of ['OK\r\nA: b', 'OK\n', '\u2713']) {
    test(`the reason ${JSON.stringify(reason)}`, () => {
      assert.throws(() => formatResponse({ status: 200, reason, fields: [] }), isMisuse('REASON'))
    })
  }
})

function isMisuse(reason: string) {
  return (error: unknown) => error instanceof MisuseError && error.code === `ERR_WIRE_${reason}`
}
