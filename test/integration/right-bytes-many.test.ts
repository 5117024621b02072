/** Jobs of many files: what one answer does wrong falls on no other file. */

import assert from 'node:assert/strict'
import { after, suite, test } from 'node:test'
import { assertWhole } from '../lab/expect.ts'
import { FaultServer, type FaultName } from '../lab/fault-server.ts'
import { settle } from '../lab/follow.ts'
import { LullHome } from '../lab/lull.ts'
import type { ResourceOptions } from '../lab/situation.ts'

const FILES = 120

interface Row {
  readonly name: string
  /** What the file at this place suffers from. */
  readonly at: (place: number) => readonly [FaultName, ResourceOptions]
  /** Whether the job gets by without being tried again. */
  readonly unaided: boolean
}

const size = (place: number): number => (place * 977) % 30_000

const rows: readonly Row[] = [
  { name: 'good answers', at: (seed) => ['good', { seed, size: size(seed) }], unaided: true },
  {
    name: 'connections that close after every answer',
    at: (seed) => ['closes', { seed, size: size(seed) }],
    unaided: true,
  },
  {
    name: 'connections that close after every answer without a word',
    at: (seed) => ['closes-silently', { seed, size: size(seed) }],
    unaided: true,
  },
  {
    name: 'bodies that are longer than promised now and then',
    at: (seed) => [seed % 10 === 5 ? 'surplus' : 'good', { seed, size: size(seed), times: 1 }],
    unaided: false,
  },
  {
    name: 'answers that break off now and then',
    at: (seed) => [
      seed % 40 === 5 ? 'cut' : 'good',
      { seed, size: 20_000, after: 7_000, times: 1 },
    ],
    unaided: false,
  },
  {
    name: 'no answer now and then',
    at: (seed) => [seed % 40 === 5 ? 'no-answer' : 'good', { seed, size: size(seed), times: 1 }],
    unaided: false,
  },
  {
    name: 'chunks, lengths and ends of connections in turns',
    at: (seed) => {
      const fault = (['chunked', 'good', 'close-delimited'] as const)[seed % 3] ?? 'good'
      return [fault, { seed, size: size(seed) }]
    },
    unaided: true,
  },
  {
    name: '503 now and then',
    at: (seed) => [
      seed % 40 === 5 ? 'status' : 'good',
      { seed, size: size(seed), code: 503, times: 1 },
    ],
    unaided: false,
  },
]

const home = new LullHome()
const server = await FaultServer.start()
after(async () => {
  await home[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

suite('a job of many files', { concurrency: 2 }, () => {
  for (const [row, { name, at, unaided }] of rows.entries()) {
    test(`meets ${name}, and every file is whole`, async () => {
      const files = Array.from({ length: FILES }, (_, place) => ({
        remoteName: server.url(...withRow(at(place), row)),
        localName: home.path(`${row}-${place}`),
      }))
      const manager = await home.manager()
      const job = await manager.createJob(name, {
        files,
        priority: 'foreground',
        completesItself: true,
        resume: true,
      })
      const { state, error, errorCount } = await settle(job, { nudges: unaided ? 0 : FILES })
      assert.equal(state, 'ACKNOWLEDGED', error?.message)
      if (unaided) assert.equal(errorCount, 0)
      for (const { remoteName, localName } of files) {
        assertWhole(localName, server.resource(remoteName))
      }
    })
  }

  test('asked for one after the other takes no answer for that to the next request', async () => {
    const manager = await home.manager()
    for (let seed = 0; seed < 10; seed++) {
      const remoteName = server.url('surplus', { seed, forged: 'yes' })
      const localName = home.path(`forged-${seed}`)
      const files = [{ remoteName, localName }]
      const job = await manager.createJob('forged', { files, completesItself: true, resume: true })
      assert.equal((await settle(job, { nudges: 3 })).state, 'ACKNOWLEDGED')
      assertWhole(localName, server.resource(remoteName))
    }
  })

  test('of which one is missing fails with its name, and the others are kept', async () => {
    const files = Array.from({ length: 20 }, (_, seed) => ({
      remoteName: server.url(seed === 10 ? 'status' : 'good', { seed, code: 404, row: 'missing' }),
      localName: home.path(`missing-${seed}`),
    }))
    const manager = await home.manager()
    const options = { files, priority: 'foreground', completesItself: true, resume: true } as const
    const job = await manager.createJob('missing', options)
    const { state, error } = await settle(job)
    assert.deepEqual([state, error?.symbol, error?.file], ['ERROR', 'BG_E_HTTP_ERROR_404', 10])
    assert.equal(await job.complete(), 'BG_S_PARTIAL_COMPLETE')
    const names = new Set(home.files)
    for await (const { localName, completed } of job.enumFiles()) {
      assert.equal(names.has(localName.slice(home.target.length + 1)), completed)
    }
    assert(!names.has('missing-10'))
    // Another job may be on its way beside this one.
    const own = home.partials.filter((name) => name.includes(job.id.replaceAll('-', '')))
    assert.deepEqual(own, [])
  })
})

function withRow(
  [fault, options]: readonly [FaultName, ResourceOptions],
  row: number,
): readonly [FaultName, ResourceOptions] {
  return [fault, { ...options, row }]
}
