import assert from 'node:assert/strict'
import { test } from 'node:test'

import { assert as check, constantFrom, dictionary, property, string, uint8Array } from 'fast-check'

import { ProtocolError } from '../base/error.ts'
import { parseDictionary } from './structured-field.ts'

const hello = Uint8Array.from('hello', (character) => character.charCodeAt(0))

const readable: readonly (readonly [string, readonly (readonly [string, unknown])[], string])[] = [
  ['', [], 'empty, RFC 9651 §4.2'],
  ['   ', [], 'nothing but spaces'],
  ['a=:aGVsbG8=:', [['a', hello]], 'a byte sequence, RFC 9651 §3.3.5'],
  ['a=:aGVsbG8:', [['a', hello]], 'without padding, RFC 9651 §4.2.7'],
  ['a=::', [['a', new Uint8Array()]], 'an empty one'],
  [
    'b=:aGVsbG8=:, a=:aGVsbG8=:',
    [
      ['b', hello],
      ['a', hello],
    ],
    'two, in order',
  ],
  [
    'a=:aGVsbG8=:\t ,\t b',
    [
      ['a', hello],
      ['b', undefined],
    ],
    'white space around the comma',
  ],
  ['  a=:aGVsbG8=:  ', [['a', hello]], 'white space around it all'],
  ['a=:aGVsbG8=:;x;y=1; z="q"', [['a', hello]], 'parameters, RFC 9651 §3.1.2'],
  ['a;x', [['a', undefined]], 'a boolean with parameters'],
  ['a=:aGVsbG8=:, a=1', [['a', undefined]], 'the last of two counts, RFC 9651 §4.2.2'],
  [
    'a=1, b, a=:aGVsbG8=:',
    [
      ['a', hello],
      ['b', undefined],
    ],
    'and stands where the first stood',
  ],
  ['*a_-.*9=:aGVsbG8=:', [['*a_-.*9', hello]], 'every character of a key'],
  ['a=("x" :aGVsbG8=: y;z=2);w', [['a', undefined]], 'an inner list, RFC 9651 §3.1.1'],
  ['a=(  )', [['a', undefined]], 'an empty inner list'],
  ['a=(  1  2  )', [['a', undefined]], 'an inner list with many spaces'],
  ['a=-999999999999999', [['a', undefined]], 'an integer'],
  ['a=123456789012.123', [['a', undefined]], 'a decimal'],
  [String.raw`a="x\"y\\z, b=:aGVsbG8=:"`, [['a', undefined]], 'a string with a comma in it'],
  ['a=*foo/bar:baz', [['a', undefined]], 'a token'],
  [
    'a=?0, b=?1',
    [
      ['a', undefined],
      ['b', undefined],
    ],
    'booleans',
  ],
  ['a=@1659578233', [['a', undefined]], 'a date, RFC 9651 §3.3.7'],
  ['a=%"f%c3%bc"', [['a', undefined]], 'a display string, RFC 9651 §3.3.8'],
]

for (const [value, members, reason] of readable) {
  test(`parseDictionary() reads ${JSON.stringify(value)}: ${reason}`, () => {
    assert.deepEqual([...parseDictionary(value)], members)
  })
}

const broken = [
  ['a=:aGVsbG8=', 'no closing colon'],
  ['a=:aGVsb G8=:', 'a space inside'],
  ['a=:aGVsb\nG8=:', 'a line feed inside, RFC 9651 §4.2.7'],
  ['a=:aGVsbG8_:', 'the wrong alphabet'],
  ['a=:a:', 'six bits'],
  ['a=:aG=Vs:', 'padding inside'],
  ['a=', 'no value'],
  ['=1', 'no key'],
  ['A=1', 'an upper-case key'],
  ['a=1,', 'a trailing comma'],
  ['a=1, ', 'a trailing comma and a space'],
  [',a=1', 'a leading comma'],
  ['a=1,,b=1', 'two commas'],
  ['a=1 b=1', 'no comma'],
  ['\ta=1', 'a tab in front'],
  ['a =1', 'a space before the sign'],
  ['a= 1', 'a space behind the sign'],
  ['a=1 ;x', 'a space before a parameter'],
  ['a=1;X', 'an upper-case parameter'],
  ['a=1;', 'no parameter'],
  ['a=1;x=(1)', 'a list in a parameter'],
  ['a=(1', 'no closing parenthesis'],
  ['a=(1"x")', 'no space between items'],
  ['a=((1))', 'a list in a list'],
  ['a=(1\t2)', 'a tab between items'],
  ['a=1234567890123456', 'sixteen digits'],
  ['a=1234567890123.1', 'thirteen digits before the point'],
  ['a=1.', 'nothing behind the point'],
  ['a=1.2345', 'four digits behind the point'],
  ['a=1.2.3', 'two points'],
  ['a=-', 'a sign alone'],
  ['a=--1', 'two signs'],
  ['a="x', 'no closing quote'],
  [String.raw`a="\x"`, 'an escape of nothing that needs it'],
  ['a="é"', 'not ASCII'],
  ['a=?2', 'a boolean that is neither'],
  ['a=@1.5', 'a date with a fraction'],
  ['a=%"%C3%BC"', 'upper-case hexadecimal'],
  ['a=%"%c"', 'half a byte'],
  ['a=%x', 'no quote'],
  ['a=&', 'no item'],
  ['a=1\u00a0', 'white space that is none here'],
] as const

for (const [value, reason] of broken) {
  test(`parseDictionary() refuses ${JSON.stringify(value)}: ${reason}`, () => {
    assert.throws(
      () => parseDictionary(value),
      (error) => error instanceof ProtocolError && error.code === 'ERR_WIRE_STRUCTURED_FIELD',
    )
  })
}

test('parseDictionary() refuses a field longer than its limit', () => {
  assert.equal(parseDictionary(`a="${'x'.repeat(16 * 1024 - 4)}"`).size, 1)
  assert.throws(
    () => parseDictionary(`a="${'x'.repeat(16 * 1024 - 3)}"`),
    (error) => error instanceof ProtocolError && error.code === 'ERR_WIRE_STRUCTURED_FIELD_LENGTH',
  )
})

test('parseDictionary() refuses more members than its limit, also under one key', () => {
  assert.equal(parseDictionary(Array(64).fill('a').join()).size, 1)
  assert.throws(
    () => parseDictionary(Array(65).fill('a').join()),
    (error) => error instanceof ProtocolError && error.code === 'ERR_WIRE_STRUCTURED_FIELD_COUNT',
  )
})

test('parseDictionary() reads every byte sequence that the platform wrote', () => {
  const key = string({ unit: constantFrom('a', 'z', '*', '-', '0'), maxLength: 5 }).map(
    (tail) => `k${tail}`,
  )
  check(
    property(dictionary(key, uint8Array({ maxLength: 70 }), { maxKeys: 20 }), (members) => {
      const entries = Object.entries(members)
      const text = entries.map(
        ([key, bytes]) => `${key}=:${Buffer.from(bytes).toString('base64')}:`,
      )
      assert.deepEqual([...parseDictionary(text.join(', '))], entries)
    }),
  )
})

test('parseDictionary() throws nothing but ProtocolError', () => {
  const noise = string({
    unit: constantFrom(...Array.from('a*=:,;()"\\%?@-.1 \t'), 'YQ', '=:', 'é'),
    maxLength: 30,
  })
  check(
    property(noise, (value) => {
      try {
        for (const bytes of parseDictionary(value).values()) {
          assert.ok(bytes === undefined || bytes instanceof Uint8Array)
        }
      } catch (error) {
        assert.ok(error instanceof ProtocolError)
      }
    }),
    { numRuns: 2000 },
  )
})
