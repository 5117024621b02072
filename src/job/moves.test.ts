import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { diagram } from '../../scripts/state-diagram.ts'
import { failure, JobError } from './failure.ts'
import { defaultPatience, defaultTransfer, type Job } from './job.ts'
import { bitsStates, isFinal, move, moves, type JobEventKind, type JobStateKind } from './moves.ts'
import { transition, type JobEvent } from './transition.ts'

const lost = failure('ERROR_WINHTTP_CANNOT_CONNECT', 'GENERAL_TRANSPORT', 'Cannot connect')
const fatal = failure('BG_E_INVALID_SERVER_RESPONSE', 'REMOTE_FILE', 'Garbage')

function jobWith(changes: Partial<Job> = {}): Job {
  return {
    id: '00000000-0000-4000-8000-000000000000',
    sequence: 1,
    owner: { id: '1000', name: 'somebody' },
    type: 'download',
    displayName: 'job',
    description: '',
    priority: 'normal',
    state: { kind: 'suspended' },
    patience: defaultPatience,
    transfer: defaultTransfer,
    completesItself: false,
    created: 0,
    modified: 0,
    tally: {
      filesTotal: 1,
      filesTransferred: 0,
      filesSized: 0,
      bytesSized: 0,
      bytesTransferred: 0,
    },
    errorCount: 0,
    attempts: 0,
    noProgressMs: 0,
    bytesBest: 0,
    touched: false,
    activeMs: 0,
    turn: 1,
    ...changes,
  }
}

const whole = {
  filesTotal: 1,
  filesTransferred: 1,
  filesSized: 1,
  bytesSized: 3,
  bytesTransferred: 3,
}

/** bits-jobs.md §18.2, row by row; the last column is the clause or the sentence of the table. */
const documented: readonly (readonly [
  'none' | JobStateKind,
  JobEventKind,
  JobStateKind,
  string,
])[] = [
  ['none', 'create', 'suspended', 'CreateJob'],
  ['suspended', 'resume', 'queued', 'Resume with at least one file'],
  ['suspended', 'suspend', 'suspended', 'suspending a suspended job is a no-op success, §6.3'],
  ['queued', 'activate', 'connecting', 'the scheduler gives the job its turn'],
  ['connecting', 'connect', 'transferring', 'connection made'],
  ['connecting', 'lose', 'transientError', 'connection failed'],
  ['connecting', 'fail', 'error', 'fatal error, §20.5'],
  ['transferring', 'fail', 'error', 'fatal error, §20.5'],
  ['transferring', 'yield', 'queued', 'end of time slice, preemption, logoff'],
  ['transferring', 'lose', 'transientError', 'recoverable error'],
  ['queued', 'lose', 'transientError', 'network connection lost'],
  ['transientError', 'retry', 'queued', 'minimum retry delay elapsed, network back, block lifted'],
  ['transientError', 'resume', 'queued', 'Resume'],
  ['transientError', 'fail', 'error', 'no-progress timeout reached'],
  ['transferring', 'finish', 'transferred', 'last file done'],
  ['transferring', 'pause', 'suspended', 'requested ranges done but file not complete'],
  ['queued', 'suspend', 'suspended', 'Suspend'],
  ['connecting', 'suspend', 'suspended', 'Suspend'],
  ['transferring', 'suspend', 'suspended', 'Suspend'],
  ['transientError', 'suspend', 'suspended', 'Suspend'],
  ['error', 'suspend', 'error', 'returns success, state unchanged; §28 leaves it open'],
  ['transferred', 'suspend', 'transferred', 'returns success, state unchanged; §28 leaves it open'],
  ['error', 'resume', 'queued', 'Resume after repair'],
  ['transferred', 'resume', 'queued', 'files added, then Resume'],
  ['transferred', 'reject', 'error', 'SetValidationState(FALSE)'],
  ['transferred', 'stumble', 'transferred', 'Complete with a failed rename'],
  ['queued', 'resume', 'queued', 'resuming a running job is a no-op success, §6.3'],
  ['connecting', 'resume', 'connecting', 'resuming a running job is a no-op success, §6.3'],
  ['transferring', 'resume', 'transferring', 'resuming a running job is a no-op success, §6.3'],
]

const notFinal = (Object.keys(bitsStates) as JobStateKind[]).filter((kind) => !isFinal(kind))

describe('moves', () => {
  test('moves holds every transition that bits-jobs.md §18.2 documents', () => {
    for (const [from, event, to, why] of documented) assert.equal(move(from, event), to, why)
  })

  test('moves lets every state that is not final be completed, cancelled and scavenged', () => {
    for (const state of notFinal) {
      assert.equal(move(state, 'complete'), 'acknowledged')
      assert.equal(move(state, 'cancel'), 'cancelled')
      assert.equal(move(state, 'scavenge'), 'cancelled')
    }
  })

  test('moves never leaves a final state', () => {
    assert.deepEqual(moves.acknowledged, {})
    assert.deepEqual(moves.cancelled, {})
  })

  test('bitsStates has the nine numbers of BG_JOB_STATE (bits-jobs.md §3)', () => {
    const values = Object.values(bitsStates).map(({ value }) => value)
    assert.deepEqual(values, [0, 1, 2, 3, 4, 5, 6, 7, 8])
  })

  test('the diagram in docs/internals/states.md is the table', () => {
    const page = readFileSync(join(import.meta.dirname, '../../docs/internals/states.md'), 'utf8')
    assert(page.includes(diagram()), 'run node scripts/state-diagram.ts to renew it')
  })
})

const events: fc.Arbitrary<JobEvent> = fc.oneof(
  fc
    .constantFrom(
      ...([
        'resume',
        'suspend',
        'cancel',
        'scavenge',
        'activate',
        'connect',
        'retry',
        'pause',
      ] as const),
    )
    .map((kind) => ({ kind })),
  fc.constant({ kind: 'finish' } as const),
  fc.boolean().map((partial) => ({ kind: 'complete' as const, partial })),
  fc.nat(9).map((turn) => ({ kind: 'yield' as const, turn })),
  fc
    .constantFrom(lost, fatal)
    .map((reason) => ({ kind: 'lose' as const, failure: reason, jitter: 0.5 })),
  fc
    .constantFrom('fail' as const, 'reject' as const, 'stumble' as const)
    .map((kind) => ({ kind, failure: fatal })),
)

describe('transition()', () => {
  test('transition() never leaves the table, whatever happens in whatever order', () => {
    fc.assert(
      fc.property(fc.array(events, { maxLength: 60 }), (sequence) => {
        let job = jobWith({ tally: whole })
        for (const event of sequence) {
          const allowed = move(job.state.kind, event.kind)
          if (allowed === undefined) {
            assert.throws(() => transition(job, event, 1), { code: 'BG_E_INVALID_STATE' })
            continue
          }
          const next = transition(job, event, 1)
          const mayDiffer =
            // Patience may be at its end, and a Resume may find nothing left to do.
            (event.kind === 'lose' && next.state.kind === 'error') ||
            (event.kind === 'resume' && job.state.kind === 'transferred')
          assert(next.state.kind === allowed || mayDiffer)
          job = next
        }
      }),
    )
  })

  test('transition() refuses what the table does not have, with the code of BITS', () => {
    for (const state of ['acknowledged', 'cancelled'] as const) {
      const job = jobWith({
        state: state === 'acknowledged' ? { kind: state, partial: false } : { kind: state },
      })
      for (const kind of ['resume', 'suspend', 'cancel'] as const) {
        assert.throws(
          () => transition(job, { kind }, 1),
          (error) => error instanceof JobError && error.hresult === 0x8020_0002,
        )
      }
    }
  })

  test('transition() refuses to resume a job without files and leaves it suspended (bits-jobs.md §6.3)', () => {
    const empty = jobWith({
      tally: {
        ...whole,
        filesTotal: 0,
        filesTransferred: 0,
        filesSized: 0,
        bytesSized: 0,
        bytesTransferred: 0,
      },
    })
    assert.throws(() => transition(empty, { kind: 'resume' }, 1), { code: 'BG_E_EMPTY' })
  })

  test('transition() leaves a transferred job transferred when it is resumed without new files (bits-jobs.md §28)', () => {
    const job = jobWith({ tally: whole, state: { kind: 'transferred' } })
    assert.equal(transition(job, { kind: 'resume' }, 1).state.kind, 'transferred')
    const more = jobWith({ tally: { ...whole, filesTotal: 2 }, state: { kind: 'transferred' } })
    assert.equal(transition(more, { kind: 'resume' }, 1).state.kind, 'queued')
  })

  test('transition() counts failures but not outages of the network (bits-jobs.md §20.4)', () => {
    const active = jobWith({ state: { kind: 'transferring' } })
    const away = failure('BG_E_NETWORK_DISCONNECTED', 'GENERAL_TRANSPORT', 'No network', {
      waitsFor: 'network',
    })
    assert.equal(transition(active, { kind: 'lose', failure: lost, jitter: 0 }, 1).errorCount, 1)
    const waiting = transition(active, { kind: 'lose', failure: away, jitter: 0 }, 1)
    assert.equal(waiting.errorCount, 0)
    assert(waiting.state.kind === 'transientError' && waiting.state.retryAt === undefined)
  })

  test('transition() restores patience with Resume (bits-jobs.md §20.1, §20.3)', () => {
    const spent = jobWith({
      state: { kind: 'error', failure: fatal },
      attempts: 9,
      noProgressMs: 5,
      activeMs: 7,
    })
    const { attempts, noProgressMs, activeMs } = transition(spent, { kind: 'resume' }, 1)
    assert.deepEqual([attempts, noProgressMs, activeMs], [0, 0, 0])
  })

  test('transition() refuses to call a job finished while bytes are missing', () => {
    assert.throws(
      () => transition(jobWith({ state: { kind: 'transferring' } }), { kind: 'finish' }, 1),
      /invariant/u,
    )
  })
})
