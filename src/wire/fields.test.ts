import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Fields } from './fields.ts'
import { octets } from './reading.suite.ts'
import { ResponseReader } from './response-reader.ts'

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

const lists: readonly (readonly [why: string, lines: readonly string[], isMember: boolean])[] = [
  ['it is the only member', ['close'], true],
  ['case does not count', ['Close'], true],
  ['it is one of several', ['keep-alive,\tclose , x'], true],
  ['RFC 9110 §5.6.1.2: members may be empty', [', ,close,'], true],
  ['it is in another line', ['keep-alive', 'close'], true],
  ['it is a part of a member', ['closed, aclose'], false],
  ['RFC 9110 §5.6.3: a no-break space is no white space', ['\xa0close'], false],
  ['the list is empty', [''], false],
  ['the field is absent', [], false],
]
for (const [why, lines, isMember] of lists) {
  test(`Fields.lists() is ${isMember} where ${why}: ${JSON.stringify(lines)}`, () => {
    const fields = new Fields([
      ['Closing', 'close'],
      ...lines.map((value) => ['Connection', value] as const),
    ])
    assert.equal(fields.lists('connection', 'close'), isMember)
    assert.equal(fields.lists('CONNECTION', 'CLOSE'), isMember)
  })
}

test('Fields stay what they were when others are read after them in the same array', () => {
  const slab = new Uint8Array(200)
  const reader = new ResponseReader()
  const heads = ['A: 1\r\nB: 2', 'C: 3\r\nD: 4', 'Ab: 5\r\nC: 6', 'A: 7'].map((lines) => {
    reader.expect('HEAD')
    const message = octets(`HTTP/1.1 200 OK\r\n${lines}\r\n\r\n`)
    slab.fill(0xff)
    slab.set(message)
    reader.push(slab.subarray(0, message.length))
    const event = reader.next()
    while (reader.next() !== undefined);
    assert.ok(event?.kind === 'head')
    return event.head
  })
  assert.deepEqual(
    heads.map(({ fields }) => [...fields].map((field) => field.join('='))),
    [['A=1', 'B=2'], ['C=3', 'D=4'], ['Ab=5', 'C=6'], ['A=7']],
  )
})

test('Fields are the same in a long section', () => {
  const long: readonly [string, string][] = [
    ['Set-Cookie', 'a'.repeat(5000)],
    ['ETag', '"caf\xe9"'],
    ['Set-Cookie', ' b '],
  ]
  const fields = new Fields(long)
  assert.equal(fields.get('etag'), '"caf\xe9"')
  assert.deepEqual(fields.all('set-cookie'), ['a'.repeat(5000), 'b'])
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
