/** Jobs of more files than one message takes: made in portions, and never seen to run before they are whole. */

import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { findHome, currentWorld } from '../../src/client/home.ts'
import { createLongJob, UnfinishedJobError } from '../../src/client/long-job.ts'
import { socketTransport } from '../../src/client/socket-transport.ts'
import { RpcClient } from '../../src/rpc/client.ts'
import type { CreateParams } from '../../src/rpc/contract.ts'
import { LullHome } from '../lab/lull.ts'
import { parseLastLine } from '../lab/expect.ts'

/** One more than a portion has. */
const FILES = 10_001

/** A port that nobody listens at. */
const nowhere = 'http://127.0.0.1:9'

function longList(...more: readonly string[]): string {
  return [...Array.from({ length: FILES }, (_, index) => `${nowhere}/${index}`), ...more].join('\n')
}

function longJob(home: LullHome): CreateParams {
  return {
    displayName: 'long',
    files: Array.from({ length: FILES }, (_, index) => ({
      remoteName: `${nowhere}/${index}`,
      localName: home.path(String(index)),
    })),
    resume: true,
  }
}

function clientOf(home: LullHome): RpcClient {
  const world = currentWorld()
  const { socket } = findHome({ ...world, env: { ...world.env, LULL_HOME: home.home } })
  return new RpcClient(socketTransport(socket))
}

suite('long jobs', () => {
  test('lull get makes one job of a list that is longer than a message', async () => {
    await using home = new LullHome()
    const { status, stderr, stdout } = await home.run(['get', '-i', '-', '--detach', '--json'], {
      input: longList(),
    })
    assert.equal(status, 0, stderr)
    const [job, ...others] = await home.jobs()
    assert.deepEqual(others, [])
    assert.equal(job?.id, JSON.parse(stdout).id)
    assert.equal(job?.filesTotal, FILES)
    assert.notEqual(job?.state, 'SUSPENDED')
    const found = await (await home.manager()).getJob(job?.id ?? '')
    let next = 0
    for await (const { remoteName, ordinal } of found.enumFiles()) {
      assert.equal(ordinal, next)
      assert.equal(remoteName, `${nowhere}/${next}`)
      next += 1
    }
    assert.equal(next, FILES)
  })

  test('what is refused in the last portion leaves no job', async () => {
    await using home = new LullHome({ config: { authentication: { refuseUrlCredentials: true } } })
    const { status, lastLine } = await home.run(['get', '-i', '-', '--detach'], {
      input: longList('http://me:secret@127.0.0.1:9/last'),
    })
    assert.equal(status, 2)
    assert.match(parseLastLine(lastLine).sentence, /a name or password in the URL is not allowed/u)
    assert.deepEqual(await home.jobs(), [])
  })

  test('two files of one name are refused although they travel in two portions', async () => {
    await using home = new LullHome()
    const manager = await home.manager()
    const { displayName, files = [], ...rest } = longJob(home)
    const twice = [...files, { remoteName: `${nowhere}/again`, localName: home.path('0') }]
    await assert.rejects(manager.createJob(displayName, { ...rest, files: twice }), {
      symbol: 'E_INVALIDARG',
      context: 'LOCAL_FILE',
    })
    assert.deepEqual(await home.jobs(), [])
  })

  test('createJobs() makes long jobs among short ones, and tells what became of each', async () => {
    await using home = new LullHome()
    const manager = await home.manager()
    const short = { displayName: 'short', files: [{ remoteName: nowhere, localName: '/s' }] }
    const jobs = await manager.createJobs([short, { ...longJob(home), resume: false }, short])
    const views = await Promise.all(jobs.map((job) => job.getView()))
    assert.deepEqual(
      views.map(({ displayName, filesTotal, state }) => [displayName, filesTotal, state]),
      [
        ['short', 1, 'SUSPENDED'],
        ['long', FILES, 'SUSPENDED'],
        ['short', 1, 'SUSPENDED'],
      ],
    )
  })

  test('addFileSet() adds more files than a message takes', async () => {
    await using home = new LullHome()
    const job = await (await home.manager()).createJob('empty')
    await job.addFileSet(longJob(home).files ?? [])
    assert.equal((await job.getProgress()).filesTotal, FILES)
  })

  test('a service that dies before the job is whole leaves it suspended, and it is named', async () => {
    await using home = new LullHome()
    await home.manager()
    const dies = createLongJob(clientOf(home), longJob(home), {
      prepare: () => home.killService(),
    })
    let left = ''
    await assert.rejects(dies, (error) => {
      assert(error instanceof UnfinishedJobError)
      left = error.id
      return error.message.includes(left)
    })
    const [job, ...others] = await home.jobs()
    assert.deepEqual(others, [])
    assert.deepEqual([job?.id, job?.state, job?.filesTotal], [left, 'SUSPENDED', FILES])
  })

  test('whoever breaks off before the job is whole leaves nothing', async () => {
    await using home = new LullHome()
    await home.manager()
    const interrupt = new AbortController()
    const reason = new Error('broken off')
    const broken = createLongJob(clientOf(home), longJob(home), {
      prepare: async () => interrupt.abort(reason),
      signal: interrupt.signal,
    })
    await assert.rejects(broken, reason)
    assert.deepEqual(await home.jobs(), [])
  })
})
