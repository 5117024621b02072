import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { JobFile } from '../job/job.ts'
import {
  decodeFile,
  decodeFinishedFile,
  encodeFile,
  encodeNewFile,
  FILE_COLUMNS,
  NEW_FILE_COLUMNS,
} from './file-row.ts'

const count = fc.nat(2 ** 40)
const text = fc.string({ unit: 'grapheme' })

/** Mostly the text of a number. */
const number = fc.oneof({ weight: 3, arbitrary: fc.bigInt(0n, 2n ** 64n).map(String) }, text)

const ranges = fc
  .uniqueArray(count, { maxLength: 8 })
  .map((ends) => ends.toSorted((a, b) => a - b))
  .map((ends) =>
    Array.from({ length: ends.length >> 1 }, (_, index) => ({
      start: ends[2 * index] ?? 0,
      end: ends[2 * index + 1] ?? 0,
    })),
  )

const digest = fc.record({ algorithm: fc.constantFrom('md5', 'sha-256'), hex: text })

/** Any file; each fact that may be absent is, now and then. */
const file: fc.Arbitrary<JobFile> = fc.record(
  {
    ordinal: count,
    remoteName: text,
    localName: text,
    digests: fc.array(digest, { maxLength: 2 }),
    kind: fc.constantFrom('missing', 'transferred', 'completed'),
    ranges,
    tagRestarts: count,
    askedName: text,
    version: fc.record({ etag: text, lastModified: text, date: text, size: count }),
    size: count,
    identity: fc.record({ device: number, inode: number, size: count }),
  },
  {
    requiredKeys: [
      'ordinal',
      'remoteName',
      'localName',
      'digests',
      'kind',
      'ranges',
      'tagRestarts',
    ],
  },
)

/** Without a prototype that fast-check may have taken away. */
function plain(value: JobFile): unknown {
  return JSON.parse(JSON.stringify(value))
}

/** A row as SQLite gives it: of `columns`, these values, and nothing in the others. */
function rowOf(columns: string, values: readonly unknown[]): unknown[] {
  const given = columns.split(', ')
  return FILE_COLUMNS.split(', ').map((name) => values[given.indexOf(name)] ?? null)
}

test('decodeFile() gives back what encodeFile() was given', () => {
  fc.assert(
    fc.property(file, (given) => {
      assert.deepEqual(plain(decodeFile(encodeFile(7, given))), plain(given))
    }),
  )
})

test('decodeFinishedFile() says the same of a file as decodeFile()', () => {
  fc.assert(
    fc.property(file, (given) => {
      const row = encodeFile(7, given)
      const { ordinal, localName, identity } = decodeFile(row)
      const finished = decodeFinishedFile([row[0], row[1], row[2], row[10]])
      assert.deepEqual(finished, { ordinal, localName, ...(identity && { identity }) })
    }),
  )
})

test('encodeNewFile() says the same as encodeFile() of a file of which nothing is known', () => {
  fc.assert(
    fc.property(file, ({ ordinal, remoteName, localName, digests }) => {
      const added = { ordinal, remoteName, localName, digests }
      const whole = { ...added, kind: 'missing', ranges: [], tagRestarts: 0 } as const
      const row = rowOf(NEW_FILE_COLUMNS, encodeNewFile(7, added))
      const columns = FILE_COLUMNS.split(', ')
      // The statement says these itself.
      row[columns.indexOf('kind')] = 'missing'
      row[columns.indexOf('ranges')] = '[]'
      row[columns.indexOf('tag_restarts')] = 0
      assert.deepEqual(row, encodeFile(7, whole))
    }),
  )
})

test('encodeFile() writes what JSON would write', () => {
  fc.assert(
    fc.property(file, (given) => {
      const row = encodeFile(7, given)
      const pairs = given.ranges.map(({ start, end }) => [start, end])
      const columns = FILE_COLUMNS.split(', ')
      assert.equal(row[columns.indexOf('ranges')], JSON.stringify(pairs))
      const { identity } = given
      const expected = identity === undefined ? null : JSON.stringify(identity)
      assert.equal(row[columns.indexOf('identity')], expected)
    }),
  )
})

test('encodeFile() refuses numbers that could not be read again', () => {
  const whole = { ordinal: 0, remoteName: '', localName: '', digests: [], kind: 'missing' } as const
  const known = { ...whole, ranges: [], tagRestarts: 0 }
  for (const end of [Number.NaN, Infinity, 0.5, -1]) {
    const ranges = [{ start: 0, end }]
    assert.throws(() => encodeFile(7, { ...known, ranges }), RangeError)
  }
  const identity = { device: '1', inode: '2', size: Number.NaN }
  assert.throws(() => encodeFile(7, { ...known, identity }), RangeError)
})

test('decodeFile() names what does not fit, and the file', () => {
  const row = [7, 3, '/a', 'missing', 'http://a/', '[]', null, null, '[]', 0, null, null]
  const cases: readonly (readonly [
    place: number,
    value: string | number | null,
    sentence: RegExp,
  ])[] = [
    [1, 0.5, /ordinal is not a count/u],
    [2, null, /local_name is not a text/u],
    [3, 'lost', /kind is not one of missing, transferred, completed/u],
    [5, '{}', /digests is not a list/u],
    [5, '[1]', /digests is not a list of objects/u],
    [5, '[{"algorithm":"crc"}]', /digests: algorithm is not one of/u],
    [6, 'secret', /version is not JSON$/u],
    [6, '[]', /version is not an object/u],
    [7, -1, /size is not a count/u],
    [8, '[[5,3]]', /its ranges are not in order/u],
    [8, '[[0,3],[3,4]]', /its ranges are not in order/u],
    [9, '0', /tag_restarts is not a count/u],
    [10, '{"device":"1","inode":2}', /identity: inode is not a text/u],
    [11, 5, /asked_name is not a text/u],
  ]
  for (const [place, value, sentence] of cases) {
    const damaged = row.with(place, value)
    assert.throws(() => decodeFile(damaged), { name: 'DamagedRow', message: sentence })
    if (place > 1) assert.throws(() => decodeFile(damaged), /^DamagedRow: file 3 of the job/u)
  }
})
