import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { TurnedClock } from '../../testing/turned-clock.ts'
import { closedPort } from '../servers.suite.ts'
import { Journey } from './journey.ts'
import { ATTEMPT_DELAY_MS, race } from './race.ts'

/** What becomes of an attempt: nobody answers, somebody refuses, somebody answers. */
type Fate = 'silence' | 'refusal' | 'answer'

/** A race in which each address is a fate; and what was begun of it. */
class Contest {
  readonly clock = new TurnedClock()
  readonly journey: Journey
  readonly begun: Socket[] = []
  readonly winner: Promise<Socket>

  static async begin(t: TestContext, fates: readonly Fate[]): Promise<Contest> {
    const server = createServer((socket) => socket.on('error', () => undefined).resume())
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => server.close())
    const address = server.address()
    assert.ok(typeof address === 'object' && address !== null)
    const contest = new Contest(fates, address.port, await closedPort())
    t.after(() => contest.journey.breakOff(new Error('over')))
    return contest
  }

  private constructor(fates: readonly Fate[], open: number, closed: number) {
    const onread = { buffer: new Uint8Array(1), callback: () => true }
    this.journey = new Journey({
      clock: this.clock,
      inlet: { onread, hear: () => undefined },
      progressed: () => undefined,
    })
    const begin = (fate: string): Socket => {
      const port = fate === 'answer' ? open : closed
      const socket = fate === 'silence' ? new Socket() : connect(port, '127.0.0.1')
      this.begun.push(socket)
      return socket
    }
    this.winner = race(fates, begin, this.journey)
  }
}

test('race() takes the first address when it answers, and tries no other', async (t) => {
  const contest = await Contest.begin(t, ['answer', 'answer'])
  assert.equal(await contest.winner, contest.begun[0])
  assert.equal(contest.clock.alarms, 0)
  contest.clock.turn(ATTEMPT_DELAY_MS)
  assert.equal(contest.begun.length, 1)
})

test('race() begins the next attempt beside one that is slow, and leaves that one its chance', async (t) => {
  const contest = await Contest.begin(t, ['silence', 'silence', 'answer'])
  contest.clock.turn(ATTEMPT_DELAY_MS - 1)
  assert.equal(contest.begun.length, 1)
  contest.clock.turn(1)
  assert.equal(contest.begun.length, 2)
  assert.deepEqual(
    contest.begun.map(({ destroyed }) => destroyed),
    [false, false],
  )
  contest.clock.turn(ATTEMPT_DELAY_MS)
  assert.equal(await contest.winner, contest.begun[2])
  assert.deepEqual(
    contest.begun.map(({ destroyed }) => destroyed),
    [true, true, false],
  )
})

test('race() lets a slow attempt win over later ones', async (t) => {
  const contest = await Contest.begin(t, ['silence', 'silence', 'silence'])
  contest.clock.turn(2 * ATTEMPT_DELAY_MS)
  const [first] = contest.begun
  assert.ok(first !== undefined && contest.begun.length === 3)
  const open = await Contest.begin(t, ['answer'])
  const { remotePort = 0 } = await open.winner
  first.connect(remotePort, '127.0.0.1')
  assert.equal(await contest.winner, first)
})

test('race() begins the next attempt at once when one fails', async (t) => {
  const contest = await Contest.begin(t, ['refusal', 'refusal', 'answer'])
  assert.equal(await contest.winner, contest.begun[2])
  assert.equal(contest.clock.alarms, 0)
})

test('race() tells the error of the only attempt', async (t) => {
  const contest = await Contest.begin(t, ['refusal'])
  await assert.rejects(contest.winner, { code: 'ECONNREFUSED' })
})

test('race() tells all errors when every attempt has failed', async (t) => {
  const contest = await Contest.begin(t, ['refusal', 'refusal'])
  await assert.rejects(contest.winner, (error) => {
    assert.ok(error instanceof AggregateError)
    assert.deepEqual(
      error.errors.map((each: unknown) => Reflect.get(Object(each), 'code')),
      ['ECONNREFUSED', 'ECONNREFUSED'],
    )
    return true
  })
})

test('race() waits for an attempt that is under way when the others have failed', async (t) => {
  const contest = await Contest.begin(t, ['silence', 'refusal'])
  contest.clock.turn(ATTEMPT_DELAY_MS)
  const [silent, refused] = contest.begun
  assert.ok(silent !== undefined && refused !== undefined)
  await new Promise((resolve) => void refused.once('close', resolve))
  silent.destroy(new Error('no route'))
  await assert.rejects(contest.winner, AggregateError)
})

test('race() ends with the journey it is part of, and begins nothing any more', async (t) => {
  const contest = await Contest.begin(t, ['silence', 'answer'])
  const reason = new Error('nobody wants it')
  contest.journey.breakOff(reason)
  await assert.rejects(contest.winner, reason)
  contest.clock.turn(ATTEMPT_DELAY_MS)
  assert.equal(contest.begun.length, 1)
  assert.equal(contest.begun[0]?.destroyed, true)
})
