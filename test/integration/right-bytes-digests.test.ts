/** A file has its name only when every digest agrees that anybody gave for it. */

import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import { Content } from '../lab/content.ts'
import { assertWhole, parseLastLine } from '../lab/expect.ts'
import { FaultServer, type FaultName } from '../lab/fault-server.ts'
import { settle } from '../lab/follow.ts'
import { LullHome } from '../lab/lull.ts'
import type { ResourceOptions } from '../lab/situation.ts'

const SIZE = 100_000
const REFUSED = '1 BG_E_VALIDATION_FAILED REMOTE_FILE'
const content = new Content(1_000, SIZE)
const wrong = '0'.repeat(64)

interface Row {
  readonly name: string
  readonly fault?: FaultName
  readonly options?: ResourceOptions
  readonly args?: readonly string[]
  /** Whether the file is taken. */
  readonly agrees: boolean
}

const given: readonly Row[] = [
  { name: '--sha256 that agrees', args: ['--sha256', content.digest('sha256')], agrees: true },
  {
    name: '--sha256 in capitals',
    args: ['--sha256', content.digest('sha256').toUpperCase()],
    agrees: true,
  },
  { name: '--sha256 that differs', args: ['--sha256', wrong], agrees: false },
  {
    name: '--digest md5 that agrees',
    args: ['--digest', `md5:${content.digest('md5')}`],
    agrees: true,
  },
  {
    name: 'two digests of which one differs',
    args: ['--digest', `md5:${content.digest('md5')}`, '--sha256', wrong],
    agrees: false,
  },
  {
    name: '--sha256 of a file in chunks that agrees',
    fault: 'chunked',
    args: ['--sha256', content.digest('sha256')],
    agrees: true,
  },
]

const fields = ['Repr-Digest', 'Content-Digest', 'Digest', 'Content-MD5']
const sent = fields.flatMap((field): readonly Row[] => {
  const algorithm = field === 'Content-MD5' ? 'md5' : 'sha-256'
  return [
    { name: `${field} that agrees`, fault: 'digest', options: { field, algorithm }, agrees: true },
    {
      name: `${field} that differs`,
      fault: 'digest',
      options: { field, algorithm, of: 'other' },
      agrees: false,
    },
  ]
})

const more: readonly Row[] = [
  {
    name: 'Repr-Digest of an algorithm that nobody knows',
    fault: 'head-line',
    options: { line: 'Repr-Digest: lab-999=:AAAA:' },
    agrees: true,
  },
  {
    name: 'Repr-Digest that agrees, after the body',
    fault: 'chunked',
    options: { trailer: `Repr-Digest: sha-256=:${content.digest('sha256', 'base64')}:` },
    agrees: true,
  },
  {
    name: 'Repr-Digest that differs, after the body',
    fault: 'chunked',
    options: { trailer: 'Repr-Digest: sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:' },
    agrees: false,
  },
]

const home = new LullHome()
const server = await FaultServer.start()
after(async () => {
  await home[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

let cases = 0

for (const [title, rows] of Object.entries({
  'digests of the user': given,
  'digests of the server': [...sent, ...more],
})) {
  suite(title, { concurrency: 4 }, () => {
    for (const row of rows) {
      test(`a file with ${row.name} is ${row.agrees ? 'taken' : 'refused'}`, () => check(row))
    }
  })
}

async function check({ fault = 'good', options = {}, args = [], agrees }: Row): Promise<void> {
  const folder = home.path(`case-${cases++}`)
  mkdirSync(folder)
  const target = join(folder, 'file')
  const url = server.url(fault, { size: SIZE, ...options, row: cases })
  const { status, lastLine } = await home.run([
    'get',
    url,
    '-o',
    target,
    '-p',
    'foreground',
    '-q',
    ...args,
  ])
  assert.equal(server.requests(url).length, 1)
  if (agrees) {
    assert.equal(status, 0, lastLine)
    assertWhole(target, server.resource(url))
    assert.deepEqual(readdirSync(folder), ['file'])
    return
  }
  const { symbol, context } = parseLastLine(lastLine)
  assert.equal(`${status} ${symbol} ${context}`, REFUSED)
  assert(!existsSync(target))
}

suite('digests of a file in pieces', { concurrency: true }, () => {
  for (const [name, digest] of [
    ['agrees', content.digest('sha256')],
    ['differs', wrong],
  ] as const) {
    test(`--sha256 that ${name} is checked over what was there before, too`, async () => {
      const target = home.path(`pieces-${name}`)
      const url = server.url('good', { size: SIZE, cut: 40_000, row: name })
      const args = ['-o', target, '-p', 'foreground', '--quiet', '--sha256', digest]
      const { status } = await home.run(['get', url, ...args])
      assert.equal(server.requests(url).at(-1)?.from, 40_000)
      assert.equal(status, name === 'agrees' ? 0 : 1)
      assert.equal(existsSync(target), name === 'agrees')
    })
  }
})

test('a digest that the server told with the first part counts for the whole file', async () => {
  const target = home.path('told')
  const options = {
    field: 'Repr-Digest',
    algorithm: 'sha-256',
    of: 'other',
    after: 40_000,
    times: 1,
  }
  const url = server.url('digest', { size: SIZE, ...options, row: 'told' })
  const { status, lastLine } = await home.run(['get', url, '-o', target, '-p', 'foreground', '-q'])
  const { symbol, context } = parseLastLine(lastLine)
  assert.equal(`${status} ${symbol} ${context}`, REFUSED)
  assert.deepEqual(
    server.requests(url).map(({ from }) => from),
    [0, 40_000],
  )
  assert(!existsSync(target))
})

suite('a file that was refused for its digest', { concurrency: true }, () => {
  const rows = [
    ['the user', 'good', { changes: 1 }, [`sha256:${new Content(1_001, SIZE).digest('sha256')}`]],
    ['the server', 'digest', { field: 'Repr-Digest', algorithm: 'sha-256', of: 'other', times: 1 }],
  ] as const
  for (const [who, fault, options, digests = []] of rows) {
    test(`is fetched anew when it is resumed: the digest of ${who}`, async () => {
      const target = home.path(`anew-${fault}`)
      const url = server.url(fault, { size: SIZE, ...options, row: 'anew' })
      const manager = await home.manager()
      const job = await manager.createJob(who, {
        files: [{ remoteName: url, localName: target, digests }],
        priority: 'foreground',
        completesItself: true,
        resume: true,
      })
      const { error } = await settle(job)
      assert.equal(error?.symbol, 'BG_E_VALIDATION_FAILED')
      await job.resume()
      const { state } = await settle(job)
      assert.equal(state, 'ACKNOWLEDGED')
      assertWhole(target, server.resource(url))
      assert.deepEqual(
        server.requests(url).map(({ from, sent }) => [from, sent]),
        [
          [0, SIZE],
          [0, SIZE],
        ],
      )
    })
  }
})
