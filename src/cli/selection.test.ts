import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parse, type Arguments } from './parse.ts'
import { checkNotFinal, selectionOf } from './selection.ts'

const jobs = (...words: readonly string[]): Arguments => parse('jobs', words)

test('selectionOf() reads states in any case, one by one or with commas', () => {
  const rows: [readonly string[], readonly string[] | undefined][] = [
    [[], undefined],
    [['--state', 'error'], ['ERROR']],
    [
      ['--state', 'Transient-Error,TRANSIENT_ERROR', '--state', ' queued '],
      ['TRANSIENT_ERROR', 'TRANSIENT_ERROR', 'QUEUED'],
    ],
    [['--name', 'x'], undefined],
  ]
  for (const [words, states] of rows) assert.deepEqual(selectionOf(jobs(...words))?.states, states)
})

test('selectionOf() refuses a state that there is not, and names those that there are', () => {
  for (const word of ['failed', '', 'error,'] as const) {
    assert.throws(
      () => selectionOf(jobs('--state', word)),
      /Cannot understand --state .*queued, connecting, .*transient-error, .*cancelled/u,
    )
  }
})

test('a name fits a pattern as a whole, with * and ? and nothing else special', () => {
  const rows: [string, string, boolean][] = [
    ['nightly*', 'Nightly 7', true],
    ['nightly', 'nightly 7', false],
    ['*7', 'a\n7', true],
    ['?', '\u{1f600}', true],
    ['a.c', 'abc', false],
    ['*.(iso|img)', 'x.iso', false],
    ['*.(iso|img)', 'x.(iso|img)', true],
    ['***', '', true],
    ['nightly-*', 'nightly-7', true],
    ['[a-c]', 'b', false],
  ]
  for (const [pattern, name, fits] of rows) {
    assert.equal(selectionOf(jobs('--name', pattern))?.fits(name), fits, `${pattern} ${name}`)
  }
})

test('a name without * and ? fits itself, whatever is in it', () => {
  const any = fc.oneof(fc.string({ unit: 'grapheme-ascii' }), fc.string({ unit: 'binary' }))
  const name = any.map((text) => text.replaceAll(/[*?]/gu, '-'))
  fc.assert(
    fc.property(name, (text) => {
      assert.equal(selectionOf(jobs(`--name=${text}`))?.fits(text), true)
      assert.equal(selectionOf(jobs(`--name=${text}`))?.fits(`${text}x`), false)
    }),
  )
})

function check(state: string): void {
  checkNotFinal(selectionOf(jobs('--state', state)) ?? { fits: () => true }, 'cancel')
}

test('checkNotFinal() lets through what can still be changed, and nothing else', () => {
  for (const state of ['queued', 'error', 'transferred']) check(state)
  for (const state of ['acknowledged', 'error,cancelled']) {
    assert.throws(() => check(state), /Cannot cancel jobs that are \w+: they have ended/u)
  }
})
