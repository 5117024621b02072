/** A real origin, and what other programs make of the same files: nginx beside curl and aria2. */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { startOrigin, type Origin } from '../../bench/origin.ts'
import { LullHome } from '../lab/lull.ts'

const SMALL_FILES = 60
const LARGE_BYTES = 24 * 1024 * 1024

function isMissing(program: string): string | false {
  const { error } = spawnSync(program, ['-v'], { stdio: 'ignore' })
  return error === undefined ? false : `${program} is not installed`
}

function digest(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex')
}

const nginxIsMissing = isMissing('nginx') || isMissing('openssl')

describe('nginx', { skip: nginxIsMissing }, () => {
  let origin: Origin
  let home: LullHome

  before(async () => {
    const content = { largeBytes: LARGE_BYTES, smallFiles: SMALL_FILES, smallBytes: 20_480 }
    origin = await startOrigin(tmpdir(), content)
    home = new LullHome()
  })

  after(async () => {
    await home[Symbol.asyncDispose]()
    await origin[Symbol.asyncDispose]()
  })

  test(
    'lull get brings what curl brings, over http and over https',
    { skip: isMissing('curl') },
    async () => {
      const reference = home.path('curl')
      spawnSync('curl', ['-sSf', `${origin.http}/large`, '-o', reference])
      const expected = digest(reference)
      const plain = await home.run([
        'get',
        `${origin.http}/large`,
        '-o',
        home.path('plain'),
        '--sha256',
        expected,
      ])
      assert.equal(plain.status, 0, plain.stderr)
      const secure = [
        'get',
        '--cacert',
        origin.ca,
        `${origin.https}/large`,
        '-o',
        home.path('secure'),
      ]
      assert.equal((await home.run(secure)).status, 0)
      assert.deepEqual(
        [digest(home.path('plain')), digest(home.path('secure'))],
        [expected, expected],
      )
    },
  )

  test('a job of many files brings what aria2 brings', { skip: isMissing('aria2c') }, async () => {
    const [ours, theirs] = [home.path('ours'), home.path('theirs')]
    const list = home.path('list')
    mkdirSync(ours)
    writeFileSync(
      list,
      Array.from({ length: SMALL_FILES }, (_, index) => `${origin.http}/small/${index}`).join('\n'),
    )
    const { status, stderr } = await home.run(['get', '-i', list, '-d', ours])
    assert.equal(status, 0, stderr)
    spawnSync('aria2c', ['-q', '-j4', '-d', theirs, '-i', list])
    const names = readdirSync(theirs)
    assert.equal(names.length, SMALL_FILES)
    assert.deepEqual(readdirSync(ours).toSorted(), names.toSorted())
    for (const name of names) assert.equal(digest(join(ours, name)), digest(join(theirs, name)))
  })

  test('a certificate that nobody vouches for is refused before a byte is asked for', async () => {
    const refused = await home.run(['get', `${origin.https}/large`, '-o', home.path('refused')])
    assert.equal(refused.status, 1)
    assert.match(
      refused.lastLine,
      /\(ERROR_WINHTTP_SECURE_INVALID_CA 0x80072F0D, GENERAL_TRANSPORT\)$/u,
    )
  })
})
