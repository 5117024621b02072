import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { TypedLine, type LineState } from './typed-line.ts'

function typed(text: string): { state: LineState; line: string; rest: string } {
  const line = new TypedLine()
  const bytes = Buffer.from(text)
  const used = line.push(bytes)
  const { state } = line
  return { state, line: Buffer.from(line.take()).toString(), rest: bytes.toString('utf8', used) }
}

describe('TypedLine', () => {
  const rows: readonly (readonly [what: string, text: string, state: LineState, line: string])[] = [
    ['Enter ends it', 'secret\r', 'done', 'secret'],
    ['a line feed ends it', 'secret\n', 'done', 'secret'],
    ['Enter alone is a blank password', '\r', 'done', ''],
    ['nothing ends it before', 'secret', 'open', 'secret'],
    ['Backspace takes a character', 'secrex\u007ft\r', 'done', 'secret'],
    ['Ctrl-H does the same', 'secrex\bt\r', 'done', 'secret'],
    ['Backspace takes all bytes of a character', 'aé🙂\u007f\u007fb\r', 'done', 'ab'],
    ['Backspace with nothing there is nothing', '\u007f\u007fa\r', 'done', 'a'],
    ['Ctrl-U takes all', 'wrong\u0015right\r', 'done', 'right'],
    ['Ctrl-C gives it up', 'secret\u0003', 'cancelled', ''],
    ['Ctrl-D with nothing there gives it up', '\u0004', 'cancelled', ''],
    ['Ctrl-D behind something ends it', 'secret\u0004', 'done', 'secret'],
    ['arrows do nothing', 'se\u001B[Dcr\u001BOCe\u001B[1;5At\r', 'done', 'secret'],
    ['a tab is a character', 'a\tb\r', 'done', 'a\tb'],
    ['other controls do nothing', 'a\u0001\u001A\u0000b\r', 'done', 'ab'],
  ]
  for (const [what, text, state, line] of rows) {
    test(`TypedLine: ${what}`, () => {
      assert.deepEqual([typed(text).state, typed(text).line], [state, line])
    })
  }

  test('TypedLine leaves what stands behind the end', () => {
    assert.equal(typed('first\nsecond\n').rest, 'second\n')
  })

  test('TypedLine holds what was typed, however it was cut into pieces', () => {
    const pieces = fc.array(fc.string({ unit: fc.constantFrom('a', 'é', '🙂', ' ', 'z') }))
    fc.assert(
      fc.property(pieces, fc.integer({ min: 1, max: 7 }), (texts, step) => {
        const all = Buffer.from(texts.join(''))
        const line = new TypedLine()
        for (let at = 0; at < all.length; at += step) line.push(all.subarray(at, at + step))
        assert.equal(line.state, 'open')
        line.push(Buffer.from('\r'))
        assert.equal(line.state, 'done')
        assert.deepEqual(Buffer.from(line.take()), all)
      }),
    )
  })

  test('TypedLine takes the longest password, and no more', () => {
    const longest = 'x'.repeat(4 * 65_536)
    assert.equal(typed(`${longest}y\r`).line, longest)
  })

  test('TypedLine gives a copy once, and nothing after it was wiped', () => {
    const line = new TypedLine()
    line.push(Buffer.from('secret\r'))
    assert.equal(Buffer.from(line.take()).toString(), 'secret')
    assert.equal(line.take().length, 0)
  })
})
