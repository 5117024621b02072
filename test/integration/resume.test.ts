/** A service that is killed, ended or told to pause in mid-file: what it has is kept, and the file is never a mixture. */

import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import type { BackgroundCopyJob } from 'lull'
import { defaultSettings } from '../../src/engine/settings.ts'
import { assertWhole } from '../lab/expect.ts'
import { FaultServer, type FaultName } from '../lab/fault-server.ts'
import { settle } from '../lab/follow.ts'
import { LullHome, until } from '../lab/lull.ts'
import type { ResourceOptions } from '../lab/situation.ts'

const SIZE = 3 * 1024 * 1024

/** Bytes per second while the file is young: what a second is worth. */
const RATE = 1024 * 1024

/** How many bytes may be asked for again: those of one interval, and of the sync that ends it on a busy disk. */
const ASKED_AGAIN = (RATE * (defaultSettings.checkpoint.everyMs + 1_500)) / 1_000

/** One kind of file. */
interface Kind {
  readonly name: string
  readonly fault?: FaultName
  readonly options?: ResourceOptions
  /** Whether it goes on where it was. */
  readonly goesOn: boolean
  /** Whether the file on the server becomes another one meanwhile. */
  readonly changes?: boolean
  /** Requests in all. */
  readonly requests: number
}

const kinds: readonly Kind[] = [
  { name: 'a strong tag', goesOn: true, requests: 2 },
  { name: 'an old Last-Modified', options: { etag: 'none' }, goesOn: true, requests: 2 },
  {
    name: 'a weak tag and an old Last-Modified',
    options: { etag: 'weak' },
    goesOn: true,
    requests: 2,
  },
  { name: 'a strong tag and no known length', fault: 'chunked', goesOn: true, requests: 2 },
  {
    name: 'a weak tag alone',
    options: { etag: 'weak', modified: 'none' },
    goesOn: false,
    requests: 2,
  },
  {
    name: 'a Last-Modified of just now',
    options: { etag: 'none', modified: 'fresh' },
    goesOn: false,
    requests: 2,
  },
  { name: 'no validator', options: { etag: 'none', modified: 'none' }, goesOn: false, requests: 2 },
  { name: 'another version by its tag', changes: true, goesOn: false, requests: 3 },
  {
    name: 'another version by its Last-Modified',
    options: { etag: 'none' },
    changes: true,
    goesOn: false,
    requests: 3,
  },
  {
    name: 'another version that nothing tells of',
    options: { etag: 'none', modified: 'none' },
    changes: true,
    goesOn: false,
    requests: 2,
  },
  {
    name: 'a server that ignores ranges',
    options: { ignores: 'ranges' },
    goesOn: false,
    requests: 3,
  },
  { name: 'another tag from every node', options: { etag: 'edge' }, goesOn: false, requests: 3 },
]

interface Running extends Kind {
  readonly url: string
  readonly target: string
  readonly job: BackgroundCopyJob
  /** What the service said to be on disk, right before it was killed. */
  durable: number
}

suite('a service killed in mid-file', () => {
  const home = new LullHome()
  const files: Running[] = []
  let server: FaultServer

  before(async () => {
    server = await FaultServer.start()
    files.push(...(await begin(home, server, kinds)))
    await untilDurable(files)
    for (const file of files) file.durable = await durableBytes(file.job)
    await home.killService()
    for (const { url, changes } of files) {
      const resource = server.resource(url)
      resource.rate = Infinity
      if (changes === true) resource.change()
    }
    // The next client starts the next service, which goes on by itself.
    await home.manager()
  })
  after(async () => {
    await home[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
  })

  for (const [index, { name, goesOn, requests }] of kinds.entries()) {
    const outcome = goesOn ? 'goes on where it was' : 'starts again from zero'
    test(`a file with ${name} ${outcome} and is whole`, async () => {
      const file = files[index]
      assert(file !== undefined)
      const { state, error } = await settle(file.job)
      assert.equal(state, 'ACKNOWLEDGED', error?.message)
      assertWhole(file.target, server.resource(file.url))
      assert.equal(server.resource(file.url).content.firstDifference(file.target), undefined)
      const log = server.requests(file.url)
      assert.equal(log.length, requests)
      if (!goesOn) {
        assert.equal(log.at(-1)?.from, 0)
        return
      }
      const [first, second] = log
      assert(first !== undefined && second !== undefined)
      assert(second.from >= file.durable, `${second.from} is before ${file.durable}`)
      const again = first.sent - second.from
      assert(again <= ASKED_AGAIN, `${again} bytes were asked for again`)
    })
  }

  test('no partial file is left', () => assert.deepEqual(home.partials, []))
})

/** Ways to stop that leave time to make everything durable. */
const orderly: Readonly<Record<string, (home: LullHome, file: Running) => Promise<void>>> = {
  'a service ended by SIGTERM': (home) => home.stopService(),
  'a service ended by lull stop': async (home) => {
    assert.equal((await home.run(['stop'])).status, 0)
  },
  'a job that is suspended and resumed': async (_, { job }) => {
    await job.suspend()
    await until(async () => (await job.getView()).state === 'SUSPENDED', 'the job is suspended')
  },
}

suite('orderly interruptions', { concurrency: true }, () => {
  for (const [name, interrupt] of Object.entries(orderly)) {
    test(`${name} asks for almost nothing again`, async () => {
      await using home = new LullHome()
      await using server = await FaultServer.start()
      const [file] = await begin(home, server, [{ name, goesOn: true, requests: 2 }])
      assert(file !== undefined)
      await untilDurable([file])
      await interrupt(home, file)
      server.resource(file.url).rate = Infinity
      const job = await (await home.manager()).getJob(file.job.id)
      if ((await job.getState()) === 'SUSPENDED') await job.resume()
      const { state, error } = await settle(job)
      assert.equal(state, 'ACKNOWLEDGED', error?.message)
      assertWhole(file.target, server.resource(file.url))
      const [first, second] = server.requests(file.url)
      assert(first !== undefined && second !== undefined)
      const again = first.sent - second.from
      assert(again <= RATE / 8, `${again} bytes were asked for again`)
      assert.deepEqual(home.files, ['file-0'])
    })
  }
})

test('a file of a hundred parts is whole after the service was killed five times', async () => {
  await using home = new LullHome()
  await using server = await FaultServer.start()
  const urls = Array.from({ length: 100 }, (_, seed) =>
    server.url('good', { seed, size: 20_000, rate: 100_000 }),
  )
  const manager = await home.manager()
  const { id } = await manager.createJob('many', {
    files: urls.map((remoteName, at) => ({ remoteName, localName: home.path(`file-${at}`) })),
    completesItself: true,
    resume: true,
  })
  for (let kills = 0; kills < 5; kills++) {
    const seen = server.log.length
    await until(() => server.log.length > seen + 4, 'more files are asked for')
    await home.killService()
    await home.manager()
  }
  const { state, error } = await settle(await (await home.manager()).getJob(id))
  assert.equal(state, 'ACKNOWLEDGED', error?.message)
  for (const [at, url] of urls.entries()) assertWhole(home.path(`file-${at}`), server.resource(url))
  assert.deepEqual(home.partials, [])
})

async function begin(
  home: LullHome,
  server: FaultServer,
  kinds: readonly Kind[],
): Promise<Running[]> {
  const manager = await home.manager()
  const running = kinds.map(async (kind, seed): Promise<Running> => {
    const { name, fault = 'good', options = {} } = kind
    const url = server.url(fault, { size: SIZE, rate: RATE, seed, ...options })
    const target = home.path(`file-${seed}`)
    const job = await manager.createJob(name, {
      files: [{ remoteName: url, localName: target }],
      priority: 'foreground',
      completesItself: true,
      resume: true,
    })
    return { ...kind, url, target, job, durable: 0 }
  })
  return Promise.all(running)
}

async function untilDurable(files: readonly Running[]): Promise<void> {
  for (const { job } of files) {
    await until(async () => (await durableBytes(job)) > 0, 'bytes are on disk', 20)
  }
}

async function durableBytes(job: BackgroundCopyJob): Promise<number> {
  let bytes = 0
  for await (const { bytesTransferred } of job.enumFiles()) bytes += bytesTransferred
  return bytes
}
