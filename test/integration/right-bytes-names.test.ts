/** The name of a file never comes from a server that was not asked for it, and never leads out of its folder. */

import assert from 'node:assert/strict'
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import { assertWhole, parseLastLine } from '../lab/expect.ts'
import { FaultServer } from '../lab/fault-server.ts'
import { LullHome } from '../lab/lull.ts'

const home = new LullHome()
const server = await FaultServer.start()
after(async () => {
  await home[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

let cases = 0

/** Runs `lull get -d` in a folder within a folder. @returns the names in the inner one */
async function getInto(url: string, ...args: readonly string[]): Promise<readonly string[]> {
  const outer = home.path(`case-${cases++}`)
  const inner = join(outer, 'inner')
  mkdirSync(inner, { recursive: true })
  const { status, lastLine } = await home.run([
    'get',
    url,
    '-d',
    inner,
    '-p',
    'foreground',
    '--quiet',
    ...args,
  ])
  assert.equal(status, 0, lastLine)
  assert.deepEqual(readdirSync(outer), ['inner'])
  const names = readdirSync(inner)
  const [name = ''] = names
  assertWhole(join(inner, name), server.resource(url))
  return names
}

/** What a server says in Content-Disposition, and under which name the file is saved. */
const dispositions: readonly (readonly [value: string, name: string])[] = [
  ['attachment; filename="plain.bin"', 'plain.bin'],
  ['attachment; filename="../../x"', 'x'],
  ['attachment; filename="/etc/cron.d/x"', 'x'],
  ['attachment; filename="C:\\\\Windows\\\\x.exe"', 'x.exe'],
  ['attachment; filename=".bashrc"', '_.bashrc'],
  ['attachment; filename=".."', 'file'],
  ['attachment; filename="con"', '_con'],
  ["attachment; filename*=UTF-8''%e2%82%ac.txt", '€.txt'],
  ["attachment; filename*=UTF-8''..%2f..%2fx", 'x'],
  ["attachment; filename*=UTF-8''a%00b", 'a_b'],
  [`attachment; filename="${'y'.repeat(300)}.bin"`, `${'y'.repeat(251)}.bin`],
  ['attachment', 'file'],
]

suite('Content-Disposition', { concurrency: 4 }, () => {
  for (const [value, name] of dispositions) {
    test(`${value} is saved as ${name} with --content-disposition`, async () => {
      const url = server.url('disposition', { value })
      assert.deepEqual(await getInto(url, '--content-disposition'), [name])
    })
  }

  test('it says nothing without --content-disposition', async () => {
    const url = server.url('disposition', { value: 'attachment; filename="other"', row: 'unasked' })
    assert.deepEqual(await getInto(url), ['file'])
  })
})

/** The last segment of a URL's path, and under which name the file is saved. */
const segments: readonly (readonly [segment: string, name: string])[] = [
  ['plain.bin', 'plain.bin'],
  ['..%2f..%2fx', 'x'],
  ['%2fetc%2fx', 'x'],
  ['C:%5Cx', 'x'],
  ['a%00b', 'a_b'],
  ['.ssh', '_.ssh'],
  [`${'y'.repeat(300)}.bin`, `${'y'.repeat(251)}.bin`],
  ['-rf', '_-rf'],
]

suite('the name in a URL', { concurrency: 4 }, () => {
  for (const [segment, name] of segments) {
    test(`…/good/${segment} is saved as ${name} with -d`, async () => {
      assert.deepEqual(await getInto(server.url('good', {}, segment)), [name])
    })
  }

  for (const segment of ['%2e%2e%2f', '%2e', '%20']) {
    test(`…/${segment} is no name: one must be given`, async () => {
      const url = `${server.origin}/good/${segment}`.replace(
        '/good/',
        segment === '%2e' ? '/' : '/good/',
      )
      const { status, lastLine } = await home.run(['get', url, '-d', home.target])
      assert.equal(status, 2)
      assert.equal(parseLastLine(lastLine).symbol, 'E_INVALIDARG')
      assert.equal(server.requests(url).length, 0)
    })
  }

  test('a redirect does not rename the file', async () => {
    const to = server.url('good', { row: 'elsewhere' }, 'elsewhere')
    const folder = home.path('redirected')
    mkdirSync(folder)
    const { status } = await home.run([
      'get',
      server.url('redirect', { to }),
      '-d',
      folder,
      '-p',
      'foreground',
    ])
    assert.equal(status, 0)
    assert.deepEqual(readdirSync(folder), ['file'])
    assertWhole(join(folder, 'file'), server.resource(to))
  })
})
