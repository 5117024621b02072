import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { parse } from './parse.ts'
import { SecretInput } from './secret-input.ts'
import { wantedFiles, type Wanted } from './wanted.ts'

async function wantedOf(content: string | Uint8Array): Promise<readonly Omit<Wanted, 'list'>[]> {
  const folder = mkdtempSync(join(tmpdir(), 'lull-wanted-'))
  try {
    const list = join(folder, 'list')
    writeFileSync(list, content)
    await using input = new SecretInput()
    const wanted = await wantedFiles(parse('get', ['-i', list]), input)
    return wanted.map(({ url, name, list: its, line }) => {
      assert.equal(its, list)
      return { url, name, line }
    })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const [a, b] = ['http://a/', 'http://b/']

const lists = [
  [
    `${a}\n${b}\n`,
    [
      [a, undefined, 1],
      [b, undefined, 2],
    ],
    'a line each',
  ],
  [
    `${a}\n${b}`,
    [
      [a, undefined, 1],
      [b, undefined, 2],
    ],
    'no end of the last line',
  ],
  [
    `${a}\r\n${b}\tx\r\n`,
    [
      [a, undefined, 1],
      [b, 'x', 2],
    ],
    'lines as Windows ends them',
  ],
  [`\uFEFF${a}\n`, [[a, undefined, 1]], 'a byte order mark in front'],
  [`\n \t \n# ${a}\n${b}\n`, [[b, undefined, 4]], 'empty lines and comments, which count'],
  [`  ${a} \t  my name \tmore\n`, [[a, 'my name', 1]], 'blanks around a name, and a third field'],
  [
    `${a}\t \n${b}\t\t\n`,
    [
      [a, undefined, 1],
      [b, undefined, 2],
    ],
    'names that are empty',
  ],
] as const

describe('wantedFiles() of a list', () => {
  for (const [content, expected, reason] of lists) {
    test(`reads ${reason}`, async () => {
      const found = await wantedOf(content)
      assert.deepEqual(
        found.map(({ url, name, line }) => [url, name, line]),
        expected,
      )
    })
  }

  test('names the line that has no URL in front', async () => {
    await assert.rejects(wantedOf(`${a}\n\tname\n`), /\(line 2 of .*list\)/u)
  })

  test('names the line that is not UTF-8', async () => {
    const latin1 = Buffer.from(`# caf\xe9\n${a}\tcaf\xe9\n`, 'latin1')
    await assert.rejects(wantedOf(latin1), /not UTF-8 \(line 2 of .*list\)/u)
  })
})
