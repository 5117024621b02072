import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { costStates, transferPolicies } from '../job/cost.ts'
import { failure } from '../job/failure.ts'
import type { Job } from '../job/job.ts'
import { SwitchedNetwork } from '../testing/switched-network.ts'
import { Bench, done, me, part } from './bench.suite.ts'
import { defaultSettings } from './settings.ts'

const { unrestricted, cappedUsageUnknown, roaming } = costStates

const unresolved = failure(
  'ERROR_WINHTTP_NAME_NOT_RESOLVED',
  'REMOTE_FILE',
  'Cannot find origin: the name does not resolve',
)
const reset = failure('ERROR_WINHTTP_CONNECTION_ERROR', 'GENERAL_TRANSPORT', 'It was reset')
const noNetwork = failure('BG_E_NETWORK_DISCONNECTED', 'GENERAL_TRANSPORT', 'No network', {
  waitsFor: 'network',
})
const unavailable = failure('BG_E_CONNECTION_CLOSED', 'REMOTE_FILE', 'The server is busy')

/** One background job after the other, in the order in which they came. */
function job(bench: Bench, remoteName = 'http://origin/0', changes: object = {}): Job {
  return bench.add('normal', 1, {
    files: [{ remoteName, localName: `/data/${bench.store.count()}` }],
    ...changes,
  })
}

function now(bench: Bench, { id }: Job): Job {
  return bench.engine.get(me, id)
}

function symbol(bench: Bench, one: Job): string | undefined {
  const { state } = now(bench, one)
  return state.kind === 'transientError' ? state.failure.symbol : undefined
}

function waitsFor(bench: Bench, one: Job): string {
  return bench.engine.waitingFor(now(bench, one)) ?? ''
}

describe('Engine: a network that goes away', () => {
  test('holds every job that is queued or transferred, and lets them go on when it is back (bits-jobs.md §21)', () => {
    const bench = new Bench()
    const [moving, queued] = [job(bench), job(bench)]
    bench.connect(moving)
    bench.checkpoint(moving, part(0, 42))
    bench.network.goAway()
    for (const one of [moving, queued]) {
      assert.equal(symbol(bench, one), 'BG_E_NETWORK_DISCONNECTED')
      assert.equal(waitsFor(bench, one), 'a network: This machine has no network')
      assert.equal(now(bench, one).errorCount, 0)
    }
    assert.equal(bench.carriers.orders('stop').length, 1)
    bench.over(moving)
    bench.clock.turn(86_400_000)
    assert.equal(bench.state(moving), 'transientError', 'no clock brings a network')
    bench.network.comeBack()
    assert.deepEqual([bench.state(moving), bench.state(queued)], ['connecting', 'queued'])
    const [file] = bench.carriers.orders('fetch').at(-1)?.files ?? []
    assert.deepEqual(file?.ranges, [{ start: 0, end: 42 }])
  })

  test('holds what is resumed, created or due meanwhile', () => {
    const bench = new Bench()
    const due = job(bench, 'http://origin/', { patience: { minimumRetryDelayS: 5 } })
    bench.fail(due, unavailable)
    bench.network.goAway()
    const created = job(bench)
    assert.equal(symbol(bench, created), 'BG_E_NETWORK_DISCONNECTED')
    bench.engine.resume(me, created.id)
    assert.equal(symbol(bench, created), 'BG_E_NETWORK_DISCONNECTED')
    assert.equal(symbol(bench, due), 'BG_E_CONNECTION_CLOSED')
    bench.clock.turn(60_000)
    assert.equal(symbol(bench, due), 'BG_E_NETWORK_DISCONNECTED')
    assert.equal(bench.carriers.orders('fetch').length, 1)
  })

  test('spends no patience and counts no failure (bits-jobs.md §20.1, §20.4)', () => {
    const bench = new Bench()
    const one = job(bench, 'http://origin/', {
      patience: { minimumRetryDelayS: 5, noProgressTimeoutS: 60 },
    })
    bench.fail(one, unavailable)
    bench.clock.turn(1_000)
    for (let outage = 0; outage < 3; outage++) {
      bench.network.goAway()
      if (outage > 0) bench.over(one)
      bench.clock.turn(3_600_000)
      bench.network.comeBack()
      assert.equal(bench.state(one), 'connecting')
      bench.clock.turn(1_000)
    }
    const { noProgressMs, errorCount, attempts } = now(bench, one)
    assert.deepEqual([errorCount, attempts], [1, 1])
    assert(noProgressMs <= 4_000, `${noProgressMs} ms`)
    bench.clock.turn(16_000)
    bench.fail(one, unavailable)
    assert.equal(bench.state(one), 'transientError', 'its patience has hardly begun')
  })

  test('does not hold jobs whose files are on this machine', () => {
    const bench = new Bench({ settings: { schedule: { backgroundJobs: 20, timeSliceMs: 1_000 } } })
    const here = [
      'http://localhost:8080/x',
      'http://LOCALHOST/x',
      'https://files.localhost/x',
      'http://127.0.0.1/x',
      'http://127.9.9.9:1/x',
      'http://[::1]/x',
      'http://[::ffff:127.0.0.1]/x',
      'http://localhost./x',
    ].map((name) => job(bench, name))
    const elsewhere = ['http://localhost.example/x', 'http://128.0.0.1/x', 'http://[::2]/x'].map(
      (name) => job(bench, name),
    )
    bench.network.goAway()
    for (const one of here) assert.equal(bench.state(one), 'connecting')
    for (const one of elsewhere) assert.equal(bench.state(one), 'transientError')
  })

  test('holds a job of which only the first files are on this machine', () => {
    const bench = new Bench()
    const files = ['http://localhost/a', 'http://origin/b'].map((remoteName, index) => ({
      remoteName,
      localName: `/data/${index}`,
    }))
    const both = bench.add('normal', 2, { files })
    bench.network.goAway()
    assert.equal(bench.state(both), 'transientError')
  })

  test('lets a failure wait for it that comes before the news', () => {
    const bench = new Bench()
    const one = job(bench)
    bench.network.goAwaySilently()
    bench.fail(one, reset)
    assert.equal(symbol(bench, one), 'BG_E_NETWORK_DISCONNECTED')
    assert.equal(now(bench, one).errorCount, 0)
    const fatal = failure('ERROR_FILE_NOT_FOUND', 'REMOTE_FILE', 'Not there')
    bench.network.comeBack()
    bench.network.goAwaySilently()
    bench.fail(one, fatal)
    assert.equal(bench.state(one), 'error', 'what a server said stands')
  })

  test('lets carriers ask again for proxies, at every change and only then (N6)', () => {
    const bench = new Bench()
    job(bench)
    assert.equal(bench.carriers.orders('networkChanged').length, 0)
    bench.network.comeBack()
    bench.network.goAway()
    bench.network.comeBack()
    assert.equal(bench.carriers.orders('networkChanged').length, 3)
    assert.deepEqual(
      bench.carriers.sent.findLast(({ order }) => order.kind === 'networkChanged')?.owner,
      me.owner,
    )
  })

  test('holds and lets go a long queue breath by breath', () => {
    const bench = new Bench()
    const jobs = bench.engine.batch(() => Array.from({ length: 2_500 }, () => job(bench)))
    bench.network.goAway()
    const count = (kind: string): number => jobs.filter((one) => bench.state(one) === kind).length
    assert(count('queued') > 0, 'not in one breath')
    bench.clock.turn(0)
    assert.equal(count('transientError'), 2_500)
    const [first] = jobs
    assert(first !== undefined)
    bench.over(first)
    bench.network.comeBack()
    bench.clock.turn(0)
    assert.deepEqual([count('connecting'), count('queued')], [1, 2_499])
    assert.equal(bench.state(first), 'connecting', 'each has its place again')
  })
})

describe('Engine: a network that was never there', () => {
  test('holds nothing before it was tried: a proxy of this machine may lead somewhere', () => {
    const bench = new Bench({ network: new SwitchedNetwork({ isThere: false }) })
    const one = job(bench)
    assert.equal(bench.state(one), 'connecting')
    bench.fail(one, noNetwork)
    bench.clock.turn(86_400_000)
    assert.equal(symbol(bench, one), 'BG_E_NETWORK_DISCONNECTED')
    assert.equal(now(bench, one).errorCount, 0)
    bench.network.comeBack()
    assert.equal(bench.state(one), 'connecting')
  })
})

describe('Engine: a network that is becoming another one', () => {
  test('is tried again soon for a while, without counting', () => {
    const bench = new Bench()
    const one = job(bench)
    bench.network.goAway()
    bench.over(one)
    bench.network.comeBack()
    for (let round = 0; round < 4; round++) {
      bench.fail(one, unresolved)
      assert.equal(symbol(bench, one), 'ERROR_WINHTTP_NAME_NOT_RESOLVED')
      bench.clock.turn(2_000)
      assert.equal(bench.state(one), 'connecting')
    }
    assert.equal(now(bench, one).errorCount, 0)
    bench.clock.turn(15_000)
    bench.fail(one, unresolved)
    bench.clock.turn(60_000)
    assert.equal(bench.state(one), 'transientError', 'now it is the job that has to wait')
    assert.equal(now(bench, one).errorCount, 1)
  })

  test('is to blame for connections that it left behind, however long they are in dying', () => {
    const bench = new Bench()
    const one = job(bench)
    bench.clock.turn(1_000)
    bench.network.comeBack()
    bench.clock.turn(40_000)
    bench.fail(one, reset)
    bench.clock.turn(2_000)
    assert.equal(bench.state(one), 'connecting')
    assert.equal(now(bench, one).errorCount, 0)
    bench.clock.turn(40_000)
    bench.fail(one, reset)
    assert.equal(now(bench, one).errorCount, 1, 'that connection was made on the new network')
  })

  test('lets a job try at once whose failure had nothing to do with it', () => {
    const bench = new Bench()
    const one = job(bench)
    bench.fail(one, unavailable)
    bench.network.comeBack()
    assert.equal(bench.state(one), 'connecting')
    bench.fail(one, unavailable)
    bench.clock.turn(60_000)
    assert.equal(bench.state(one), 'transientError', 'a busy server is no matter of the network')
  })

  test('is looked at again where a carrier finds no network and the machine has one', () => {
    const bench = new Bench()
    const one = job(bench)
    bench.fail(one, noNetwork)
    bench.clock.turn(4_999)
    assert.equal(bench.state(one), 'transientError')
    bench.clock.turn(1)
    assert.equal(bench.state(one), 'connecting')
    assert.equal(now(bench, one).errorCount, 0)
  })
})

describe('Engine: what the network costs', () => {
  test('holds a job that does not allow it, at once, until it costs less (bits-jobs.md §10, §21)', () => {
    const bench = new Bench()
    const one = job(bench)
    bench.engine.identity.setCostFlags(me, one.id, transferPolicies.unrestricted)
    assert.equal(bench.state(one), 'connecting')
    bench.network.charge(unrestricted)
    bench.connect(one)
    bench.network.charge(cappedUsageUnknown)
    assert.equal(symbol(bench, one), 'BG_E_BLOCKED_BY_COST_TRANSFER_POLICY')
    assert.equal(
      waitsFor(bench, one),
      'a network that costs less: The network is metered, and the job does not allow that',
    )
    bench.over(one)
    bench.clock.turn(86_400_000)
    assert.equal(bench.state(one), 'transientError')
    bench.network.charge(unrestricted)
    assert.equal(bench.state(one), 'connecting')
    assert.equal(now(bench, one).errorCount, 0)
  })

  test('holds nobody else', () => {
    const bench = new Bench()
    bench.network.charge(roaming)
    const careful = job(bench, 'http://origin/', { resume: false })
    bench.engine.identity.setCostFlags(me, careful.id, transferPolicies.notRoaming)
    bench.engine.resume(me, careful.id)
    const careless = job(bench)
    assert.equal(bench.state(careful), 'transientError')
    assert.equal(bench.state(careless), 'connecting')
  })

  test('is waited for by those who depend on it, and by no others', () => {
    const bench = new Bench()
    const careful = job(bench, 'http://origin/', { resume: false })
    bench.engine.identity.setCostFlags(me, careful.id, transferPolicies.standard)
    assert.equal(bench.network.costWatchers, 0)
    bench.engine.resume(me, careful.id)
    assert.equal(bench.network.costWatchers, 1)
    assert.equal(bench.state(careful), 'queued')
    assert.equal(waitsFor(bench, careful), 'word of what the network costs')
    const careless = job(bench)
    assert.equal(bench.state(careless), 'connecting')
    bench.checkpoint(careless, done(0))
    bench.over(careless)
    bench.network.charge(cappedUsageUnknown)
    assert.equal(bench.state(careful), 'connecting')
    bench.connect(careful)
    bench.checkpoint(careful, done(0))
    bench.over(careful)
    assert.equal(bench.network.costWatchers, 0, 'nobody asks any more')
  })

  test('is found out for jobs that an earlier service left in the queue', () => {
    const before = new Bench()
    const one = job(before)
    before.engine.identity.setCostFlags(me, one.id, transferPolicies.notRoaming)
    before.network.charge(roaming)
    assert.equal(before.state(one), 'transientError')
    const after = new Bench({ store: before.store })
    assert.equal(after.state(one), 'queued')
    after.network.charge(roaming)
    assert.equal(symbol(after, one), 'BG_E_BLOCKED_BY_COST_TRANSFER_POLICY')
    after.network.charge(unrestricted)
    assert.equal(after.state(one), 'connecting')
  })

  test('other flags let a held job go, and hold one that moves (bits-jobs.md §10)', () => {
    const bench = new Bench()
    const one = job(bench)
    const set = (flags: number): void => bench.engine.identity.setCostFlags(me, one.id, flags)
    set(transferPolicies.notRoaming)
    bench.network.charge(roaming)
    bench.over(one)
    assert.equal(bench.state(one), 'transientError')
    set(transferPolicies.always)
    assert.equal(bench.state(one), 'connecting')
    assert.throws(() => set(0), { code: 'E_INVALIDARG' })
    set(transferPolicies.standard)
    assert.equal(bench.state(one), 'transientError')
  })

  test("is the operator's matter for jobs that say nothing, by their priority (bits-jobs.md §25)", () => {
    const transferPolicy = { ...defaultSettings.transferPolicy, low: 'notRoaming' } as const
    const bench = new Bench({ settings: { transferPolicy } })
    const one = bench.add('low')
    const flags = (): number => bench.engine.identity.costFlags(me, one.id)
    assert.equal(flags(), transferPolicies.notRoaming)
    bench.network.charge(roaming)
    assert.equal(bench.state(one), 'transientError')
    bench.engine.change(me, one.id, { priority: 'normal' })
    assert.equal(flags(), transferPolicies.always)
    assert.equal(bench.state(one), 'connecting', 'flags that nobody set follow the priority')
    bench.engine.identity.setCostFlags(me, one.id, transferPolicies.standard)
    assert.equal(flags(), transferPolicies.standard)
  })

  test('does not matter to files that are on this machine', () => {
    const bench = new Bench()
    const one = job(bench, 'http://localhost/x')
    bench.engine.identity.setCostFlags(me, one.id, transferPolicies.unrestricted)
    bench.network.charge(roaming)
    assert.equal(bench.state(one), 'connecting')
  })

  test('and no network at all are two reasons, each with its own end', () => {
    const bench = new Bench()
    const one = job(bench)
    bench.engine.identity.setCostFlags(me, one.id, transferPolicies.notRoaming)
    bench.network.charge(roaming)
    bench.over(one)
    bench.network.goAway()
    bench.network.comeBack()
    assert.equal(symbol(bench, one), 'BG_E_BLOCKED_BY_COST_TRANSFER_POLICY')
    bench.network.goAway()
    bench.network.charge(unrestricted)
    assert.equal(symbol(bench, one), 'BG_E_NETWORK_DISCONNECTED')
    bench.network.comeBack()
    assert.equal(bench.state(one), 'connecting')
  })
})
