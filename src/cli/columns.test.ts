import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { columnsOf, harmless, shorten, wrap } from './columns.ts'

const text = fc.string({ unit: fc.constantFrom('a', ' ', '日', 'é', 'e\u0301', '🙂', '/') })

describe('text in columns', () => {
  test('columnsOf() counts what a terminal shows', () => {
    const rows: readonly (readonly [string, number])[] = [
      ['', 0],
      ['abc', 3],
      ['日本', 4],
      ['e\u0301', 1],
      ['🙂', 2],
      ['ﬁ—…', 3],
    ]
    for (const [shown, columns] of rows) assert.equal(columnsOf(shown), columns, shown)
  })

  test('harmless() lets nothing through that moves a cursor or turns a direction', () => {
    assert.equal(harmless('a\u001B[2Jb\r\nc\u202Ed\u009Be'), 'a?[2Jb??c?d?e')
    assert.equal(harmless('日本 – naïve'), '日本 – naïve')
  })

  test('shorten() fits, and keeps what fits already', () => {
    assert.equal(shorten('日本語', 5), '日本…')
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 40 }), (whole, columns) => {
        const short = shorten(whole, columns)
        assert(columnsOf(short) <= columns)
        if (columnsOf(whole) <= columns) assert.equal(short, whole)
      }),
    )
  })

  test('wrap() loses nothing but spaces, and every line fits', () => {
    assert.deepEqual(wrap('waits for the next try', 12, '  '), [
      '  waits for',
      '  the next',
      '  try',
    ])
    fc.assert(
      fc.property(text, fc.integer({ min: 12, max: 40 }), (whole, columns) => {
        const lines = wrap(whole, columns, '  ')
        for (const line of lines) assert(columnsOf(line) <= columns, line)
        const joined = lines.map((line) => line.slice(2)).join('')
        assert.equal(joined.replaceAll(' ', ''), whole.replaceAll(' ', ''))
      }),
    )
  })
})
