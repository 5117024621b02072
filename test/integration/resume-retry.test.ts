/** Failures that pass: the job says what it waits for and until when, goes on where it was, and ends with a whole file. */

import assert from 'node:assert/strict'
import { after, suite, test } from 'node:test'
import type { BackgroundCopyJob, JobOptions } from 'lull'
import { assertWhole } from '../lab/expect.ts'
import { FaultServer, type FaultName } from '../lab/fault-server.ts'
import { settle, waitState } from '../lab/follow.ts'
import { LullHome } from '../lab/lull.ts'
import type { ResourceOptions } from '../lab/situation.ts'

const home = new LullHome()
const server = await FaultServer.start()
after(async () => {
  await home[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

let cases = 0

interface Begun {
  readonly url: string
  readonly target: string
  readonly job: BackgroundCopyJob
}

async function begin(
  fault: FaultName,
  resource: ResourceOptions = {},
  options: JobOptions = {},
): Promise<Begun> {
  const url = server.url(fault, { ...resource, row: ++cases })
  const target = home.path(`file-${cases}`)
  const manager = await home.manager()
  const job = await manager.createJob(`case ${cases}`, {
    files: [{ remoteName: url, localName: target }],
    priority: 'foreground',
    minimumRetryDelay: 5,
    completesItself: true,
    resume: true,
    ...options,
  })
  return { url, target, job }
}

/** Milliseconds between two moments that a job tells. */
function between(from: string, to: string | null): number {
  assert(to !== null)
  return Date.parse(to) - Date.parse(from)
}

suite('a failure that passes', { concurrency: true }, () => {
  test('is tried again after the minimum retry delay, by itself', async () => {
    const { url, target, job } = await begin('status', { code: 503, times: 1 })
    const { error, waitingFor, retryAt, modified } = await waitState(job, 'TRANSIENT_ERROR')
    assert.equal(error?.symbol, 'BG_E_HTTP_ERROR_503')
    assert.match(waitingFor ?? '', /^the next try in [1-6] s: The server answered 503/u)
    assert(between(modified, retryAt) >= 5_000)
    assert.equal((await waitState(job, 'ACKNOWLEDGED')).errorCount, 1)
    assert.equal(server.requests(url).length, 2)
    assertWhole(target, server.resource(url))
  })

  for (const [code, name] of [
    [503, 'BG_E_HTTP_ERROR_503'],
    [429, 'BG_E_HTTP_ERROR_429'],
  ] as const) {
    test(`${code} with Retry-After in seconds is not tried again before`, async () => {
      const { job } = await begin('status', { code, 'retry-after': 3600 })
      const { error, retryAt, modified } = await waitState(job, 'TRANSIENT_ERROR')
      assert.equal(error?.symbol, name)
      assert(between(modified, retryAt) >= 3_600_000)
      assert.equal(await job.cancel(), 'S_OK')
    })
  }

  test('503 with a date in Retry-After is not tried again before', async () => {
    const date = new Date(Date.now() + 7_200_000).toUTCString()
    const { job } = await begin('status', { code: 503, 'retry-after': date })
    const { retryAt } = await waitState(job, 'TRANSIENT_ERROR')
    // HTTP dates have no fractions of seconds.
    assert(between(date, retryAt) >= -1_000)
    await job.cancel()
  })

  test('is waited for longer and longer while nothing comes of it', async () => {
    const { job } = await begin('status', { code: 500 })
    const delays: number[] = []
    for (let tries = 1; tries <= 2; tries++) {
      const { retryAt, modified, errorCount } = await waitState(job, 'TRANSIENT_ERROR')
      assert.equal(errorCount, tries)
      delays.push(between(modified, retryAt))
      if (tries === 1) await waitState(job, 'CONNECTING')
    }
    const [first = 0, second = 0] = delays
    assert(second >= 1.5 * first, `${first} ms, then ${second} ms`)
    await job.cancel()
  })

  test('several times is nudged with Resume, and the file is whole', async () => {
    const { url, target, job } = await begin('status', { code: 503, times: 4 })
    assert.equal((await settle(job, { nudges: 4 })).state, 'ACKNOWLEDGED')
    assert.equal(server.requests(url).length, 5)
    assertWhole(target, server.resource(url))
  })

  test('for longer than the no-progress timeout allows is final', async () => {
    const { job } = await begin('status', { code: 503 }, { noProgressTimeout: 0 })
    const { state, error } = await settle(job)
    assert.deepEqual([state, error?.symbol], ['ERROR', 'BG_E_HTTP_ERROR_503'])
    assert.match(error?.message ?? '', /not tried again/u)
    await job.cancel()
  })

  test('that is a stalled body is gone on from where it stalled', async () => {
    const stall = { how: 'hang', after: 30_000, times: 1 }
    const { url, target, job } = await begin('cut', stall, { stallTimeout: 1 })
    const { error } = await waitState(job, 'TRANSIENT_ERROR')
    assert.equal(error?.symbol, 'ERROR_WINHTTP_TIMEOUT')
    await job.resume()
    assert.equal((await settle(job)).state, 'ACKNOWLEDGED')
    assert.deepEqual(
      server.requests(url).map(({ from }) => from),
      [0, 30_000],
    )
    assertWhole(target, server.resource(url))
  })

  test('that is an origin which does not run is waited for', async () => {
    const before = await FaultServer.start()
    const { port } = before
    await before[Symbol.asyncDispose]()
    const target = home.path('down')
    const manager = await home.manager()
    const job = await manager.createJob('down', {
      files: [{ remoteName: `http://127.0.0.1:${port}/good/file`, localName: target }],
      priority: 'foreground',
      completesItself: true,
      resume: true,
    })
    const { error, waitingFor } = await waitState(job, 'TRANSIENT_ERROR')
    assert.equal(error?.symbol, 'ERROR_WINHTTP_CANNOT_CONNECT')
    assert.match(
      waitingFor ?? '',
      /^the next try in \d+ s: Cannot connect to 127\.0\.0\.1 port \d+/u,
    )
    await using up = await FaultServer.start({ port })
    await job.resume()
    assert.equal((await settle(job)).state, 'ACKNOWLEDGED')
    assertWhole(target, up.resource('/good/file'))
  })
})
