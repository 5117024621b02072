/** The README's example, as it stands there. */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { GatedOrigin } from '../lab/gated-origin.ts'
import { LullHome, resultOf, type CommandResult } from '../lab/lull.ts'

const root = join(import.meta.dirname, '..', '..')

/** Runs the example with what it leaves open. */
async function run(url: string, localName: string, home: LullHome): Promise<CommandResult> {
  const [, example = ''] =
    /^```ts\n([\s\S]*?)^```$/mu.exec(readFileSync(join(root, 'README.md'), 'utf8')) ?? []
  assert.match(example, /from 'lull'/u)
  // Within the package, so that its name leads to it, as it does in a program that has it installed.
  const folder = mkdtempSync(join(root, 'dist', 'example-'))
  const path = join(folder, 'example.mts')
  const given = `const url = ${JSON.stringify(url)}, localName = ${JSON.stringify(localName)}\n`
  writeFileSync(path, given + example)
  try {
    const env = { ...process.env, LULL_HOME: home.home }
    return await resultOf(
      spawn(process.execPath, [path], { env, stdio: ['ignore', 'pipe', 'pipe'] }),
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('the TypeScript example of the README runs, word for word', async () => {
  await using origin = await GatedOrigin.start()
  await using home = new LullHome()
  const localName = home.path('example')
  const { status, stdout, stderr } = await run(origin.url('/good/x'), localName, home)
  assert.equal(status, 0, stderr)
  assert.equal(stdout.trimEnd().split('\n').at(-1), 'ACKNOWLEDGED')
  assert.equal(origin.content.firstDifference(localName), undefined)
})

test('the example of the README ends with the error of its job', async () => {
  await using origin = await GatedOrigin.start()
  await using home = new LullHome()
  const { status, stderr } = await run(origin.url('/status/404/x'), home.path('none'), home)
  assert.equal(status, 1)
  assert.match(stderr, /BackgroundCopyError: The server answered 404/u)
  assert.match(stderr, /BG_E_HTTP_ERROR_404/u)
})
