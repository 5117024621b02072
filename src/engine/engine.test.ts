import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { failure } from '../job/failure.ts'
import type { Job } from '../job/job.ts'
import { Bench, done, me, other, part, root } from './bench.suite.ts'

const refused = failure('ERROR_WINHTTP_CANNOT_CONNECT', 'GENERAL_TRANSPORT', 'Connection refused')
const noNetwork = failure('BG_E_NETWORK_DISCONNECTED', 'GENERAL_TRANSPORT', 'No network', {
  waitsFor: 'network',
})
const notFound = failure('ERROR_FILE_NOT_FOUND', 'REMOTE_FILE', 'Not there')

/** What one of the orders to rename is about. */
function ordinals(bench: Bench, index: number): readonly number[] {
  return bench.carriers.orders('rename')[index]?.files.map(({ ordinal }) => ordinal) ?? []
}

describe('Engine: the life of a job', () => {
  test('a job is connected, transferred, renamed and acknowledged', async () => {
    const bench = new Bench()
    const job = bench.add('normal', 2)
    assert.equal(bench.state(job), 'connecting')
    bench.connect(job)
    assert.equal(bench.state(job), 'transferring')
    bench.checkpoint(job, done(0), done(1))
    bench.over(job)
    assert.equal(bench.state(job), 'transferred')
    const completing = bench.engine.complete(me, job.id)
    const [rename] = bench.carriers.orders('rename')
    assert.deepEqual(
      rename?.files.map(({ ordinal, identity }) => [ordinal, identity?.inode]),
      [
        [0, '0'],
        [1, '1'],
      ],
    )
    bench.carriers.report({ kind: 'renamed', job: job.id, ordinals: [0, 1] })
    const { job: final } = await completing
    assert.deepEqual(final.state, { kind: 'acknowledged', partial: false })
  })

  test('Complete does not succeed when the job is cancelled meanwhile', async () => {
    const bench = new Bench()
    const job = bench.add('normal', 2)
    bench.connect(job)
    bench.checkpoint(job, done(0), done(1))
    bench.over(job)
    const completing = bench.engine.complete(me, job.id)
    const cancelling = bench.engine.cancel(me, job.id)
    bench.carriers.report({ kind: 'renamed', job: job.id, ordinals: [0] })
    bench.carriers.report({ kind: 'discarded', job: job.id, leftovers: [] })
    await assert.rejects(completing, { code: 'BG_E_INVALID_STATE' })
    assert.equal((await cancelling).job.state.kind, 'cancelled')
  })

  test('a job that completes itself needs nobody', () => {
    const bench = new Bench()
    const job = bench.add('normal', 1, { completesItself: true })
    bench.connect(job)
    bench.checkpoint(job, done(0))
    bench.over(job)
    bench.carriers.report({ kind: 'renamed', job: job.id, ordinals: [0] })
    assert.equal(bench.state(job), 'acknowledged')
  })

  test('a rename that fails leaves the job transferred, and Complete goes on with the rest (bits-jobs.md §6.3)', async () => {
    const bench = new Bench()
    const job = bench.add('normal', 2)
    bench.connect(job)
    bench.checkpoint(job, done(0), done(1))
    bench.over(job)
    const exists = failure('ERROR_FILE_EXISTS', 'LOCAL_FILE', 'It is there already')
    const failing = bench.engine.complete(me, job.id)
    bench.carriers.report({ kind: 'renamed', job: job.id, ordinals: [0], failure: exists })
    await assert.rejects(failing, { code: 'ERROR_FILE_EXISTS', context: 'LOCAL_FILE' })
    assert.equal(bench.state(job), 'transferred')
    const again = bench.engine.complete(me, job.id)
    assert.deepEqual(
      bench.carriers
        .orders('rename')
        .at(-1)
        ?.files.map(({ ordinal }) => ordinal),
      [1],
    )
    bench.carriers.report({ kind: 'renamed', job: job.id, ordinals: [1] })
    assert.equal((await again).job.state.kind, 'acknowledged')
  })

  describe('A job of thousands of files that completes itself', () => {
    const files = 3_500
    const exists = failure('ERROR_FILE_EXISTS', 'LOCAL_FILE', 'It is there already')

    function renaming(): { readonly bench: Bench; readonly job: Job } {
      const bench = new Bench()
      const job = bench.add('normal', files, { completesItself: true })
      bench.connect(job)
      while (bench.store.find(job.id)?.tally.filesTransferred !== files) {
        const known = bench.carriers.orders('fetch').flatMap((order) => order.files)
        bench.checkpoint(job, ...known.map(({ ordinal }) => done(ordinal)))
      }
      bench.over(job)
      return { bench, job }
    }

    test('has the next of them renamed while the last are being committed', () => {
      const { bench, job } = renaming()
      assert.equal(bench.carriers.orders('rename').length, 3)
      for (let index = 0; ordinals(bench, index).length > 0; index++) {
        assert.equal(bench.state(job), 'transferred')
        bench.carriers.report({ kind: 'renamed', job: job.id, ordinals: ordinals(bench, index) })
      }
      assert.equal(bench.state(job), 'acknowledged')
      assert.deepEqual(
        bench.carriers.orders('rename').flatMap((order) => order.files.map((file) => file.ordinal)),
        Array.from({ length: files }, (_, ordinal) => ordinal),
      )
    })

    test('stays, with what was renamed meanwhile, when one does not get its name', () => {
      const { bench, job } = renaming()
      bench.carriers.report({ kind: 'renamed', job: job.id, ordinals: [0], failure: exists })
      for (const index of [1, 2]) {
        assert.equal(bench.store.find(job.id)?.pending, 'complete', `order ${index} is under way`)
        bench.carriers.report({ kind: 'renamed', job: job.id, ordinals: ordinals(bench, index) })
      }
      assert.equal(bench.store.find(job.id)?.pending, undefined)
      assert.equal(bench.carriers.orders('rename').length, 3)
      assert.equal(bench.store.findFile(job.id, ordinals(bench, 2)[0] ?? 0)?.kind, 'completed')
    })

    test('is deleted only when nothing is being renamed any more', async () => {
      const { bench, job } = renaming()
      const cancelling = bench.engine.cancel(me, job.id)
      bench.carriers.report({ kind: 'renamed', job: job.id, ordinals: ordinals(bench, 0) })
      for (const _ of [1, 2]) {
        assert.equal(bench.carriers.orders('discard').length, 0)
        bench.carriers.report({ kind: 'renamed', job: job.id, ordinals: [], failure: exists })
      }
      while (bench.state(job) === 'cancelled' && bench.store.find(job.id)?.pending !== undefined) {
        bench.carriers.report({ kind: 'discarded', job: job.id, leftovers: [] })
      }
      await cancelling
      assert.equal(bench.carriers.orders('rename').length, 3)
    })
  })

  test('Complete of a moving job keeps what is whole and deletes the rest (bits-jobs.md §6.3)', async () => {
    const bench = new Bench()
    const job = bench.add('normal', 2)
    bench.connect(job)
    bench.checkpoint(job, done(0), part(1, 5))
    const completing = bench.engine.complete(me, job.id)
    assert.equal(bench.carriers.orders('stop').length, 1)
    assert.equal(
      bench.carriers.orders('rename').length,
      0,
      'nothing is renamed while the turn lasts',
    )
    bench.over(job)
    bench.carriers.report({ kind: 'renamed', job: job.id, ordinals: [0] })
    assert.equal(bench.carriers.orders('discard')[0]?.partialNames.length, 1)
    bench.carriers.report({ kind: 'discarded', job: job.id, leftovers: [] })
    assert.deepEqual((await completing).job.state, { kind: 'acknowledged', partial: true })
  })

  test('Cancel deletes what is partial once the turn is over, and tells what it could not delete', async () => {
    const bench = new Bench()
    const job = bench.add()
    bench.connect(job)
    bench.checkpoint(job, part(0, 5))
    const cancelling = bench.engine.cancel(me, job.id)
    assert.equal(bench.state(job), 'cancelled')
    assert.equal(bench.carriers.orders('discard').length, 0)
    bench.over(job)
    bench.carriers.report({ kind: 'discarded', job: job.id, leftovers: ['/data/x'] })
    assert.deepEqual((await cancelling).leftovers, ['/data/x'])
    await assert.rejects(bench.engine.cancel(me, job.id), { code: 'BG_E_INVALID_STATE' })
  })

  test('a job that never moved is cancelled without a carrier', async () => {
    const bench = new Bench()
    const job = bench.add('normal', 1, { resume: false })
    await bench.engine.cancel(me, job.id)
    assert.deepEqual(bench.carriers.sent, [])
  })

  test('Suspend stops the turn, keeps what the last checkpoint says, and Resume goes on from there', () => {
    const bench = new Bench()
    const job = bench.add()
    bench.connect(job)
    bench.engine.suspend(me, job.id)
    bench.engine.resume(me, job.id)
    assert.equal(bench.state(job), 'queued', 'the last turn is still being wound up')
    bench.checkpoint(job, part(0, 42))
    bench.over(job)
    assert.equal(bench.state(job), 'connecting')
    const [file] = bench.carriers.orders('fetch').at(-1)?.files ?? []
    assert.deepEqual(
      [file?.ranges, file?.version, file?.size],
      [[{ start: 0, end: 42 }], { etag: '"1"' }, 100],
    )
  })
})

describe('Engine: files', () => {
  test('a file that changed is forgotten durably before the carrier may write over it', () => {
    const bench = new Bench()
    const job = bench.add()
    bench.connect(job)
    bench.checkpoint(job, part(0, 42))
    bench.carriers.report({
      kind: 'changed',
      job: job.id,
      turn: bench.turn(job),
      ordinal: 0,
      reason: 'x',
      tagOnly: true,
    })
    assert.deepEqual(bench.store.findFile(job.id, 0)?.ranges, [])
    assert.equal(bench.store.findFile(job.id, 0)?.version, undefined)
    assert.equal(bench.store.findFile(job.id, 0)?.tagRestarts, 1)
    assert.equal(bench.engine.get(me, job.id).tally.bytesTransferred, 0)
    assert.equal(bench.carriers.orders('restart').length, 1)
  })

  test('reports of an older turn change nothing', () => {
    const bench = new Bench()
    const job = bench.add()
    const stale = bench.turn(job)
    bench.connect(job)
    bench.over(job)
    assert.equal(
      bench.state(job),
      'transientError',
      'a carrier that leaves files behind has failed',
    )
    bench.engine.resume(me, job.id)
    assert.notEqual(bench.turn(job), stale)
    bench.carriers.report({ kind: 'checkpoint', job: job.id, turn: stale, files: [done(0)] })
    assert.equal(bench.engine.get(me, job.id).tally.filesTransferred, 0)
  })

  test('a large job is handed over in portions, and refilled as files become durable', () => {
    const bench = new Bench()
    const job = bench.add('normal', 5_000)
    const count = (): number =>
      bench.carriers.orders('fetch').reduce((sum, { files }) => sum + files.length, 0)
    const first = count()
    assert(first < 5_000)
    bench.connect(job)
    for (let at = 0; at < 5_000; at += 500) {
      bench.checkpoint(job, ...Array.from({ length: 500 }, (_, index) => done(at + index)))
    }
    assert.equal(count(), 5_000)
    assert.equal(bench.carriers.orders('last').length, 1)
    bench.over(job)
    assert.equal(bench.state(job), 'transferred')
  })

  test('files added to a moving job are fetched too', () => {
    const bench = new Bench()
    const job = bench.add()
    bench.connect(job)
    bench.engine.addFiles(me, job.id, [
      { remoteName: 'http://origin/more', localName: '/data/more' },
    ])
    bench.checkpoint(job, done(0))
    bench.over(job)
    assert.equal(bench.state(job), 'connecting')
    assert.deepEqual(
      bench.carriers
        .orders('fetch')
        .at(-1)
        ?.files.map(({ ordinal }) => ordinal),
      [1],
    )
  })
})

describe('Engine: waiting', () => {
  test('a transient failure is tried again after the retry delay, whatever somebody does to the clock', () => {
    const bench = new Bench()
    const job = bench.add('normal', 1, { patience: { minimumRetryDelayS: 60 } })
    bench.fail(job, refused)
    assert.equal(bench.state(job), 'transientError')
    bench.clock.set(bench.clock.now() - 86_400_000)
    bench.clock.turn(59_000)
    assert.equal(bench.state(job), 'transientError')
    bench.clock.turn(8_000)
    assert.equal(bench.state(job), 'connecting')
  })

  test('progress restores patience; the same bytes again are no progress', () => {
    const bench = new Bench()
    const job = bench.add('normal', 1, {
      patience: { minimumRetryDelayS: 5, noProgressTimeoutS: 30 },
    })
    const fetchAgain = (bytes: number): void => {
      bench.checkpoint(job, { ...part(0, bytes), transferred: false })
      bench.fail(job, refused)
      bench.clock.turn(31_000)
    }
    fetchAgain(10)
    fetchAgain(20)
    assert.equal(bench.state(job), 'connecting')
    for (let round = 0; round < 5 && bench.state(job) !== 'error'; round++) {
      bench.carriers.report({
        kind: 'changed',
        job: job.id,
        turn: bench.turn(job),
        ordinal: 0,
        reason: 'x',
        tagOnly: false,
      })
      fetchAgain(20)
    }
    assert.equal(bench.state(job), 'error')
  })

  test('every waiting job is tried as soon as a network appears (bits-jobs.md §21)', () => {
    const bench = new Bench({ settings: { schedule: { backgroundJobs: 2, timeSliceMs: 1_000 } } })
    const [a, b] = [bench.add(), bench.add()]
    bench.fail(b, refused)
    bench.network.goAway()
    bench.fail(a, noNetwork)
    assert.equal(bench.network.watchers, 1)
    bench.clock.turn(500_000)
    assert.equal(bench.state(a), 'transientError', 'no clock brings a network')
    bench.network.comeBack()
    assert.deepEqual([bench.state(a), bench.state(b)], ['connecting', 'connecting'])
    assert.equal(bench.engine.get(me, a.id).errorCount, 0)
    for (const job of [a, b]) {
      bench.connect(job)
      bench.checkpoint(job, done(0))
      bench.over(job)
    }
    assert.equal(bench.network.watchers, 0, 'an idle service watches nothing')
  })

  test('a fatal failure waits for a person', () => {
    const bench = new Bench()
    const job = bench.add()
    bench.fail(job, notFound)
    bench.clock.turn(86_400_000)
    assert.equal(bench.state(job), 'error')
    bench.engine.resume(me, job.id)
    assert.equal(bench.state(job), 'connecting')
  })

  test('the maximum download time counts active time only (bits-jobs.md §20.3)', () => {
    const bench = new Bench()
    const job = bench.add('normal', 1, {
      patience: { maximumDownloadTimeS: 100, minimumRetryDelayS: 5 },
    })
    bench.clock.turn(60_000)
    bench.fail(job, refused)
    bench.clock.turn(5_500)
    assert.equal(bench.state(job), 'connecting')
    bench.clock.turn(39_000)
    assert.equal(bench.state(job), 'connecting')
    bench.clock.turn(1_500)
    const { state } = bench.engine.get(me, job.id)
    assert(state.kind === 'error' && state.failure.symbol === 'BG_E_MAXDOWNLOAD_TIMEOUT')
  })

  test('every wait has a reason that a person can read', () => {
    const bench = new Bench()
    const [first, second] = [bench.add(), bench.add()]
    const reason = (job: Job): string | undefined =>
      bench.engine.waitingFor(bench.engine.get(me, job.id))
    assert.match(reason(first) ?? '', /the server/u)
    assert.match(reason(second) ?? '', /its turn: job/u)
    bench.connect(first)
    assert.equal(reason(first), undefined)
    bench.fail(first, refused)
    assert.match(reason(first) ?? '', /next try in 6\d\d s: Connection refused/u)
  })
})

describe('Engine: turns', () => {
  test('other checks of certificates reach a job that has its turn with a new one (bits-jobs.md §14.2)', () => {
    const bench = new Bench()
    const job = bench.add()
    const before = bench.turn(job)
    bench.engine.change(me, job.id, { transfer: { securityFlags: 2 } })
    assert.equal(bench.carriers.orders('stop').length, 1)
    bench.carriers.report({ kind: 'stopped', job: job.id, turn: before })
    assert.notEqual(bench.turn(job), before)
    assert.equal(bench.carriers.orders('fetch').at(-1)?.transfer.securityFlags, 2)
    bench.engine.change(me, job.id, { displayName: 'renamed', transfer: { securityFlags: 2 } })
    assert.equal(bench.carriers.orders('stop').length, 1)
    const pinnedKeys = [`sha256//${'A'.repeat(43)}=`]
    const second = bench.turn(job)
    bench.engine.change(me, job.id, { transfer: { pinnedKeys } })
    assert.equal(bench.carriers.orders('stop').length, 2)
    bench.carriers.report({ kind: 'stopped', job: job.id, turn: second })
    bench.engine.change(me, job.id, { transfer: { caFile: '/other.pem' } })
    assert.equal(bench.carriers.orders('stop').length, 3)
    for (const pin of ['', 'sha256//', `${pinnedKeys[0]}x`]) {
      const change = (): unknown =>
        bench.engine.change(me, job.id, { transfer: { pinnedKeys: [pin] } })
      assert.throws(change, { code: 'E_INVALIDARG' })
    }
  })

  test('a job of higher priority takes the turn, and the other one goes on afterwards', () => {
    const bench = new Bench()
    const low = bench.add('low')
    const high = bench.add('high')
    assert.equal(bench.state(low), 'queued')
    assert.equal(bench.state(high), 'connecting')
    bench.carriers.report({ kind: 'stopped', job: low.id, turn: bench.turn(low) })
    assert.equal(bench.state(low), 'queued')
    bench.fail(high, notFound)
    assert.equal(bench.state(low), 'connecting')
  })

  test('jobs of one priority take turns', () => {
    const bench = new Bench()
    const [a, b] = [bench.add(), bench.add()]
    bench.clock.turn(60_000)
    assert.deepEqual([bench.state(a), bench.state(b)], ['queued', 'connecting'])
    bench.over(a)
    bench.clock.turn(60_000)
    assert.deepEqual([bench.state(a), bench.state(b)], ['connecting', 'queued'])
  })

  test('a carrier that dies costs a retry and not the queue', () => {
    const bench = new Bench()
    const job = bench.add()
    bench.connect(job)
    bench.checkpoint(job, part(0, 42))
    bench.carriers.lose(me.owner, 'it was killed')
    assert.equal(bench.state(job), 'transientError')
    bench.clock.turn(700_000)
    assert.deepEqual(bench.carriers.orders('fetch').at(-1)?.files[0]?.ranges, [
      { start: 0, end: 42 },
    ])
  })

  test('a carrier that dies while it renames is asked again', async () => {
    const bench = new Bench()
    const job = bench.add()
    bench.connect(job)
    bench.checkpoint(job, done(0))
    bench.over(job)
    const completing = bench.engine.complete(me, job.id)
    bench.carriers.lose(me.owner, 'it was killed')
    assert.equal(bench.carriers.orders('rename').length, 2)
    bench.carriers.report({ kind: 'renamed', job: job.id, ordinals: [0] })
    assert.equal((await completing).job.state.kind, 'acknowledged')
  })
})

describe('Engine: restarts', () => {
  test('a new engine goes on where the store stands', () => {
    const before = new Bench()
    const moving = before.add()
    before.connect(moving)
    before.checkpoint(moving, part(0, 42))
    const waiting = before.add('foreground', 1, { patience: { minimumRetryDelayS: 60 } })
    before.fail(waiting, refused)
    const after = new Bench({ store: before.store })
    assert.equal(after.state(moving), 'connecting')
    assert.deepEqual(after.carriers.orders('fetch')[0]?.files[0]?.ranges, [{ start: 0, end: 42 }])
    assert.equal(after.state(waiting), 'transientError')
    after.clock.turn(70_000)
    assert.equal(after.state(waiting), 'connecting')
  })

  test('a new engine finishes what was being completed or cancelled', () => {
    const before = new Bench()
    const whole = before.add('normal', 1, { completesItself: true })
    before.connect(whole)
    before.checkpoint(whole, done(0))
    before.over(whole)
    const dropped = before.add()
    before.connect(dropped)
    void before.engine.cancel(me, dropped.id).catch(() => undefined)
    const after = new Bench({ store: before.store })
    assert.deepEqual(
      after.carriers.orders('rename').map(({ job }) => job),
      [whole.id],
    )
    assert.deepEqual(
      after.carriers.orders('discard').map(({ job }) => job),
      [dropped.id],
    )
  })

  test('a queue that cannot be written changes nothing, and everything goes on once it can', async () => {
    const bench = new Bench()
    const job = bench.add()
    bench.connect(job)
    const save = bench.store.save.bind(bench.store)
    bench.store.save = () => {
      throw new Error('the disk is full')
    }
    bench.checkpoint(job, part(0, 42))
    assert.throws(() => bench.engine.suspend(me, job.id), /full/u)
    bench.store.save = save
    await Promise.resolve()
    await Promise.resolve()
    await Promise.resolve()
    bench.clock.turn(1_000)
    assert.equal(bench.state(job), 'connecting')
    assert.deepEqual(bench.carriers.orders('fetch').at(-1)?.files[0]?.ranges, [])
  })

  test('finished jobs are remembered for a while and then forgotten', () => {
    const bench = new Bench()
    const job = bench.add('normal', 1, { resume: false })
    void bench.engine.cancel(me, job.id)
    bench.clock.turn(23 * 3_600_000)
    assert.equal(bench.state(job), 'cancelled')
    bench.clock.turn(3 * 3_600_000)
    assert.throws(() => bench.state(job), { code: 'BG_E_NOT_FOUND' })
  })

  test('a job that nobody touched for ninety days is given up (bits-jobs.md §20.6)', () => {
    const bench = new Bench({ settings: { rememberMs: 1e12 } })
    const job = bench.add('normal', 1, { resume: false })
    bench.clock.turn(91 * 86_400_000)
    assert.equal(bench.state(job), 'cancelled')
  })
})

describe('Engine: who may do what', () => {
  test('only the owner and the administrator see and change a job (bits-jobs.md §2)', () => {
    const bench = new Bench()
    const job = bench.add()
    assert.throws(() => bench.engine.get(other, job.id), { code: 'E_ACCESSDENIED' })
    assert.throws(() => bench.engine.suspend(other, job.id), { code: 'E_ACCESSDENIED' })
    assert.throws(() => bench.engine.list(other, { limit: 1 }), { code: 'E_ACCESSDENIED' })
    assert.equal(bench.engine.get(root, job.id).id, job.id)
    assert.equal(bench.engine.list(root, { limit: 1 }).length, 1)
    assert.deepEqual(bench.engine.list(other, { limit: 1, owner: '1001' }), [])
  })

  test('an id may be shortened while it is unique', () => {
    const bench = new Bench()
    const job = bench.add()
    assert.equal(bench.engine.get(me, job.id.slice(0, 8).toUpperCase()).id, job.id)
    assert.equal(bench.engine.get(me, `{${job.id}}`).id, job.id)
    for (let index = 0; index < 40; index++) bench.add()
    assert.throws(() => bench.engine.get(me, job.id.slice(0, 1)), /more than one/u)
    assert.throws(() => bench.engine.get(me, ''), { code: 'BG_E_NOT_FOUND' })
    assert.throws(() => bench.engine.get(me, '%'), { code: 'BG_E_NOT_FOUND' })
  })

  test('the walls of BITS stand when they are set, but not for administrators (bits-jobs.md §25)', () => {
    const limits = { jobsPerMachine: 3, jobsPerUser: 2, filesPerJob: 2 }
    const bench = new Bench({ settings: { limits } })
    bench.add()
    const second = bench.add()
    assert.throws(() => bench.add(), { code: 'BG_E_TOO_MANY_JOBS_PER_USER' })
    const request = { displayName: 'x' }
    bench.engine.create(other, request)
    assert.throws(() => bench.engine.create(other, request), {
      code: 'BG_E_TOO_MANY_JOBS_PER_MACHINE',
    })
    bench.engine.create(root, request)
    assert.throws(() => bench.engine.addFiles(me, second.id, [wanted('/a'), wanted('/b')]), {
      code: 'BG_E_TOO_MANY_FILES_IN_JOB',
    })
    bench.engine.addFiles(root, second.id, [wanted('/a'), wanted('/b')])
  })

  test('a call that is refused within a batch undoes only itself', () => {
    const bench = new Bench()
    const outcome = bench.engine.batch(() => {
      const job = bench.add('normal', 1, { resume: false })
      assert.throws(() => bench.engine.create(me, { displayName: 'empty', resume: true }), {
        code: 'BG_E_EMPTY',
      })
      return job
    })
    assert.deepEqual(
      bench.engine.list(me, { owner: '1000', limit: 10 }).map(({ id }) => id),
      [outcome.id],
    )
  })

  test('names, headers and numbers that cannot be are refused (bits-jobs.md §6.2, §14.2)', () => {
    const bench = new Bench()
    const create = (change: object): unknown =>
      bench.engine.create(me, { displayName: 'x', ...change })
    const rows: [object, string][] = [
      [filesWith('ftp://o/x'), 'E_INVALIDARG'],
      [filesWith('file:///etc/passwd'), 'E_INVALIDARG'],
      [filesWith('http://user:secret@o/a b'), 'E_INVALIDARG'],
      [filesWith('http://user:secret%ff@o/'), 'E_INVALIDARG'],
      [filesWith(`http://${'u'.repeat(301)}:secret@o/`), 'BG_E_USERNAME_TOO_LARGE'],
      [filesWith('http://o/a b'), 'E_INVALIDARG'],
      [filesWith(`http://o/${'x'.repeat(2_200)}`), 'E_INVALIDARG'],
      [filesWith('no url'), 'E_INVALIDARG'],
      [filesWith('http://o/', 'relative'), 'E_INVALIDARG'],
      [filesWith('http://o/', '/folder/'), 'E_INVALIDARG'],
      [filesWith('http://o/', '/nul\0'), 'E_INVALIDARG'],
      [{ displayName: 'x'.repeat(257) }, 'E_INVALIDARG'],
      [{ description: 'x'.repeat(1_025) }, 'BG_E_STRING_TOO_LONG'],
      [{ transfer: { headers: [['Host', 'x']] } }, 'E_INVALIDARG'],
      [{ transfer: { headers: [['X', 'a\r\nB: c']] } }, 'E_INVALIDARG'],
      [{ transfer: { headers: [['X', 'x'.repeat(16_384)]] } }, 'BG_E_STRING_TOO_LONG'],
      [{ patience: { noProgressTimeoutS: -1 } }, 'E_INVALIDARG'],
      [{ type: 'upload' }, 'E_NOTIMPL'],
    ]
    for (const [change, code] of rows) {
      assert.throws(() => create(change), { code }, JSON.stringify(change).slice(0, 80))
      assert.doesNotMatch(String(catchError(() => create(change))), /secret/u)
    }
  })

  test('a retry delay below five seconds is raised to five (bits-jobs.md §6.4)', () => {
    const bench = new Bench()
    assert.equal(
      bench.add('normal', 1, { patience: { minimumRetryDelayS: 1 } }).patience.minimumRetryDelayS,
      5,
    )
  })
})

function catchError(work: () => unknown): unknown {
  try {
    return work()
  } catch (error) {
    return error
  }
}

function wanted(localName: string): { readonly remoteName: string; readonly localName: string } {
  return { remoteName: 'http://o/', localName }
}

function filesWith(remoteName: string, localName = '/a'): object {
  return { files: [{ remoteName, localName }] }
}
