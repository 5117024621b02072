/** What programs and commands meet that run with a Node which is too old; needs one on the PATH. */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { suite, test } from 'node:test'
import { pathToFileURL } from 'node:url'

const root = join(import.meta.dirname, '..', '..')

/** A Node of 20 or 22, wherever there is one. */
function findOlderNode(): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin', '/usr/local/bin']
  return folders
    .map((folder) => join(folder, 'node'))
    .filter((path) => existsSync(path))
    .find((path) => {
      const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' })
      return /^v2[0-3]\./u.test(stdout)
    })
}

const older = findOlderNode()

suite('an older Node', { skip: older === undefined && 'there is none here' }, () => {
  for (const door of ['index.js', 'embed.js']) {
    test(`cannot import ${door}, and is told why in one sentence`, () => {
      const url = JSON.stringify(pathToFileURL(join(root, 'dist', door)))
      const script = `import(${url}).catch((error) => console.log(error.message))`
      const { stdout, stderr } = spawnSync(older ?? '', ['-e', script], { encoding: 'utf8' })
      assert.equal(stderr, '')
      assert.match(stdout, /^Cannot use Lull: it needs Node 24 or newer, this is 2\d\.[\d.]+\n$/u)
    })
  }

  test('runs the command with the Node that a clone brings', () => {
    const { stdout, status } = spawnSync(older ?? '', [join(root, 'bin', 'lull.js'), '--version'], {
      encoding: 'utf8',
    })
    assert.equal(status, 0)
    assert.match(stdout, /^lull \d/u)
  })
})
