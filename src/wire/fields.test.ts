import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Fields } from './fields.ts'

const fields = new Fields([
  ['Via', '1.1 a'],
  ['ETag', '"x"'],
  ['VIA', '1.0 b'],
  ['X-Empty', ''],
])

test('Fields.get() finds a name in any case', () => {
  assert.equal(fields.get('etag'), '"x"')
  assert.equal(fields.get('ETAG'), '"x"')
})

test('Fields.get() joins the lines of one name with a comma and a space (RFC 9110 §5.3)', () => {
  assert.equal(fields.get('via'), '1.1 a, 1.0 b')
})

test('Fields.get() tells an empty value from a missing field', () => {
  assert.equal(fields.get('x-empty'), '')
  assert.equal(fields.get('x-full'), undefined)
})

test('Fields.all() keeps the lines of one name apart', () => {
  assert.deepEqual(fields.all('Via'), ['1.1 a', '1.0 b'])
  assert.deepEqual(fields.all('vary'), [])
})

test('Fields.has() is true of an empty field', () => {
  assert.equal(fields.has('X-EMPTY'), true)
  assert.equal(fields.has('x'), false)
})

test('Fields iterates in wire order with the names as sent', () => {
  const lines = [
    ['Via', '1.1 a'],
    ['ETag', '"x"'],
    ['VIA', '1.0 b'],
    ['X-Empty', ''],
  ]
  assert.deepEqual([...fields], lines)
  assert.deepEqual([...fields.entries()], lines)
  assert.equal(fields.size, 4)
})

test('Fields.empty has no fields', () => {
  assert.equal(Fields.empty.size, 0)
  assert.equal(Fields.empty.get('etag'), undefined)
})
