import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { Bench, done, me, part } from '../engine/bench.suite.ts'
import type { Job } from '../job/job.ts'
import type { JobEventView } from '../rpc/contract.ts'
import { EventReader } from '../rpc/server-sent-events.ts'
import { EventStream } from './event-stream.ts'

/** What a watcher of a job hears; time stands still until the test turns it. */
class Watcher {
  now = 0
  readonly bench = new Bench()
  readonly job: Job
  readonly stream: EventStream
  isFull = false
  readonly #reader = new EventReader()
  readonly #heard: string[] = []

  constructor(t: TestContext, files: number) {
    t.mock.method(performance, 'now', () => this.now)
    t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] })
    this.job = this.bench.add('normal', files)
    this.bench.connect(this.job)
    this.stream = new EventStream(this.bench.engine, me, [this.job.id], this.#sink())
    t.after(() => this.stream[Symbol.dispose]())
  }

  /** `kind STATE files bytes`, since this was last asked. */
  heard(): readonly string[] {
    return this.#heard.splice(0)
  }

  #sink(): ConstructorParameters<typeof EventStream>[3] {
    const hear = (text: string): void => {
      for (const { data } of this.#reader.push(text)) {
        // The stream's own words, made by the contract.
        const event = JSON.parse(data) as Exclude<JobEventView, { kind: 'gone' }>
        const { state, filesTransferred, bytesTransferred } = event.job
        this.#heard.push(`${event.kind} ${state} ${filesTransferred} ${bytesTransferred}`)
      }
    }
    const isFull = (): boolean => this.isFull
    return {
      write: hear,
      get isFull() {
        return isFull()
      },
    }
  }
}

test('a stream tells of more files a few times a second, however many come', (t) => {
  const watcher = new Watcher(t, 4)
  const { bench, job } = watcher
  assert.deepEqual(watcher.heard(), ['job TRANSFERRING 0 0'])
  bench.checkpoint(job, done(0))
  bench.checkpoint(job, done(1))
  assert.deepEqual(watcher.heard(), [])
  watcher.now = 200
  t.mock.timers.tick(200)
  assert.deepEqual(watcher.heard(), ['job TRANSFERRING 2 20'])
  bench.checkpoint(job, done(2))
  watcher.now = 400
  bench.checkpoint(job, part(3, 50))
  assert.deepEqual(watcher.heard(), ['job TRANSFERRING 3 80'])
})

test('a stream tells of every other change at once, with what has come since', (t) => {
  const watcher = new Watcher(t, 2)
  const { bench, job } = watcher
  watcher.heard()
  bench.checkpoint(job, done(0))
  bench.engine.change(me, job.id, { displayName: 'another' })
  assert.deepEqual(watcher.heard(), ['job TRANSFERRING 1 10'])
  bench.engine.suspend(me, job.id)
  assert.deepEqual(watcher.heard(), ['job SUSPENDED 1 10'])
  watcher.now = 200
  t.mock.timers.tick(200)
  assert.deepEqual(watcher.heard(), [])
})

test('a stream that was full tells of a change as one, whatever bytes move after it', (t) => {
  const watcher = new Watcher(t, 2)
  const { bench, job, stream } = watcher
  watcher.heard()
  watcher.isFull = true
  bench.checkpoint(job, done(0))
  bench.carriers.report({ kind: 'moved', job: job.id, turn: bench.turn(job), bytes: 15 })
  watcher.isFull = false
  stream.drained()
  assert.deepEqual(watcher.heard(), ['job TRANSFERRING 1 15'])
})
