/** The SDK as programs use it, over the socket and in the same process. */

import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import {
  BackgroundCopyError,
  CreateJobsError,
  BackgroundCopyManager,
  type JobEventView,
  type JobView,
} from 'lull'
import { embed } from 'lull/embed'
import { waitState } from '../lab/follow.ts'
import { FILE_BYTES, GatedOrigin } from '../lab/gated-origin.ts'
import { ways } from '../lab/engine-ways.ts'
import { LullHome } from '../lab/lull.ts'

let origin: GatedOrigin

before(async () => {
  origin = await GatedOrigin.start()
})
after(() => origin[Symbol.asyncDispose]())

for (const { name, open } of ways) {
  suite(`BackgroundCopyManager ${name}`, () => {
    const home = new LullHome({ config: { backgroundJobs: 100 } })
    let manager: Awaited<ReturnType<typeof open>>
    let files = 0

    before(async () => {
      manager = await open(home)
    })
    after(async () => {
      await manager[Symbol.asyncDispose]?.()
      await home[Symbol.asyncDispose]()
    })

    const target = (): string => home.path(`file-${files++}`)

    test('a job is SUSPENDED and empty, and BITS’s verbs take it to ACKNOWLEDGED', async () => {
      const localName = target()
      const job = await manager.createJob('vocabulary')
      assert.equal(await job.getState(), 'SUSPENDED')
      await assert.rejects(job.resume(), { symbol: 'BG_E_EMPTY', hresult: 0x80200003 })
      await job.addFile(origin.url('/good/v'), localName)
      await job.setPriority('foreground')
      await job.setDisplayName('renamed')
      await job.setDescription('what it is for')
      await job.setMinimumRetryDelay(60)
      await job.setNoProgressTimeout(120)
      await job.setCustomHeaders([['X-Sdk', 'yes']])
      const { displayName, description, priority, minimumRetryDelay } = await job.getView()
      assert.deepEqual(
        [displayName, description, priority, minimumRetryDelay],
        ['renamed', 'what it is for', 'foreground', 60],
      )
      await job.resume()
      await waitState(job, 'TRANSFERRED')
      assert.deepEqual(await job.getProgress(), {
        bytesTotal: FILE_BYTES,
        bytesTransferred: FILE_BYTES,
        filesTotal: 1,
        filesTransferred: 1,
      })
      await assert.rejects(job.getError(), { symbol: 'BG_E_ERROR_INFORMATION_UNAVAILABLE' })
      assert.equal(await job.complete(), 'S_OK')
      assert.equal(await job.getState(), 'ACKNOWLEDGED')
      assert.equal(origin.content.firstDifference(localName), undefined)
      assert.equal(origin.requests.at(-1)?.headers['x-sdk'], 'yes')
      await assert.rejects(job.complete(), { symbol: 'BG_E_INVALID_STATE' })
    })

    test('getError() gives the HRESULT, its symbol, the context and a sentence', async () => {
      const job = await manager.createJob('fails')
      const localName = target()
      await job.addFile(origin.url('/status/404/e'), localName)
      await job.resume()
      await waitState(job, 'ERROR')
      const error = await job.getError()
      assert(error instanceof BackgroundCopyError)
      assert.equal(error.hresult, 0x80190194)
      assert.equal(error.code, 'BG_E_HTTP_ERROR_404')
      assert.equal(error.context, 'REMOTE_FILE')
      assert.equal(error.localName, localName)
      assert.match(error.message, /404/u)
      assert.equal(await job.cancel(), 'S_OK')
    })

    test('what is refused is a BackgroundCopyError', async () => {
      const job = await manager.createJob('refused')
      const rows: readonly (readonly [call: () => Promise<unknown>, symbol: string])[] = [
        [() => manager.getJob('ffffffff-0000'), 'BG_E_NOT_FOUND'],
        [() => manager.createJob('x'.repeat(257)), 'E_INVALIDARG'],
        [() => manager.createJob('up', { type: 'upload' }), 'E_NOTIMPL'],
        [() => job.addFile('file:///etc/passwd', target()), 'E_INVALIDARG'],
        [() => job.addFile(origin.url('/good/x'), 'relative'), 'E_INVALIDARG'],
        [() => job.setDescription('x'.repeat(1_025)), 'BG_E_STRING_TOO_LONG'],
        [() => job.setMinimumRetryDelay(-1), 'E_INVALIDARG'],
        [
          () => manager.createJobs([{ displayName: 'good' }, { displayName: 'x'.repeat(257) }]),
          'E_INVALIDARG',
        ],
      ]
      for (const [call, symbol] of rows) {
        await assert.rejects(call(), (error: unknown) => {
          assert(error instanceof BackgroundCopyError, String(error))
          assert.equal(error.symbol, symbol)
          return true
        })
      }
      await job.cancel()
      await assert.rejects(job.addFile(origin.url('/good/x'), target()), {
        symbol: 'BG_E_INVALID_STATE',
      })
    })

    test('watch() tells the job as it is, every state, and ends when it is final', async () => {
      const job = await manager.createJob('watched', { completesItself: true })
      await job.addFile(origin.url('/good/w'), target())
      const states: string[] = []
      let isFirst = true
      for await (const event of job.watch()) {
        assert(event.kind !== 'gone')
        if (states.at(-1) !== event.job.state) states.push(event.job.state)
        if (isFirst) await job.resume()
        isFirst = false
      }
      assert.equal(states[0], 'SUSPENDED')
      assert(states.includes('TRANSFERRED'), states.join())
      assert.equal(states.at(-1), 'ACKNOWLEDGED')
    })

    test('watch() throws the reason of its signal, and can be left', async () => {
      const job = await manager.createJob('aborted')
      const controller = new AbortController()
      await assert.rejects(async () => {
        for await (const _ of job.watch({ signal: controller.signal })) {
          controller.abort(new Error('enough'))
        }
      }, /enough/u)
      for await (const _ of job.watch()) break
      await job.cancel()
    })

    test('fifty watchers of one job all see its end', async () => {
      const job = await manager.createJob('many watchers', { completesItself: true })
      await job.addFile(origin.url('/good/many'), target())
      const ready: Promise<void>[] = []
      const watchers = Array.from({ length: 50 }, () => {
        const { promise, resolve } = Promise.withResolvers<void>()
        ready.push(promise)
        return (async () => {
          let last: JobEventView | undefined
          for await (const event of job.watch()) {
            last = event
            resolve()
          }
          return last?.kind === 'gone' ? 'gone' : last?.job.state
        })()
      })
      await Promise.all(ready)
      await job.resume()
      assert.deepEqual(new Set(await Promise.all(watchers)), new Set(['ACKNOWLEDGED']))
    })

    test('createJobs() gives the jobs that were made beside those that were refused', async () => {
      const names = ['one', 'x'.repeat(257), 'three']
      const asked = manager.createJobs(names.map((displayName) => ({ displayName })))
      await assert.rejects(asked, (error: unknown) => {
        assert(error instanceof CreateJobsError)
        assert.equal(error.symbol, 'E_INVALIDARG')
        assert.deepEqual(
          error.outcomes.map((outcome) => outcome instanceof BackgroundCopyError),
          [false, true, false],
        )
        assert.equal(error.jobs.length, 2)
        return true
      })
    })

    test('createJobs() and enumJobs() go beyond one message and one page', async () => {
      const before = await count(manager)
      const made = await manager.createJobs(
        Array.from({ length: 2_300 }, (_, index) => ({ displayName: `batch ${index}` })),
      )
      assert.equal(made.length, 2_300)
      assert.equal((await made[2_299]?.getView())?.displayName, 'batch 2299')
      const names: string[] = []
      for await (const { displayName } of manager.enumJobs()) {
        if (displayName.startsWith('batch')) names.push(displayName)
      }
      assert.deepEqual(
        names,
        Array.from({ length: 2_300 }, (_, index) => `batch ${index}`),
      )
      assert.equal(await count(manager), before + 2_300)
    })

    test('a watcher that reads slowly is told the last word all the same', async () => {
      const { promise: isSlow, resolve: goOn } = Promise.withResolvers<void>()
      const seen = new Map<string, JobView>()
      const controller = new AbortController()
      const ready = Promise.withResolvers<void>()
      const watching = (async () => {
        for await (const event of manager.watch({ signal: controller.signal })) {
          if (event.kind !== 'gone') seen.set(event.job.id, event.job)
          ready.resolve()
          await isSlow
          if ([...seen.values()].filter(({ description }) => description === 'last').length === 300)
            return
        }
      })()
      const jobs = await manager.createJobs(
        Array.from({ length: 300 }, (_, index) => ({
          displayName: `slow ${index}`,
          description: 'x'.repeat(1_000),
        })),
      )
      // The stream says nothing about jobs that were made before it began.
      await Promise.all(jobs.slice(0, 1).map((job) => job.setDescription('first')))
      await ready.promise
      for (const job of jobs) {
        await Promise.all([job.setDescription('y'.repeat(1_000)), job.setPriority('low')])
      }
      await Promise.all(jobs.map((job) => job.setDescription('last')))
      goOn()
      await watching
      controller.abort()
      assert.equal(seen.size >= 300, true)
    })

    test('enumFiles() goes beyond one page', async () => {
      const job = await manager.createJob('many files')
      mkdirSync(home.path('many'), { recursive: true })
      await job.addFileSet(
        Array.from({ length: 1_500 }, (_, index) => ({
          remoteName: origin.url(`/good/${index}`),
          localName: join(home.path('many'), String(index)),
        })),
      )
      const ordinals: number[] = []
      for await (const { ordinal } of job.enumFiles()) ordinals.push(ordinal)
      assert.deepEqual(ordinals, [...Array(1_500).keys()])
      await job.cancel()
    })
  })
}

async function count(manager: BackgroundCopyManager): Promise<number> {
  const { jobs } = await manager.getStatus()
  return jobs
}

suite('embed()', () => {
  test('two engines cannot share a home, and one that has stopped leaves it free', async () => {
    await using home = new LullHome()
    const first = await embed({ home: home.home })
    const expected = { symbol: 'RPC_S_SERVER_UNAVAILABLE', code: 'ERR_SERVICE_LOCKED' }
    await assert.rejects(embed({ home: home.home }), expected)
    await first.stop()
    const second = await embed({ home: home.home })
    await second.stop()
    await second.stop()
  })

  test('a service and an engine cannot share a home', async () => {
    await using home = new LullHome()
    await home.run(['jobs'])
    await assert.rejects(embed({ home: home.home }), /process with id/u)
  })

  test('stop() ends watchers and refuses calls; the queue has everything', async () => {
    await using home = new LullHome()
    const { manager, stop } = await embed({ home: home.home })
    const job = await manager.createJob('stays', { description: 'in the queue' })
    const watching = assert.rejects(
      async () => {
        for await (const _ of job.watch()) await stop()
      },
      { symbol: 'RPC_S_SERVER_UNAVAILABLE' },
    )
    await watching
    await assert.rejects(job.getState(), { symbol: 'RPC_S_SERVER_UNAVAILABLE' })
    await using again = await embed({ home: home.home })
    assert.equal((await (await again.manager.getJob(job.id)).getView()).description, 'in the queue')
  })
})

suite('BackgroundCopyManager.connect()', () => {
  test('says why there is no service', async () => {
    await using home = new LullHome()
    await assert.rejects(BackgroundCopyManager.connect({ home: home.home, start: false }), {
      symbol: 'RPC_S_SERVER_UNAVAILABLE',
      code: 'ERR_RPC_UNREACHABLE',
    })
    writeFileSync(join(home.home, 'config.json'), 'garbage')
    await assert.rejects(home.manager(), { symbol: 'RPC_S_SERVER_UNAVAILABLE' })
  })

  test('watch() throws when the service is killed, and the manager finds the next one', async () => {
    await using home = new LullHome()
    const manager = await home.manager()
    const job = await manager.createJob('survives')
    await assert.rejects(
      async () => {
        for await (const _ of job.watch()) await home.killService()
      },
      { symbol: 'RPC_S_SERVER_UNAVAILABLE' },
    )
    await home.manager()
    assert.equal(await job.getState(), 'SUSPENDED')
  })
})
