import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fullJob, newJob, stateKinds, stateOfKind } from '../engine/ports/job-store.suite.ts'
import type { NewJob } from '../engine/ports/job-store.ts'
import { decodeJob, encodeJob } from './job-row.ts'
import { usual, withoutUsual } from './usual.ts'

/** A job and what is read again of what was written of it. */
function again(job: NewJob): unknown {
  return decodeJob([1, ...encodeJob(job)])
}

const names = Object.keys(fullJob) as (keyof NewJob)[]
const plain = newJob(1, { tally: usual.tally })

test('the record of a job that is usual in everything says only what is its own', () => {
  assert.equal(
    encodeJob(plain).at(-1),
    '{"displayName":"Job 1","created":1000,"ownerName":"alice"}',
  )
})

test('decodeJob() gives back what encodeJob() was given, whatever of it is usual', () => {
  const mixed = fc.subarray(names).chain((taken) =>
    fc.constantFrom(...stateKinds).map((kind) => ({
      ...plain,
      ...Object.fromEntries(taken.map((name) => [name, fullJob[name]])),
      state: stateOfKind[kind],
    })),
  )
  fc.assert(fc.property(mixed, (job) => assert.deepEqual(again(job), { ...job, sequence: 1 })))
})

test('decodeJob() gives back each number of a job that alone is unusual', () => {
  for (const group of ['patience', 'tally'] as const) {
    for (const name of Object.keys(usual[group])) {
      const job = { ...plain, [group]: { ...usual[group], [name]: 77 } }
      assert.deepEqual(again(job), { ...job, sequence: 1 }, name)
    }
  }
})

test('decodeJob() gives back each field of a job that alone is not as in others', () => {
  for (const name of names) {
    const job = { ...plain, [name]: fullJob[name] }
    assert.deepEqual(again(job), { ...job, sequence: 1 }, name)
  }
})

test('withoutUsual() keeps what only looks usual', () => {
  const values = { type: ['download'], description: null, attempts: false, touched: 0, facts: [] }
  assert.deepEqual(withoutUsual(values), values)
})
