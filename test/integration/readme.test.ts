/** The README's example, as it stands there. */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { GatedOrigin } from '../lab/gated-origin.ts'
import { LullHome, resultOf } from '../lab/lull.ts'

const root = join(import.meta.dirname, '..', '..')

test('the TypeScript example of the README runs, word for word', async () => {
  const [, example = ''] =
    /^```ts\n([\s\S]*?)^```$/mu.exec(readFileSync(join(root, 'README.md'), 'utf8')) ?? []
  assert.match(example, /from 'lull'/u)
  await using origin = await GatedOrigin.start()
  await using home = new LullHome()
  const localName = home.path('example')
  // Within the package, so that its name leads to it, as it does in a program that has it installed.
  const folder = join(root, 'dist', `example-${process.pid}`)
  mkdirSync(folder, { recursive: true })
  const path = join(folder, 'example.mts')
  const given = `const url = ${JSON.stringify(origin.url('/good/x'))}, localName = ${JSON.stringify(localName)}\n`
  writeFileSync(path, given + example)
  try {
    const env = { ...process.env, LULL_HOME: home.home }
    const child = spawn(process.execPath, [path], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    const { status, stdout, stderr } = await resultOf(child)
    assert.equal(status, 0, stderr)
    assert.equal(stdout.trimEnd().split('\n').at(-1), 'ACKNOWLEDGED')
    assert.equal(origin.content.firstDifference(localName), undefined)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
