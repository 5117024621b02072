import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, parse as parsePath } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { parse } from './parse.ts'
import { targets } from './targets.ts'
import type { Wanted } from './wanted.ts'

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'lull-targets-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

function wanted(...names: readonly (string | undefined)[]): readonly Wanted[] {
  return names.map((name, index) => ({
    url: `http://origin/${index}.bin?x=/y`,
    name,
    list: 'list',
    line: index + 1,
  }))
}

function localNames(folder: string, ...names: readonly (string | undefined)[]): readonly string[] {
  const files = targets(wanted(...names), parse('get', ['-i', 'list', '-d', folder]))
  return files.map(({ localName }) => localName)
}

describe('targets()', () => {
  test('puts what URLs and lists name into the folder, and full paths where they say', (t) => {
    const folder = folderOf(t)
    mkdirSync(join(folder, 'in'))
    const elsewhere = join(folderOf(t), 'e')
    assert.deepEqual(localNames(folder, undefined, 'in/../in/b', elsewhere, undefined), [
      join(folder, '0.bin'),
      join(folder, 'in', 'b'),
      elsewhere,
      join(folder, '3.bin'),
    ])
  })

  test('names files of the root without a second separator', () => {
    const { root } = parsePath(tmpdir())
    assert.deepEqual(localNames(root, undefined), [join(root, '0.bin')])
  })

  test('refuses a file that is there, in a folder between others that are empty', (t) => {
    const folder = folderOf(t)
    for (const name of ['a', 'b', 'c']) mkdirSync(join(folder, name))
    writeFileSync(join(folder, 'b', '2'), '')
    assert.throws(() => localNames(folder, 'a/1', 'b/1', 'b/2', 'c/1', 'a/2'), {
      symbol: 'ERROR_FILE_EXISTS',
      message: `Cannot save to ${join(folder, 'b', '2')}: the file is there already; --force replaces it`,
    })
  })

  test('refuses a folder that is not there', (t) => {
    const folder = folderOf(t)
    assert.throws(() => localNames(folder, 'x', 'a/1', 'a/2', 'y'), {
      symbol: 'ERROR_PATH_NOT_FOUND',
      message: `Cannot save to ${join(folder, 'a', '2')}: the folder ${join(folder, 'a')} does not exist`,
    })
  })

  test('refuses two files of one name', (t) => {
    const folder = folderOf(t)
    assert.throws(() => localNames(folder, undefined, 'a', '0.bin'), {
      message: /^Cannot save http:\/\/origin\/0\.bin\?x=\/y and http:\/\/origin\/2\.bin/u,
    })
  })
})
