import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { failure, type Failure } from '../job/failure.ts'
import type { Job } from '../job/job.ts'
import { Bench, me, other, root } from './bench.suite.ts'

const server = 'files.test:443'
const hash = 'ab'.repeat(32)

const wanted: Failure = failure(
  'BG_E_SERVER_CERT_VALIDATION_INTERFACE_REQUIRED',
  'SERVER_CERTIFICATE_CALLBACK',
  'Nobody has judged it',
  { shown: { server, certificates: ['AAAA'] } },
)

/** A job that waits for somebody to judge a server. */
function stopped(bench: Bench): Job {
  const job = bench.add('normal', 1, { resume: false })
  bench.engine.validation.set(me, job.id, true)
  bench.engine.resume(me, job.id)
  bench.connect(job)
  bench.fail(job, wanted)
  assert.equal(bench.state(job), 'error')
  return job
}

const accepted = (bench: Bench, job: Job): readonly string[] | undefined =>
  bench.engine.get(me, job.id).transfer.validation?.accepted

describe('judging servers (A84)', () => {
  test('a server that is accepted is remembered, and the job goes on', () => {
    const bench = new Bench()
    const job = stopped(bench)
    assert.deepEqual(bench.engine.validation.shown(me, job.id), wanted.shown)
    bench.engine.validation.judge(me, job.id, { server, hash, isAccepted: true })
    assert.equal(bench.state(job), 'connecting')
    assert.equal(bench.engine.validation.shown(me, job.id), undefined)
    const order = bench.carriers.orders('fetch').at(-1)
    assert.deepEqual(order?.transfer.validation, { accepted: [`${server} ${hash}`] })
  })

  test('a server that is rejected is a transient error with context 8, and not remembered', () => {
    const bench = new Bench()
    const job = stopped(bench)
    bench.engine.validation.judge(me, job.id, { server, hash, isAccepted: false })
    const { state } = bench.engine.get(me, job.id)
    assert(state.kind === 'transientError')
    assert.equal(state.failure.context, 'SERVER_CERTIFICATE_CALLBACK')
    assert.equal(state.failure.symbol, 'E_ACCESSDENIED')
    assert(state.retryAt !== undefined)
    assert.deepEqual(accepted(bench, job), [])
    const orders = bench.carriers.orders('fetch').length
    bench.clock.turn(700_000)
    assert.equal(bench.carriers.orders('fetch').length, orders + 1)
  })

  test('rejections use up the patience of a job', () => {
    const bench = new Bench()
    const job = stopped(bench)
    bench.engine.change(me, job.id, { patience: { noProgressTimeoutS: 1_000 } })
    for (let round = 0; round < 10 && bench.engine.get(me, job.id).transfer.validation; round++) {
      bench.engine.validation.judge(me, job.id, { server, hash, isAccepted: false })
      if (bench.state(job) === 'error') break
      bench.clock.turn(700_000)
      bench.fail(job, wanted)
    }
    const { state } = bench.engine.get(me, job.id)
    assert(state.kind === 'error')
    assert.equal(state.failure.symbol, 'E_ACCESSDENIED')
  })

  test('what is said of a server that the job does not wait for changes only what it remembers', () => {
    const bench = new Bench()
    const job = stopped(bench)
    bench.engine.validation.judge(me, job.id, { server: 'o:1', hash, isAccepted: false })
    bench.engine.validation.judge(me, job.id, { server: 'o:2', hash, isAccepted: true })
    assert.equal(bench.state(job), 'error')
    assert.deepEqual(accepted(bench, job), [`o:2 ${hash}`])
    for (let port = 1; port <= 300; port++) {
      bench.engine.validation.judge(me, job.id, { server: `o:${port}`, hash, isAccepted: true })
    }
    assert.equal(accepted(bench, job)?.length, 256)
  })

  test('who judges is set while the job does not move, and forgets what was accepted', () => {
    const bench = new Bench()
    const job = stopped(bench)
    const { validation } = bench.engine
    validation.judge(me, job.id, { server, hash, isAccepted: true })
    const set = (isRequired: boolean) => () => validation.set(me, job.id, isRequired)
    assert.throws(set(true), { code: 'BG_E_READ_ONLY_WHEN_JOB_ACTIVE' })
    bench.engine.suspend(me, job.id)
    set(true)()
    assert.deepEqual(accepted(bench, job), [])
    set(false)()
    assert.equal(accepted(bench, job), undefined)
    const judge = () => validation.judge(me, job.id, { server, hash, isAccepted: true })
    assert.throws(judge, { code: 'BG_E_INVALID_STATE' })
  })

  test('only the owner says who judges, and judges', () => {
    const bench = new Bench()
    const job = stopped(bench)
    for (const caller of [other, root]) {
      const { validation } = bench.engine
      const judgement = { server, hash, isAccepted: true }
      assert.throws(() => validation.set(caller, job.id, false), { code: 'E_ACCESSDENIED' })
      assert.throws(() => validation.judge(caller, job.id, judgement), { code: 'E_ACCESSDENIED' })
    }
  })

  test('names that are none are refused', () => {
    const bench = new Bench()
    const job = stopped(bench)
    for (const [name, digits] of [
      ['files.test', hash],
      ['a b:1', hash],
      [server, hash.slice(1)],
      [server, hash.toUpperCase()],
    ] as const) {
      const judgement = { server: name, hash: digits, isAccepted: true }
      assert.throws(() => bench.engine.validation.judge(me, job.id, judgement), {
        code: 'E_INVALIDARG',
      })
    }
  })
})
