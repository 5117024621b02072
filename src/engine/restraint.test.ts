/** What a refusal for having asked too much means for the next turns of a job. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { httpStatusFailure, type Failure } from '../job/failure.ts'
import type { Job } from '../job/job.ts'
import { Bench, done, me } from './bench.suite.ts'

const refusal = httpStatusFailure(429, 'The server answered 429')

/** The step at which the turn asks that a job has now. */
function restraint(bench: Bench, job: Job): number {
  const number = bench.turn(job)
  const order = bench.carriers.orders('fetch').find(({ turn }) => turn === number)
  return Math.ceil(order?.restraint ?? 0)
}

/** Lets a turn get some files, and then be refused; the next one begins. */
function refuse(bench: Bench, job: Job, files: readonly number[], failure = refusal): void {
  bench.connect(job)
  if (files.length > 0) bench.checkpoint(job, ...files.map((ordinal) => done(ordinal)))
  fail(bench, job, failure)
}

/** Fails a turn; the next one begins as soon as the retry delay is over. */
function fail(bench: Bench, job: Job, failure: Failure): void {
  bench.fail(job, failure)
  while (bench.state(job) === 'transientError') bench.clock.turn(1_000)
}

describe('Engine: restraint', () => {
  test('every refusal that something came before makes the next turn go easier', () => {
    const bench = new Bench()
    const job = bench.add('normal', 100)
    assert.equal(restraint(bench, job), 0)
    refuse(bench, job, [])
    assert.equal(restraint(bench, job), 1)
    refuse(bench, job, [0, 1])
    assert.equal(restraint(bench, job), 2)
    refuse(bench, job, [])
    assert.equal(restraint(bench, job), 2, 'a server that is down is down for everybody')
    refuse(bench, job, [2])
    assert.equal(restraint(bench, job), 3)
  })

  test('a minute without a refusal takes a step back, also where the turn ended for another reason', () => {
    const bench = new Bench()
    const job = bench.add('normal', 100)
    refuse(bench, job, [])
    refuse(bench, job, [0])
    bench.connect(job)
    bench.clock.turn(60_000)
    fail(bench, job, httpStatusFailure(502, 'The server answered 502'))
    assert.equal(restraint(bench, job), 1)
    bench.connect(job)
    bench.clock.turn(60_000)
    bench.engine.suspend(me, job.id)
    bench.over(job)
    bench.engine.resume(me, job.id)
    assert.equal(restraint(bench, job), 0)
  })

  test('the minute may be one of many turns: whoever gets none that is longer is not held back for ever', () => {
    const bench = new Bench()
    const job = bench.add('normal', 100)
    refuse(bench, job, [])
    for (let turns = 0; turns < 4; turns++) {
      assert(restraint(bench, job) > 0)
      bench.connect(job)
      bench.clock.turn(15_000)
      bench.engine.suspend(me, job.id)
      bench.over(job)
      bench.engine.resume(me, job.id)
    }
    assert.equal(restraint(bench, job), 0)
  })

  test('a server that says when to come again, and any other failure, changes nothing', () => {
    const bench = new Bench()
    const job = bench.add('normal', 100)
    refuse(bench, job, [0], httpStatusFailure(503, 'The server answered 503', { retryAfterMs: 1 }))
    refuse(bench, job, [1], httpStatusFailure(500, 'The server answered 500'))
    assert.equal(restraint(bench, job), 0)
  })
})
