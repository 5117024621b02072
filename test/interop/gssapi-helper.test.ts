/** The process that speaks to the KDC in our place: how it ends, and what it is told. */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { systemClock } from '../../src/carrier/system-clock.ts'
import type { HelperRequest } from '../../src/native/gssapi/conversation.ts'
import { encodeFrame } from '../../src/native/gssapi/frame.ts'
import { gssapiMechanisms, type GssapiOptions } from '../../src/native/gssapi/gssapi.ts'
import type { HelperMechanisms } from '../../src/native/gssapi/helper-mechanisms.ts'
import { TurnedClock } from '../../src/testing/turned-clock.ts'
import { firstToken, openContext, password, PASSWORD } from '../lab/kdc-contexts.ts'
import { cannotServeTickets, Kdc, realm, SilentKdc } from '../lab/kdc.ts'

const helper = join(import.meta.dirname, '..', '..', 'src', 'native', 'gssapi', 'gss-process.ts')

const DEADLINE_MS = 10_000
const IDLE_MS = 60_000

const late = { name: 'MechanismError', code: 'ERR_MECHANISM_DEADLINE', reason: 'unable' }
const gone = { name: 'MechanismError', code: 'ERR_MECHANISM_HELPER', reason: 'unable' }

suite('the helper of Kerberos', { skip: cannotServeTickets }, () => {
  let kdc: Kdc
  let silent: SilentKdc

  before(async () => {
    kdc = await Kdc.start([
      { name: 'alice', password: PASSWORD },
      { name: 'bob', password: PASSWORD },
      { name: 'HTTP/localhost' },
    ])
    silent = await SilentKdc.start()
  })

  after(async () => {
    await silent[Symbol.asyncDispose]()
    await kdc[Symbol.asyncDispose]()
  })

  function mechanismsHere(options: Partial<GssapiOptions> = {}): HelperMechanisms {
    return gssapiMechanisms({ clock: systemClock, environment: kdc.environment, ...options })
  }

  test('a KDC that never answers blocks nobody, and its helper is killed at the deadline (A300, A301)', async () => {
    const clock = new TurnedClock()
    const environment = { KRB5_CONFIG: silent.config }
    const mechanisms = mechanismsHere({ clock, deadlineMs: DEADLINE_MS, environment })
    const asked = silent.asked()
    const [first, second] = [1, 2].map(() => openContext(mechanisms, password('alice')))
    const [pid, ...others] = mechanisms.processIds
    assert.deepEqual(others, [], 'one identity has one helper')
    await asked
    // We are told that the helper hangs, so we do not.
    clock.turn(DEADLINE_MS - 1)
    assert.deepEqual(mechanisms.processIds, [pid])
    clock.turn(1)
    await assert.rejects(first ?? Promise.resolve(), late)
    await assert.rejects(second ?? Promise.resolve(), late)
    assert.deepEqual(mechanisms.processIds, [])
    const askedAgain = silent.asked()
    const third = openContext(mechanisms, password('alice'))
    await askedAgain
    assert.notDeepEqual(mechanisms.processIds, [pid])
    await Promise.all([mechanisms.stop(), assert.rejects(third, gone)])
    assertGone(pid)
    assert.equal(clock.alarms, 0)
  })

  test('whoever leaves while a KDC does not answer leaves at once, and the helper with the last of them', async () => {
    const clock = new TurnedClock()
    const environment = { KRB5_CONFIG: silent.config }
    await using mechanisms = mechanismsHere({ clock, environment })
    const [first, second] = [new AbortController(), new AbortController()]
    const asked = silent.asked()
    const one = openContext(mechanisms, password('alice'), { signal: first.signal })
    const two = openContext(mechanisms, password('alice'), { signal: second.signal })
    await asked
    const [pid] = mechanisms.processIds
    const left = { name: 'MechanismError', code: 'ERR_MECHANISM_CLOSED', reason: 'unable' }
    first.abort()
    await assert.rejects(one, left)
    assert.deepEqual(mechanisms.processIds, [pid], 'somebody still waits')
    second.abort()
    await assert.rejects(two, left)
    assert.deepEqual(mechanisms.processIds, [])
    const gone = { signal: AbortSignal.abort() }
    await assert.rejects(openContext(mechanisms, password('alice'), gone), left)
    assert.equal(clock.alarms, 0)
  })

  test('an identity whose KDC hangs does not hold up another', async () => {
    await using hanging = mechanismsHere({ environment: { KRB5_CONFIG: silent.config } })
    const asked = silent.asked()
    const stuck = assert.rejects(openContext(hanging, password('alice')), gone)
    await asked
    await using mechanisms = mechanismsHere()
    assert((await firstToken(await openContext(mechanisms, password('alice')))).length > 0)
    await hanging.stop()
    await stuck
  })

  test('a helper that dies fails what it was at, and the next context has a new one', async () => {
    await using mechanisms = mechanismsHere()
    const context = await openContext(mechanisms, password('alice'))
    const [pid = 0] = mechanisms.processIds
    process.kill(pid, 'SIGKILL')
    await assert.rejects(context.step(new Uint8Array([1])), gone)
    await assert.rejects(context.sign(new Uint8Array([1])), gone)
    context.close()
    const next = await openContext(mechanisms, password('alice'))
    assert((await firstToken(next)).length > 0)
    assert.notDeepEqual(mechanisms.processIds, [pid])
  })

  test('a helper stays while it has a context, and ends when it has had none for long enough', async () => {
    const clock = new TurnedClock()
    await using mechanisms = mechanismsHere({ clock, idleMs: IDLE_MS })
    const context = await openContext(mechanisms, password('alice'))
    const [pid] = mechanisms.processIds
    clock.turn(IDLE_MS * 2)
    assert.deepEqual(mechanisms.processIds, [pid])
    context.close()
    // Fails after the context was closed, and leaves nothing.
    await assert.rejects(openContext(mechanisms, password('alice'), { targetName: 'HTTP@nowhere' }))
    clock.turn(IDLE_MS - 1)
    assert.deepEqual(mechanisms.processIds, [pid])
    clock.turn(1)
    assert.deepEqual(mechanisms.processIds, [])
  })

  test('helpers are told apart by the password, which stands nowhere to be read (A163, A301)', async () => {
    await using mechanisms = mechanismsHere()
    for (const secret of [PASSWORD, PASSWORD, 'Wandering-Penguin!7']) {
      await openContext(mechanisms, password('alice', secret)).catch(() => undefined)
    }
    assert.equal(mechanisms.processIds.length, 2)
    for (const pid of mechanisms.processIds) {
      for (const file of ['cmdline', 'environ']) {
        const text = readFileSync(`/proc/${pid}/${file}`, 'latin1')
        assert(text.length > 0)
        assert(!text.includes('Wandering'), `${file} of a helper tells the password`)
      }
    }
  })

  test('a helper that is idle makes room for another when there are many', async () => {
    await using mechanisms = mechanismsHere({ maximumHelpers: 2 })
    const used = await openContext(mechanisms, password('alice'))
    const [first] = mechanisms.processIds
    const seen = new Set<number>()
    for (const keytab of ['/nowhere/1', '/nowhere/2']) {
      const identity = { kind: 'keytab', principal: 'alice', keytab } as const
      await assert.rejects(openContext(mechanisms, identity), { code: 'ERR_KERBEROS_KEYTAB' })
      const [kept, last = 0, ...others] = mechanisms.processIds
      assert.deepEqual([kept, others], [first, []], 'the one in use stays')
      seen.add(last)
    }
    assert.equal(seen.size, 2)
    used.close()
  })

  test('closing a context fails what it waits for at once', async () => {
    await using mechanisms = mechanismsHere()
    const context = await openContext(mechanisms, password('alice'))
    const signing = context.sign(new Uint8Array([1]))
    context.close()
    context.close()
    await assert.rejects(signing, { name: 'MechanismError', code: 'ERR_MECHANISM_CLOSED' })
    await assert.rejects(context.sign(new Uint8Array([1])), { code: 'ERR_MECHANISM_CLOSED' })
  })

  test('a helper that nobody watches any more ends by itself', async () => {
    const seconds = 1
    const child = spawn(process.execPath, [helper, String(seconds)], {
      env: { KRB5_CONFIG: silent.config },
      stdio: ['pipe', 'ignore', 'inherit'],
    })
    const asked = silent.asked()
    const head = {
      kind: 'open',
      context: 1,
      mechanism: 'kerberos',
      identity: { kind: 'password', userName: `alice@${realm}` },
      targetName: 'HTTP@localhost',
      mutual: true,
      delegation: 'never',
    } satisfies HelperRequest
    child.stdin.write(encodeFrame({ head, parts: [Buffer.from(PASSWORD), new Uint8Array()] }))
    await asked
    assert.deepEqual(await once(child, 'exit'), [null, 'SIGALRM'])
  })

  test('a helper ends with its parent', async () => {
    const child = spawn(process.execPath, [helper, '1'], { stdio: ['pipe', 'ignore', 'inherit'] })
    child.stdin.end()
    assert.deepEqual(await once(child, 'exit'), [0, null])
  })
})

/** That no process has this number any more. */
function assertGone(pid: number | undefined): void {
  assert(pid !== undefined)
  assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
}
