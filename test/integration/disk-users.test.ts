/** What a service owns is its user's alone. */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { LullHome } from '../lab/lull.ts'

const NOBODY = 65_534
const skip =
  process.getuid?.() === 0 && existsSync('/proc')
    ? false
    : 'only root on Linux can become another user'

suite('another user', { skip }, () => {
  const home = new LullHome()
  const command = join(import.meta.dirname, '..', '..', 'bin', 'lull.js')

  /** What a program of nobody's ends with. */
  function asNobody(args: readonly string[]): {
    readonly status: number | null
    readonly output: string
  } {
    const env = { PATH: process.env['PATH'], LULL_HOME: home.home, HOME: '/nonexistent' }
    const options = { uid: NOBODY, gid: NOBODY, env, encoding: 'utf8', cwd: '/' } as const
    const { status, stdout, stderr } = spawnSync(process.execPath, args, options)
    return { status, output: stdout + stderr }
  }

  before(async () => {
    // The folder around the home lets everybody through: what keeps them out is the home itself.
    chmodSync(home.folder, 0o755)
    await (await home.manager()).createJob('private')
  })
  after(() => home[Symbol.asyncDispose]())

  test('cannot read any file of the home', () => {
    assert.equal(statSync(home.home).mode & 0o077, 0)
    for (const name of readdirSync(home.home)) {
      const read = `require('fs').readFileSync(${JSON.stringify(join(home.home, name))})`
      const { status, output } = asNobody(['-e', read])
      assert.notEqual(status, 0, name)
      assert.match(output, /EACCES/u)
    }
  })

  test('cannot use the service with the command', () => {
    const { status, output } = asNobody([command, 'jobs', '--json'])
    assert.equal(status, 3, output)
    assert.doesNotMatch(output, /private/u)
    const told = asNobody([command, 'status'])
    assert.equal(told.status, 3)
    assert.match(told.output, /permission denied, it is the service of another user/u)
  })

  test('is not heard at the socket, even where the folder lets everybody in', () => {
    chmodSync(home.home, 0o755)
    for (const name of readdirSync(home.home).filter((name) => name.endsWith('.sock'))) {
      chmodSync(join(home.home, name), 0o777)
    }
    const { output } = asNobody([command, 'jobs', '--json'])
    assert.doesNotMatch(output, /private/u)
    const socket = JSON.stringify(join(home.home, 'lull.sock'))
    const call = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'job.list', params: {} })
    const ask = `
      const request = require('http').request({ socketPath: ${socket}, method: 'POST', path: '/rpc',
        headers: { 'content-type': 'application/json', host: 'lull' } }, (response) => response.pipe(process.stdout))
      request.on('error', (error) => { console.log(error.code); process.exit(1) })
      request.end(${JSON.stringify(call)})`
    const raw = asNobody(['-e', ask])
    assert.doesNotMatch(raw.output, /private/u)
    chmodSync(home.home, 0o700)
  })
})
