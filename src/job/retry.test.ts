import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { costFailure, costStates } from './cost.ts'
import { failure, httpStatusFailure } from './failure.ts'
import { decideRetry } from './retry.ts'

const lost = failure('ERROR_WINHTTP_CONNECTION_ERROR', 'GENERAL_TRANSPORT', 'The connection broke')
const patience = {
  minimumRetryDelayS: 600,
  noProgressTimeoutS: 1_209_600,
  maximumDownloadTimeS: 7_776_000,
  stallTimeoutMs: 30_000,
}
const job = { patience, attempts: 1, noProgressMs: 0 }

function delayOf(decision: ReturnType<typeof decideRetry>): number | undefined {
  return decision.kind === 'wait' ? decision.delayMs : undefined
}

describe('decideRetry()', () => {
  test('decideRetry() waits for the minimum delay first (bits-jobs.md §20.1)', () => {
    assert.deepEqual(decideRetry(job, lost, 0), { kind: 'wait', delayMs: 600_000 })
  })

  test('decideRetry() doubles a short delay with every failure, up to ten minutes', () => {
    const quick = { ...job, patience: { ...patience, minimumRetryDelayS: 5 } }
    const delays = [1, 2, 3, 4, 20].map((attempts) =>
      delayOf(decideRetry({ ...quick, attempts }, lost, 0)),
    )
    assert.deepEqual(delays, [5_000, 10_000, 20_000, 40_000, 600_000])
  })

  test('decideRetry() adds up to a tenth of jitter and never undercuts the minimum', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 5, max: 86_400 }),
        fc.nat(50),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (s, attempts, jitter) => {
          const delay = delayOf(
            decideRetry(
              { ...job, attempts: attempts + 1, patience: { ...patience, minimumRetryDelayS: s } },
              lost,
              jitter,
            ),
          )
          assert(
            delay !== undefined &&
              delay >= s * 1000 &&
              delay <= Math.max(600_000, s * 1000) * 1.1 + 1,
          )
        },
      ),
    )
  })

  test('decideRetry() obeys Retry-After when it asks for more', () => {
    const asked = { ...lost, retryAfterMs: 3_600_000 }
    assert.deepEqual(decideRetry(job, asked, 0), { kind: 'wait', delayMs: 3_600_000 })
    assert.deepEqual(decideRetry(job, { ...lost, retryAfterMs: 1 }, 0), {
      kind: 'wait',
      delayMs: 600_000,
    })
  })

  test('decideRetry() gives up at once when the no-progress timeout is 0 (bits-jobs.md §20.2)', () => {
    assert.equal(
      decideRetry({ ...job, patience: { ...patience, noProgressTimeoutS: 0 } }, lost, 0).kind,
      'giveUp',
    )
  })

  test('decideRetry() gives up at once when the delay is longer than the timeout (bits-jobs.md §20.1)', () => {
    assert.equal(
      decideRetry({ ...job, patience: { ...patience, noProgressTimeoutS: 599 } }, lost, 0).kind,
      'giveUp',
    )
  })

  test('decideRetry() gives up when the time without progress is used up', () => {
    assert.equal(decideRetry({ ...job, noProgressMs: 1_209_600_000 }, lost, 0).kind, 'giveUp')
    assert.equal(decideRetry({ ...job, noProgressMs: 1_209_599_999 }, lost, 0).kind, 'wait')
  })

  test('decideRetry() looks soon for a network that may be there already', () => {
    const settling = failure('BG_E_NETWORK_DISCONNECTED', 'GENERAL_TRANSPORT', 'No network', {
      waitsFor: 'network',
      retryAfterMs: 2_000,
    })
    assert.deepEqual(decideRetry(job, settling, 1), { kind: 'wait', delayMs: 2_000 })
  })

  test('decideRetry() waits for a network without a clock, and looks for room every few seconds', () => {
    const away = failure('BG_E_NETWORK_DISCONNECTED', 'GENERAL_TRANSPORT', 'No network', {
      waitsFor: 'network',
    })
    const full = failure('ERROR_DISK_FULL', 'LOCAL_FILE', 'Full', { waitsFor: 'space' })
    const impatient = { ...job, patience: { ...patience, noProgressTimeoutS: 0 } }
    const costly = costFailure(costStates.roaming)
    assert.deepEqual(decideRetry(impatient, away, 0), { kind: 'wait' })
    assert.deepEqual(decideRetry(impatient, costly, 0), { kind: 'wait' })
    assert.deepEqual(decideRetry(impatient, full, 0), { kind: 'wait', delayMs: 5_000 })
    const stale = httpStatusFailure(401, 'Expired', { severity: 'transient' })
    const ticketless = { ...stale, waitsFor: 'tickets', retryAfterMs: 60_000 } as const
    assert.deepEqual(decideRetry(impatient, ticketless, 0), { kind: 'wait', delayMs: 60_000 })
  })
})
