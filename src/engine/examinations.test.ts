import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { encodeCredentials } from '../auth/credential-record.ts'
import { Secret } from '../auth/secret.ts'
import { httpStatusFailure } from '../job/failure.ts'
import type { Finding } from '../job/finding.ts'
import type { GivenPair } from '../job/given-credentials.ts'
import { Bench, me, other, part, root, storedFiles } from './bench.suite.ts'
import type { Caller } from './access.ts'
import type { Question } from './examinations.ts'
import { wipeOrder, type ExamineOrder } from './order.ts'

const url = 'http://origin/file'
const answer: Finding = { kind: 'answer', url, status: 206 }

function pair(scheme: GivenPair['scheme'], password: string): GivenPair {
  return { target: 'server', scheme, credentials: { userName: 'ann', password } }
}

function record(password: string): Uint8Array {
  return encodeCredentials({
    kind: 'password',
    userName: 'ann',
    password: Secret.fromText(password),
  })
}

/** What a carrier is asked to find out. */
function asked(bench: Bench, question: Question, caller: Caller = me): ExamineOrder {
  const examined = bench.engine.examinations.examine(caller, question)
  examined.catch(() => undefined)
  const order = bench.carriers.orders('examine').at(-1)
  assert(order !== undefined, 'a carrier was asked')
  return order
}

function refusal(code: string): (error: unknown) => boolean {
  return (error) => error instanceof Error && 'code' in error && error.code === code
}

describe('Examinations', () => {
  test('what the carrier found is what the caller gets, each their own', async () => {
    const bench = new Bench()
    const first = bench.engine.examinations.examine(me, { url })
    const second = bench.engine.examinations.examine(me, { url })
    const names = bench.carriers.orders('examine').map(({ examination }) => examination)
    assert.equal(new Set(names).size, 2)
    const [one = '', two = ''] = names
    bench.carriers.report({ kind: 'examined', examination: two, findings: [] })
    bench.carriers.report({ kind: 'examined', examination: one, findings: [answer] })
    assert.deepEqual([await first, await second], [[answer], []])
  })

  test('nothing is found by a carrier that dies', async () => {
    const bench = new Bench()
    const examined = bench.engine.examinations.examine(me, { url })
    bench.carriers.lose(me.owner, 'it crashed')
    assert.deepEqual(await examined, [])
  })

  test('a name and a password in the URL are cut, and go along as credentials (A40)', () => {
    const order = asked(new Bench(), { url: 'http://ann:s%20cret@origin/file' })
    assert.equal(order.url, url)
    assert.deepEqual(order.urlCredentials, record('s cret'))
  })

  test('what is given counts in the place of what the job has, pair by pair', () => {
    const bench = new Bench()
    const job = bench.add('normal', 1, {
      credentials: [pair('basic', 'own'), pair('digest', 'own')],
    })
    const order = asked(bench, { id: job.id, credentials: [pair('digest', 'other')] })
    assert.deepEqual(order.identity?.pairs, [
      { target: 'server', scheme: 'basic', credentials: record('own') },
      { target: 'server', scheme: 'digest', credentials: record('other') },
    ])
  })

  test('the way, the certificate and the trust that are given count, else those of the job', () => {
    const bench = new Bench()
    const job = bench.add('normal', 1, { proxy: { usage: 'noProxy' } })
    const own = asked(bench, { id: job.id })
    assert.deepEqual([own.proxy, own.identity?.certificate], [{ usage: 'noProxy' }, undefined])
    const given = asked(bench, {
      id: job.id,
      proxy: { usage: 'autodetect' },
      certificate: { location: 'currentUser', store: 'MY', name: 'ann' },
      caFile: '/ca.pem',
      securityFlags: 0x0202,
    })
    assert.deepEqual(given.proxy, { usage: 'autodetect' })
    assert.deepEqual(given.identity?.certificate, storedFiles)
    assert.equal(given.transfer.caFile, '/ca.pem')
    assert.equal(given.transfer.securityFlags, 2)
    assert.equal(given.transfer.redirects.follow, 'disallow')
  })

  test('headers of the job stay where they are: they may be secrets', () => {
    const bench = new Bench()
    const job = bench.add('normal', 1, { transfer: { headers: [['X-Token', 'secret']] } })
    assert.deepEqual(asked(bench, { id: job.id }).transfer.headers, [])
  })

  test('the file that the job failed with is asked for, else its first', () => {
    const bench = new Bench()
    const job = bench.add('normal', 3)
    assert.equal(asked(bench, { id: job.id }).url, 'http://origin/0')
    bench.connect(job)
    bench.checkpoint(job, part(0, 10))
    bench.fail(job, httpStatusFailure(401, 'The server answered 401', { file: 2 }))
    assert.equal(asked(bench, { id: job.id }).url, 'http://origin/2')
    assert.equal(asked(bench, { id: job.id, url }).url, url)
  })

  test('what an order carries is wiped with it', () => {
    const order = asked(new Bench(), {
      url: 'http://ann:secret@origin/file',
      credentials: [pair('basic', 'secret')],
    })
    wipeOrder(order)
    const secrets = [order.urlCredentials, order.identity?.pairs[0]?.credentials]
    for (const bytes of secrets) assert(bytes?.every((byte) => byte === 0))
  })

  test('a job is asked as by its owner alone, while it lasts, and for a file', async () => {
    const bench = new Bench()
    const job = bench.add()
    for (const caller of [other, root]) {
      assert.throws(
        () => bench.engine.examinations.examine(caller, { id: job.id }),
        refusal('E_ACCESSDENIED'),
      )
    }
    const empty = bench.add('normal', 0, { resume: false })
    const examine = () => bench.engine.examinations.examine(me, { id: empty.id })
    assert.throws(examine, refusal('E_INVALIDARG'))
    await bench.engine.cancel(me, empty.id)
    assert.throws(examine, refusal('BG_E_INVALID_STATE'))
  })

  test('names in URLs are refused where the operator refuses them (A45)', () => {
    const bench = new Bench({ settings: { refusesUrlCredentials: true } })
    assert.throws(
      () => bench.engine.examinations.examine(me, { url: 'http://ann:secret@origin/' }),
      (error) =>
        refusal('E_INVALIDARG')(error) && error instanceof Error && !/secret/u.test(error.message),
    )
  })
})
