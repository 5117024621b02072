import assert from 'node:assert/strict'
import { test } from 'node:test'

import {
  array,
  assert as check,
  constantFrom,
  maxSafeNat,
  nat,
  oneof,
  option,
  property,
  string,
  tuple,
} from 'fast-check'

import { ProtocolError } from '../base/error.ts'
import {
  formatContentRange,
  formatRange,
  parseContentRange,
  parseRange,
  satisfyRanges,
} from './content-range.ts'
import type { ContentRange } from './content-range.ts'

const contentRanges: readonly (readonly [string, ContentRange, string])[] = [
  [
    'bytes 42-1233/1234',
    { kind: 'range', start: 42, end: 1234, total: 1234 },
    'RFC 9110 §14.4, length known',
  ],
  [
    'bytes 42-1233/*',
    { kind: 'range', start: 42, end: 1234, total: undefined },
    'RFC 9110 §14.4, length unknown',
  ],
  ['bytes */1234', { kind: 'unsatisfied', total: 1234 }, 'RFC 9110 §14.4, of a 416'],
  ['bytes 0-499/1234', { kind: 'range', start: 0, end: 500, total: 1234 }, 'the first 500 bytes'],
  [
    'bytes 734-1233/1234',
    { kind: 'range', start: 734, end: 1234, total: 1234 },
    'the last 500 bytes',
  ],
  ['bytes 0-0/1', { kind: 'range', start: 0, end: 1, total: 1 }, 'one byte'],
  ['bytes */0', { kind: 'unsatisfied', total: 0 }, 'an empty file'],
  ['BYTES 0-0/1', { kind: 'range', start: 0, end: 1, total: 1 }, 'the unit has no case'],
  [
    'bytes 9007199254740989-9007199254740990/9007199254740991',
    {
      kind: 'range',
      start: Number.MAX_SAFE_INTEGER - 2,
      end: Number.MAX_SAFE_INTEGER,
      total: Number.MAX_SAFE_INTEGER,
    },
    'the largest numbers',
  ],
]

for (const [value, range, reason] of contentRanges) {
  test(`parseContentRange() reads ${value}: ${reason}`, () => {
    assert.deepEqual(parseContentRange(value), range)
  })
}

const refused = [
  [undefined, 'no field'],
  ['', 'an empty field'],
  ['bytes 9-8/10', 'it ends before it starts, RFC 9110 §14.4'],
  ['bytes 0-10/10', 'it ends past its total, RFC 9110 §14.4'],
  ['bytes 0-0/0', 'bytes of an empty file'],
  ['bytes */*', 'nothing is known'],
  ['bytes 0-9', 'no total'],
  ['bytes 0-/10', 'no last byte'],
  ['bytes -9/10', 'no first byte'],
  ['bytes=0-9/10', 'an equals sign, as in Range'],
  ['bytes  0-9/10', 'two spaces'],
  ['bytes 0 - 9/10', 'spaces inside'],
  [' bytes 0-9/10', 'a space in front'],
  ['bytes 0-9/10 ', 'a space behind'],
  ['bytes +0-9/10', 'a sign'],
  ['bytes 0x0-9/10', 'hexadecimal'],
  ['bytes 0-9.0/10', 'a fraction'],
  ['bytes ٠-٩/10', 'digits of another script'],
  ['items 0-9/10', 'another unit'],
  ['0-9/10', 'no unit'],
  ['bytes 0-9/10, bytes 0-9/10', 'two fields'],
  ['bytes 0-9007199254740991/*', 'an end above 2^53 - 1'],
  ['bytes 0-9007199254740992/*', 'a number above 2^53 - 1'],
  ['bytes 0-1/9007199254740992', 'a total above 2^53 - 1'],
  ['bytes */9007199254740993', 'a total that a number rounds'],
  [`bytes 0-1/${'9'.repeat(400)}`, 'more than a number holds'],
] as const

for (const [value, reason] of refused) {
  test(`parseContentRange() refuses ${value?.slice(0, 40)}: ${reason}`, () => {
    assert.throws(
      () => parseContentRange(value),
      (error) => error instanceof ProtocolError && error.code === 'ERR_WIRE_CONTENT_RANGE',
    )
  })
}

/** Three numbers in rising order, the first two different. */
const bounds = tuple(maxSafeNat(), maxSafeNat(), maxSafeNat())
  .map((numbers) => numbers.toSorted((a, b) => a - b))
  .filter(([a, b]) => a !== b)

test('parseContentRange() undoes formatContentRange()', () => {
  check(
    property(bounds, constantFrom('range', 'unknown', 'unsatisfied'), (numbers, kind) => {
      const [start = 0, end = 0, total = 0] = numbers
      const range: ContentRange =
        kind === 'unsatisfied'
          ? { kind, total }
          : { kind: 'range', start, end, total: kind === 'range' ? total : undefined }
      assert.deepEqual(parseContentRange(formatContentRange(range)), range)
    }),
  )
})

test('parseContentRange() throws nothing but ERR_WIRE_CONTENT_RANGE, and reads only what is consistent', () => {
  const digits = string({ unit: constantFrom('0', '1', '9', '-', '/', '*', ' '), maxLength: 25 })
  check(
    property(
      oneof(
        string(),
        digits.map((text) => `bytes ${text}`),
      ),
      (value) => {
        try {
          const range = parseContentRange(value)
          if (range.kind === 'unsatisfied') return
          assert.ok(range.start >= 0 && range.start < range.end)
          assert.ok(range.end <= (range.total ?? Number.MAX_SAFE_INTEGER))
        } catch (error) {
          assert.ok(error instanceof ProtocolError)
        }
      },
    ),
    { numRuns: 2000 },
  )
})

test('formatContentRange() refuses a range that it could not read again', () => {
  for (const [start, end, total] of [
    [0, 0, 1],
    [2, 1, 3],
    [0, 11, 10],
    [-1, 1, 2],
    [0.5, 1, 2],
    [0, 2 ** 53, undefined],
  ] as const) {
    assert.throws(() => formatContentRange({ kind: 'range', start, end, total }), RangeError)
  }
  assert.throws(() => formatContentRange({ kind: 'unsatisfied', total: -1 }), RangeError)
})

test('formatRange() writes one range, closed or open', () => {
  assert.equal(formatRange(0, 100), 'bytes=0-99')
  assert.equal(formatRange(5), 'bytes=5-')
  assert.equal(formatRange(9500, 10_000), 'bytes=9500-9999')
})

test('formatRange() refuses an empty range and what is no offset', () => {
  for (const [start, end] of [[5, 5], [6, 5], [-1, 5], [0, 1.5], [Number.NaN]] as const) {
    assert.throws(() => formatRange(start, end), RangeError)
  }
})

/** RFC 9110 §14.1.2, what each asks of a representation of 10000 bytes. */
const ranges = [
  ['bytes=0-499', [{ start: 0, end: 500 }], 'the first 500 bytes'],
  ['bytes=500-999', [{ start: 500, end: 1000 }], 'the second 500 bytes'],
  ['bytes=-500', [{ start: 9500, end: 10_000 }], 'the final 500 bytes'],
  ['bytes=9500-', [{ start: 9500, end: 10_000 }], 'the same'],
  [
    'bytes=0-0,-1',
    [
      { start: 0, end: 1 },
      { start: 9999, end: 10_000 },
    ],
    'the first and last bytes only',
  ],
  [
    'bytes= 0-999, 4500-5499, -1000',
    [
      { start: 0, end: 1000 },
      { start: 4500, end: 5500 },
      { start: 9000, end: 10_000 },
    ],
    'the first, middle, and last 1000 bytes',
  ],
  [
    'bytes=500-600,601-999',
    [
      { start: 500, end: 601 },
      { start: 601, end: 1000 },
    ],
    'not canonical',
  ],
  [
    'bytes=500-700,601-999',
    [
      { start: 500, end: 701 },
      { start: 601, end: 1000 },
    ],
    'overlapping, kept as sent',
  ],
  ['bytes=9999-20000', [{ start: 9999, end: 10_000 }], 'a last byte past the end'],
  ['bytes=-20000', [{ start: 0, end: 10_000 }], 'a suffix longer than the file'],
  ['bytes=10000-', [], 'unsatisfiable: past the end'],
  ['bytes=-0', [], 'unsatisfiable: an empty suffix'],
  ['bytes=10000-,0-0', [{ start: 0, end: 1 }], 'satisfiable when one of them is'],
  [`bytes=0-${'9'.repeat(60)}`, [{ start: 0, end: 10_000 }], 'a number beyond every limit'],
  [`bytes=${'9'.repeat(60)}-`, [], 'a start beyond every limit'],
  ['BYTES=0-0', [{ start: 0, end: 1 }], 'the unit has no case'],
  ['bytes=,0-0 ,\t', [{ start: 0, end: 1 }], 'empty elements, RFC 9110 §5.6.1.2'],
] as const

for (const [value, expected, reason] of ranges) {
  test(`satisfyRanges() of parseRange() reads ${value.slice(0, 40)}: ${reason}`, () => {
    assert.deepEqual(satisfyRanges(parseRange(value) ?? [], 10_000), expected)
  })
}

test('parseRange() says nothing about an absent field or another unit, RFC 9110 §14.2', () => {
  for (const value of [undefined, '', 'items=0-9', 'bytes', 'bytes 0-9']) {
    assert.equal(parseRange(value), undefined)
  }
})

const brokenRanges = [
  'bytes=',
  'bytes=,',
  'bytes=-',
  'bytes=9-8',
  `bytes=1${'0'.repeat(40)}-9${'0'.repeat(39)}`,
  'bytes=a-b',
  'bytes=0-9-10',
  'bytes=0 - 9',
  'bytes=0',
  'bytes=--5',
]

for (const value of brokenRanges) {
  test(`parseRange() refuses ${value.slice(0, 40)}`, () => {
    assert.throws(
      () => parseRange(value),
      (error) => error instanceof ProtocolError && error.code === 'ERR_WIRE_RANGE',
    )
  })
}

test('parseRange() refuses more ranges than the limit', () => {
  assert.equal(parseRange('bytes=0-0,1-1', { limit: 2 })?.length, 2)
  assert.throws(
    () => parseRange('bytes=0-0,1-1,2-2', { limit: 2 }),
    (error) => error instanceof ProtocolError && error.code === 'ERR_WIRE_RANGE_COUNT',
  )
})

test('parseRange() undoes formatRange()', () => {
  check(
    property(maxSafeNat(), option(maxSafeNat(), { nil: undefined }), (start, end) => {
      if (end !== undefined && end <= start) return
      assert.deepEqual(parseRange(formatRange(start, end)), [{ kind: 'from', start, end }])
    }),
  )
})

test('satisfyRanges() of parseRange() never reaches past the file, and throws nothing but ProtocolError', () => {
  const member = string({ unit: constantFrom('0', '1', '7', '-', ' '), maxLength: 6 })
  check(
    property(array(member, { maxLength: 5 }), nat(200), (members, size) => {
      try {
        for (const { start, end } of satisfyRanges(
          parseRange(`bytes=${members.join()}`) ?? [],
          size,
        )) {
          assert.ok(start >= 0 && start < end && end <= size)
        }
      } catch (error) {
        assert.ok(error instanceof ProtocolError)
      }
    }),
    { numRuns: 2000 },
  )
})
