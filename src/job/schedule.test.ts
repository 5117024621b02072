import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { priorities, type Priority } from './job.ts'
import { defaultSchedulePolicy, schedule, type ActiveJob, type QueuedJob } from './schedule.ts'

const policy = { backgroundJobs: 1, timeSliceMs: 1_000 }

function active(id: string, priority: Priority, since = 0): ActiveJob {
  return { id, priority, since }
}

function queued(id: string, priority: Priority): QueuedJob {
  return { id, priority }
}

describe('schedule()', () => {
  test('schedule() runs every foreground job and one background job (bits-jobs.md §19)', () => {
    const jobs = [
      queued('f1', 'foreground'),
      queued('f2', 'foreground'),
      queued('n1', 'normal'),
      queued('n2', 'normal'),
    ]
    assert.deepEqual(schedule([], jobs, 0, policy).start, ['f1', 'f2', 'n1'])
  })

  test('schedule() lets a higher priority take the turn of a lower one at once', () => {
    const plan = schedule([active('l', 'low')], [queued('h', 'high')], 1, policy)
    assert.deepEqual([plan.start, plan.yield], [['h'], ['l']])
  })

  test('schedule() gives a lower priority nothing while a higher one waits', () => {
    const plan = schedule(
      [active('h1', 'high')],
      [queued('h2', 'high'), queued('n', 'normal')],
      1,
      policy,
    )
    assert.deepEqual([plan.start, plan.yield], [[], []])
  })

  test('schedule() rotates within a priority when a time slice is used up', () => {
    const jobs = [queued('b', 'normal')]
    assert.deepEqual(schedule([active('a', 'normal')], jobs, 999, policy), {
      start: [],
      yield: [],
      lookAgainAt: 1_000,
    })
    const plan = schedule([active('a', 'normal')], jobs, 1_000, policy)
    assert.deepEqual([plan.start, plan.yield], [['b'], ['a']])
  })

  test('schedule() lets a job go on beyond its slice when nobody waits', () => {
    assert.deepEqual(schedule([active('a', 'normal')], [], 9_999, policy), { start: [], yield: [] })
  })

  test('schedule() never runs more background jobs than allowed, and never leaves room unused', () => {
    const priority = fc.constantFrom(...priorities)
    const actives = fc.array(fc.record({ priority, since: fc.nat(3_000) }), { maxLength: 6 })
    const waiting = fc.array(priority, { maxLength: 6 })
    fc.assert(
      fc.property(
        actives,
        waiting,
        fc.integer({ min: 1, max: 4 }),
        (running, queue, backgroundJobs) => {
          const now = running.map((each, index) => ({ id: `a${index}`, ...each }))
          const next = queue.map((each, index) => ({ id: `q${index}`, priority: each }))
          const plan = schedule(now, next, 3_000, { backgroundJobs, timeSliceMs: 1_000 })
          const all = [...now, ...next]
          const isBackground = (id: string): boolean =>
            all.find((job) => job.id === id)?.priority !== 'foreground'
          const runs = [
            ...now.map(({ id }) => id).filter((id) => !plan.yield.includes(id)),
            ...plan.start,
          ].filter(isBackground)
          const wants = all.filter(({ id }) => isBackground(id)).length
          assert.equal(runs.length, Math.min(backgroundJobs, wants))
          assert.equal(new Set(runs).size, runs.length)
          const foreground = next.filter((job) => job.priority === 'foreground').map(({ id }) => id)
          assert.deepEqual(
            plan.start.filter((id) => !isBackground(id)),
            foreground,
          )
        },
      ),
    )
    assert.equal(defaultSchedulePolicy.backgroundJobs, 1)
  })
})
