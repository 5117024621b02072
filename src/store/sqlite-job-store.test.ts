import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import {
  fullFile,
  idOf,
  jobStoreSuite,
  newFile,
  newJob,
  stateKinds,
  stateOfKind,
  untouched,
} from '../engine/ports/job-store.suite.ts'
import type { JobStore } from '../engine/ports/job-store.ts'
import { priorities, type JobFile } from '../job/job.ts'
import { MemoryJobStore } from '../testing/memory-job-store.ts'
import { openJobStore } from './sqlite-job-store.ts'

const folder = mkdtempSync(join(tmpdir(), 'lull-store-'))
const open = new Map<JobStore, string>()
let made = 0

after(() => {
  for (const store of open.keys()) store.close()
  rmSync(folder, { recursive: true })
})

function openAt(path: string): JobStore {
  const store = openJobStore(path)
  open.set(store, path)
  return store
}

const subject = {
  open: () => openAt(join(folder, `queue-${++made}`)),
  reopen(store: JobStore): JobStore {
    store.close()
    return openAt(open.get(store) ?? '')
  },
}

jobStoreSuite('SqliteJobStore', subject)

test('SqliteJobStore refuses a number that could not be read again', () => {
  const store = subject.open()
  for (const activeMs of [Number.NaN, Infinity]) {
    assert.throws(() => store.insert(newJob(1, { activeMs })), RangeError)
  }
  assert.throws(() => store.insert(newJob(1, { turn: Number.NaN })), /Broken invariant/)
  assert.equal(store.count(), 0)
})

/** One step of a random history; jobs are told apart by small numbers, so that they meet often. */
type Step = (store: JobStore) => unknown

const number = fc.integer({ min: 1, max: 5 })
const ordinal = fc.integer({ min: 0, max: 3 })

const changes = fc.record({
  state: fc.constantFrom(...stateKinds.map((kind) => stateOfKind[kind])),
  priority: fc.constantFrom(...priorities),
  turn: fc.integer({ min: 0, max: 9 }),
  modified: fc.integer({ min: 0, max: 9 }),
  owner: fc.constantFrom({ id: '1', name: 'alice' }, { id: '2', name: 'bob' }),
})

const write: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(number, changes).map(
    ([n, change]): Step =>
      (s) =>
        s.insert(newJob(n, change)),
  ),
  fc.tuple(number, changes).map(([n, change]): Step => (s) => {
    const job = s.find(idOf(n))
    if (job !== undefined) s.save({ ...job, ...change })
  }),
  number.map(
    (n): Step =>
      (s) =>
        s.remove(idOf(n)),
  ),
  fc.tuple(number, ordinal).map(
    ([n, from]): Step =>
      (s) =>
        s.insertFiles(idOf(n), [newFile(from), newFile(from + 1)]),
  ),
  fc
    .tuple(
      number,
      ordinal,
      fc.constantFrom<((o: number) => JobFile)[]>(fullFile, (o) => untouched(newFile(o))),
    )
    .map(
      ([n, o, make]): Step =>
        (s) =>
          s.saveFiles(idOf(n), [make(o)]),
    ),
)

const history: fc.Arbitrary<Step> = fc.letrec<{ step: Step; nested: Step }>((tie) => ({
  step: fc.oneof({ weight: 4, arbitrary: write }, { weight: 1, arbitrary: tie('nested') }),
  nested: fc.tuple(fc.array(tie('step'), { maxLength: 5 }), fc.boolean()).map(
    ([steps, fails]): Step =>
      (s) =>
        s.transact(() => {
          for (const step of steps) attempt(step, s)
          if (fails) throw new Error('undone')
        }),
  ),
})).step

/** Runs one step; whether it throws is part of what has to agree. */
function attempt(step: Step, store: JobStore): string {
  try {
    return JSON.stringify(step(store)) ?? 'done'
  } catch {
    return 'refused'
  }
}

/** Everything a store can be asked. */
function everything(store: JobStore): unknown {
  const jobs = store.page({ states: stateKinds, limit: 100 })
  return [
    jobs,
    jobs.map(({ id }) => store.files(id, { limit: 100 })),
    jobs.map(({ id }) => store.files(id, { kinds: ['missing', 'completed'], limit: 100 })),
    ['1', '2', undefined].map((owner) => store.count(owner)),
    ['1', '2'].map((owner) => store.page({ owner, limit: 3 })),
    priorities.map((priority) => store.queued(priority, 3)),
    store.inState(['error', 'transientError']),
    store.nextTurn(),
    [store.finished(5, 3), store.stale(5, 3)],
  ]
}

test('SqliteJobStore agrees with MemoryJobStore after any history', () => {
  const store = subject.open()
  const emptied = new Error('emptied')
  const law = fc.property(fc.array(history, { maxLength: 25 }), (steps) => {
    const empty = () =>
      store.transact(() => {
        const memory = new MemoryJobStore()
        for (const step of steps) assert.equal(attempt(step, store), attempt(step, memory))
        assert.deepEqual(everything(store), everything(memory))
        throw emptied
      })
    assert.throws(empty, emptied)
  })
  fc.assert(law, { numRuns: 200 })
})
