/** The completion scripts, run by the shells they are for. */

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { after, suite, test } from 'node:test'
import { LullHome, resultOf } from '../lab/lull.ts'

const home = new LullHome()
after(() => home[Symbol.asyncDispose]())

const isMissing = (shell: string): string | false =>
  spawnSync(shell, ['-c', 'true']).status === 0 ? false : `${shell} is not installed`

/** A folder for PATH in which `lull` is the command under test. */
function binFolder(): string {
  const folder = home.path('bin')
  const command = join(import.meta.dirname, '..', '..', 'bin', 'lull.js')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'lull'), `#!/bin/sh\nexec "${process.execPath}" "${command}" "$@"\n`)
  chmodSync(join(folder, 'lull'), 0o755)
  return folder
}

async function run(shell: string, script: string): Promise<string> {
  const env = {
    ...process.env,
    LULL_HOME: home.home,
    PATH: [binFolder(), process.env['PATH']].join(delimiter),
  }
  const child = spawn(shell, ['-c', script], {
    env,
    cwd: home.target,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const { status, stdout, stderr } = await resultOf(child)
  assert.equal(stderr, '')
  assert.equal(status, 0)
  return stdout
}

/** What is offered for the last of these words. */
async function offered(...words: readonly string[]): Promise<readonly string[]> {
  const list = words.map((word) => `'${word}'`).join(' ')
  const script = `source <(lull completion bash)
    COMP_WORDS=(${list}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); COMPREPLY=()
    _lull; printf '%s\\n' "\${COMPREPLY[@]}"`
  return (await run('bash', script)).trimEnd().split('\n')
}

suite('bash', { skip: isMissing('bash') }, () => {
  test('offers verbs', async () => {
    assert.deepEqual(await offered('lull', 'st'), ['stop', 'status'])
    assert((await offered('lull', '')).includes('get'))
  })

  test('offers options of the verb, and values of the option', async () => {
    assert.deepEqual(await offered('lull', 'get', '--re'), ['--retry-delay'])
    assert.deepEqual(await offered('lull', 'get', '--priority', 'f'), ['foreground'])
    assert.deepEqual(await offered('lull', 'completion', 'z'), ['zsh'])
  })

  test('offers the second words of verbs that have two, and their options', async () => {
    assert.deepEqual(await offered('lull', 'cred'), ['credentials'])
    assert.deepEqual(await offered('lull', 'credentials', ''), ['set', 'remove', 'list'])
    assert.deepEqual(await offered('lull', 'credentials', 'set', '--proxy-u'), ['--proxy-user'])
    assert.deepEqual(await offered('lull', 'get', '--scheme', 'n'), ['ntlm', 'negotiate'])
  })

  test('offers ids of jobs', async () => {
    const { id } = await (await home.manager()).createJob('one')
    assert.deepEqual(await offered('lull', 'suspend', id.slice(0, 3)), [id])
    assert.deepEqual(await offered('lull', 'credentials', 'list', id.slice(0, 3)), [id])
  })

  test('offers files, also those with spaces in their names', async () => {
    writeFileSync(home.path('my list.txt'), '')
    mkdirSync(home.path('my folder'))
    assert.deepEqual(await offered('lull', 'get', '-i', 'my l'), ['my list.txt'])
    assert.deepEqual(await offered('lull', 'get', '-d', 'my'), ['my folder'])
  })
})

for (const shell of ['zsh', 'fish']) {
  test(`${shell} can read its script`, { skip: isMissing(shell) }, async () => {
    await run(shell, `lull completion ${shell} > script && ${shell} --no-execute script`)
  })
}
