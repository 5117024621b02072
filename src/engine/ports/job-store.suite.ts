/** What every {@link JobStore} does. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { failure } from '../../job/failure.ts'
import {
  defaultPatience,
  defaultTransfer,
  priorities,
  type Job,
  type JobFile,
  type JobState,
} from '../../job/job.ts'
import type { JobStateKind } from '../../job/moves.ts'
import {
  clearHeaders,
  type JobSecret,
  type JobStore,
  type NewFile,
  type NewJob,
} from './job-store.ts'
import { fileTarget, type SealContext } from './vault.ts'

/** One implementation, as the suite uses it. */
export interface JobStoreSubject {
  /** Makes an empty queue of its own for one case. */
  open(): JobStore
  /** Closes a queue that {@link open} made and opens it again from where it is kept. */
  reopen(store: JobStore): JobStore
}

/** A case that an implementation leaves out. */
export interface Skip {
  /** The sentence that names the case. */
  readonly name: string
  readonly reason: string
}

/** A failure that can be tried again. */
export const networkFailure = failure(
  'BG_E_CONNECT_FAILURE',
  'REMOTE_FILE',
  'The server does not answer',
  { file: 3, retryAfterMs: 1500.5 },
)

/** One state of every kind, with every fact it can have. */
export const stateOfKind: { readonly [Kind in JobStateKind]: JobState } = {
  suspended: { kind: 'suspended' },
  queued: { kind: 'queued' },
  connecting: { kind: 'connecting' },
  transferring: { kind: 'transferring' },
  transientError: { kind: 'transientError', failure: networkFailure, retryAt: 7_000 },
  error: { kind: 'error', failure: networkFailure },
  transferred: { kind: 'transferred', failure: networkFailure },
  acknowledged: { kind: 'acknowledged', partial: true },
  cancelled: { kind: 'cancelled' },
}

/** Every kind of state. */
export const stateKinds = Object.keys(stateOfKind) as JobStateKind[]

/** A GUID made of a number. */
export function idOf(number: number): string {
  return `${number.toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`
}

/** A job like any other; `number` tells it apart. */
export function newJob(number: number, changes: Partial<NewJob> = {}): NewJob {
  return {
    id: idOf(number),
    owner: { id: '1000', name: 'alice' },
    type: 'download',
    displayName: `Job ${number}`,
    description: '',
    priority: 'normal',
    state: { kind: 'queued' },
    patience: defaultPatience,
    transfer: defaultTransfer,
    completesItself: false,
    created: 1_000,
    modified: 1_000,
    tally: {
      filesTotal: 0,
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
    turn: number,
    ...changes,
  }
}

/** A job of which no field has its usual value. */
export const fullJob: NewJob = newJob(1, {
  owner: { id: 'S-1-5-21-1', name: 'ÅSA' },
  type: 'uploadReply',
  displayName: 'a "name" with \\, \u0000, \ud83d\ude00 and \u2028',
  description: "x'); DROP TABLE jobs; --",
  priority: 'foreground',
  patience: {
    minimumRetryDelayS: 5,
    noProgressTimeoutS: 0,
    maximumDownloadTimeS: 1.5,
    stallTimeoutMs: 1,
  },
  transfer: {
    caFile: '/etc/ca.pem',
    securityFlags: 0x1f,
    pinnedKeys: ['sha256//ab', 'sha256//cd'],
    validation: { accepted: ['o:443 ab', '[::1]:8443 cd'] },
    redirects: { follow: 'disallow', allowHttpsToHttp: true },
    overwrite: true,
    contentDisposition: true,
  },
  proxy: {
    usage: 'override',
    list: 'http=p:80',
    bypass: '<local>',
    script: 'https://p/pac',
    environment: { http_proxy: 'p:80', NO_PROXY: '*' },
  },
  certificate: { certificateFile: '/home/ÅSA/c.pem', keyFile: '/home/ÅSA/c.key' },
  helperFlags: 3,
  usesStoredForProxy: true,
  provesUnasked: true,
  costFlags: 0xffff_ffff,
  completesItself: true,
  pending: 'discard',
  created: 1_700_000_000_000.25,
  modified: 1_700_000_000_001.5,
  transferredAt: 1_700_000_000_002,
  tally: {
    filesTotal: 5,
    filesTransferred: 4,
    filesSized: 3,
    bytesSized: Number.MAX_SAFE_INTEGER,
    bytesTransferred: 2 ** 40,
  },
  errorCount: 6,
  attempts: 7,
  noProgressMs: 8.125,
  bytesBest: 2 ** 41,
  touched: true,
  activeMs: 9.25,
  turn: 10,
})

/** A file of which nothing is known yet. */
export function newFile(ordinal: number, changes: Partial<NewFile> = {}): NewFile {
  return {
    ordinal,
    remoteName: `https://origin.example/${ordinal}`,
    localName: `/home/alice/${ordinal}`,
    digests: [],
    ...changes,
  }
}

/** The file that a store makes of a new one. */
export function untouched(file: NewFile): JobFile {
  return { ...file, kind: 'missing', ranges: [], tagRestarts: 0 }
}

/** A file of which no field has its usual value. */
export function fullFile(ordinal: number): JobFile {
  return {
    ...newFile(ordinal),
    digests: [
      { algorithm: 'sha-256', hex: 'ab'.repeat(32) },
      { algorithm: 'md5', hex: 'cd'.repeat(16) },
    ],
    askedName: 'https://named.example/ÅSA',
    kind: 'transferred',
    version: {
      etag: 'W/"a\u00ff"',
      lastModified: 'Thu, 01 Jan 1970 00:00:00 GMT',
      date: 'Thu, 01 Jan 1970 00:00:01 GMT',
      size: 2 ** 50,
      digest: `md5:${'ef'.repeat(16)}`,
    },
    size: 2 ** 50,
    ranges: [
      { start: 0, end: 1 },
      { start: 5, end: 2 ** 50 },
    ],
    tagRestarts: 2,
    identity: { device: '18446744073709551615', inode: '18446744073709551614', size: 2 ** 50 },
  }
}

type Case = (store: JobStore, subject: JobStoreSubject) => void

/**
 * Registers the suite.
 *
 * @param name of the implementation, for the report
 * @param skips cases that cannot hold for it
 */
export function jobStoreSuite(
  name: string,
  subject: JobStoreSubject,
  skips: readonly Skip[] = [],
): void {
  const unknown = skips.filter((skip) => cases[skip.name] === undefined)
  assert.deepEqual(unknown, [], 'every skip names a case')
  for (const [sentence, check] of Object.entries(cases)) {
    const skip = skips.find((candidate) => candidate.name === sentence)?.reason ?? false
    test(`${name}: ${sentence}`, { skip }, () => check(subject.open(), subject))
  }
}

const jobs = (found: readonly Job[]) => found.map(({ displayName }) => displayName)

/** Inserts jobs 1, 2, … with these changes. */
function fill(store: JobStore, ...changes: Partial<NewJob>[]): Job[] {
  return changes.map((change, index) => store.insert(newJob(index + 1, change)))
}

const transactions: Readonly<Record<string, Case>> = {
  'transact() returns what its work returns': (store) => {
    assert.equal(
      store.transact(() => 7),
      7,
    )
  },
  'transact() undoes every kind of write when its work throws': (store) => {
    const [kept, removed] = fill(store, {}, {})
    assert(kept !== undefined && removed !== undefined)
    store.insertFiles(kept.id, [newFile(0)])
    store.insertFiles(removed.id, [newFile(0, { localName: '/elsewhere' })])
    const refusal = new Error('no')
    const undone = () =>
      store.transact(() => {
        store.insert(newJob(3))
        store.save({ ...kept, state: { kind: 'cancelled' }, owner: { id: '2', name: 'bob' } })
        store.save({ ...kept, turn: 99 })
        store.insertFiles(kept.id, [newFile(1)])
        store.saveFiles(kept.id, [fullFile(0)])
        store.remove(removed.id)
        store.insert(newJob(2, { displayName: 'another with its id' }))
        throw refusal
      })
    assert.throws(undone, refusal)
    assert.deepEqual(store.page({ limit: 10 }), [kept, removed])
    assert.deepEqual(store.files(kept.id, { limit: 10 }), [untouched(newFile(0))])
    assert.equal(store.count(), 2)
    assert.equal(store.count('2'), 0)
    assert.equal(store.nextTurn(), 3)
    assert.equal(store.insert(newJob(3)).sequence, 3)
  },
  'transact() within transact() is undone alone when it throws': (store) => {
    store.transact(() => {
      fill(store, {})
      const inner = () =>
        store.transact(() => {
          store.insert(newJob(2))
          throw new RangeError('inner')
        })
      assert.throws(inner, RangeError)
      store.insert(newJob(3))
    })
    assert.deepEqual(jobs(store.page({ limit: 10 })), ['Job 1', 'Job 3'])
  },
  'transact() that throws undoes what a transact() within it had done': (store) => {
    const outer = () =>
      store.transact(() => {
        store.transact(() => fill(store, {}))
        throw new RangeError('outer')
      })
    assert.throws(outer, RangeError)
    assert.deepEqual(store.page({ limit: 10 }), [])
  },
  'transact() lets its work read what it wrote': (store) => {
    store.transact(() => {
      fill(store, {}, {})
      assert.deepEqual(jobs(store.queued('normal', 10)), ['Job 1', 'Job 2'])
      assert.equal(store.count(), 2)
    })
  },
  'transact() refuses work that is not done when it returns': (store) => {
    const later = () =>
      store.transact(() => {
        fill(store, {})
        return Promise.resolve()
      })
    assert.throws(later, /promise/)
    assert.equal(store.count(), 0)
  },
  'close() may be called twice, and the queue is of no use after it': (store) => {
    store.close()
    store.close()
    assert.throws(() => store.find(idOf(1)))
    assert.throws(() => store.insert(newJob(1)))
    assert.throws(() => store.transact(() => 1))
  },
  'close() is refused within transact()': (store) => {
    assert.throws(() => store.transact(() => store.close()), /within a commit/)
    assert.equal(store.count(), 0)
  },
  'a queue that was closed and opened again is the same': (store, subject) => {
    const [first, second] = fill(store, fullJob, { state: { kind: 'cancelled' } })
    assert(first !== undefined && second !== undefined)
    store.insertFiles(first.id, [newFile(0)])
    store.saveFiles(first.id, [fullFile(0)])
    store.remove(second.id)
    const again = subject.reopen(store)
    assert.deepEqual(again.find(first.id), first)
    assert.deepEqual(again.findFile(first.id, 0), fullFile(0))
    assert.equal(again.count('S-1-5-21-1'), 1)
    assert.equal(again.insert(newJob(2)).sequence, 3)
  },
}

const oneJob: Readonly<Record<string, Case>> = {
  'find() gives every way to name a certificate': (store) => {
    const place = { location: 'localMachineEnterprise', store: 'MY' } as const
    const certificates = [
      { ...place, hash: 'ab'.repeat(20) },
      { ...place, name: 'Ann' },
    ]
    for (const [index, certificate] of certificates.entries()) {
      store.insert(newJob(index + 1, { certificate }))
      assert.deepEqual(store.find(idOf(index + 1))?.certificate, certificate)
    }
  },
  'insert() gives sequences that go up by one': (store) => {
    assert.deepEqual(
      fill(store, {}, {}, {}).map(({ sequence }) => sequence),
      [1, 2, 3],
    )
  },
  'insert() never gives the sequence of a job that was removed': (store) => {
    const [, last] = fill(store, {}, {})
    assert(last !== undefined)
    store.remove(last.id)
    assert.equal(store.insert(newJob(3)).sequence, 3)
  },
  'insert() refuses an id that is there': (store) => {
    fill(store, {})
    assert.throws(() => store.insert(newJob(1)), /Broken invariant/)
    assert.equal(store.count(), 1)
  },
  'find() returns every field as it was inserted': (store) => {
    const inserted = store.insert(fullJob)
    assert.deepEqual(inserted, { ...fullJob, sequence: 1 })
    assert.deepEqual(store.find(fullJob.id), inserted)
  },
  'find() knows no other id': (store) => {
    fill(store, {})
    assert.equal(store.find(idOf(2)), undefined)
    assert.equal(store.find(''), undefined)
  },
  'save() replaces every field': (store) => {
    const [before] = fill(store, {})
    assert(before !== undefined)
    const after = { ...fullJob, sequence: before.sequence }
    store.save(after)
    assert.deepEqual(store.find(before.id), after)
    store.save(before)
    assert.deepEqual(store.find(before.id), before)
  },
  'save() replaces a job of which only the counters changed': (store) => {
    const [before, other] = fill(store, {}, {})
    assert(before !== undefined && other !== undefined)
    const after = { ...before, tally: { ...before.tally, bytesTransferred: 5 } }
    store.save(after)
    assert.deepEqual(store.page({ limit: 10 }), [after, other])
  },
  'save() keeps every state with its facts': (store) => {
    const [job] = fill(store, {})
    assert(job !== undefined)
    const bare: JobState[] = [
      { kind: 'transferred' },
      { kind: 'transientError', failure: networkFailure },
      { kind: 'acknowledged', partial: false },
    ]
    for (const state of [...Object.values(stateOfKind), ...bare]) {
      store.save({ ...job, state })
      assert.deepEqual(store.find(job.id)?.state, state)
    }
  },
  'save() refuses a job that is not there': (store) => {
    const [job] = fill(store, {})
    assert(job !== undefined)
    assert.throws(() => store.save({ ...job, id: idOf(2) }), /Broken invariant/)
    assert.throws(() => store.save({ ...job, sequence: 2 }), /Broken invariant/)
    assert.deepEqual(store.page({ limit: 10 }), [job])
  },
  'remove() forgets the job and its files, and does it twice': (store) => {
    const [job, other] = fill(store, {}, {})
    assert(job !== undefined && other !== undefined)
    store.insertFiles(job.id, [newFile(0)])
    store.insertFiles(other.id, [newFile(0)])
    store.remove(job.id)
    store.remove(job.id)
    assert.equal(store.find(job.id), undefined)
    assert.deepEqual(store.files(job.id, { limit: 10 }), [])
    assert.equal(store.findFile(job.id, 0), undefined)
  },
}

const manyJobs: Readonly<Record<string, Case>> = {
  'findByPrefix() finds what begins alike, final or not, in order': (store) => {
    const ids = ['b', 'ab01', 'aa', 'ab00', 'abff'].map((start) => start.padEnd(36, '0'))
    ids.forEach((id, index) =>
      store.insert(newJob(index, { id, state: { kind: index % 2 ? 'queued' : 'cancelled' } })),
    )
    const [, ab01, , ab00, abff] = ids
    assert.deepEqual(store.findByPrefix('ab', 10), [ab00, ab01, abff])
    assert.deepEqual(store.findByPrefix('ab', 2), [ab00, ab01])
    assert.deepEqual(store.findByPrefix(ids[0] ?? '', 2), [ids[0]])
    assert.deepEqual(store.findByPrefix('AB', 10), [])
    assert.deepEqual(store.findByPrefix('%', 10), [])
    assert.deepEqual(store.findByPrefix('', 10), ids.toSorted())
  },
  'page() shows jobs that are not final, by sequence': (store) => {
    fill(store, ...stateKinds.map((kind) => ({ state: stateOfKind[kind], displayName: kind })))
    const live = stateKinds.filter((kind) => kind !== 'acknowledged' && kind !== 'cancelled')
    assert.deepEqual(jobs(store.page({ limit: 10 })), live)
  },
  'page() goes on after the last one shown': (store) => {
    const all = fill(store, {}, {}, { state: { kind: 'cancelled' } }, {}, {})
    const seen: string[] = []
    for (let after = 0; ;) {
      const page = store.page({ after, limit: 2 })
      const last = page.at(-1)
      if (last === undefined) break
      seen.push(...jobs(page))
      after = last.sequence
    }
    assert.deepEqual(
      seen,
      jobs(all).filter((name) => name !== 'Job 3'),
    )
  },
  'page() shows only the states asked for, and merges them by sequence': (store) => {
    const kinds = ['error', 'queued', 'acknowledged', 'error', 'acknowledged', 'queued'] as const
    fill(store, ...kinds.map((kind) => ({ state: stateOfKind[kind] })))
    const states = ['acknowledged', 'error', 'error'] as const
    assert.deepEqual(jobs(store.page({ states, limit: 10 })), ['Job 1', 'Job 3', 'Job 4', 'Job 5'])
    assert.deepEqual(jobs(store.page({ states, after: 1, limit: 2 })), ['Job 3', 'Job 4'])
    assert.deepEqual(store.page({ states: [], limit: 10 }), [])
  },
  'page() shows only the jobs of an owner, also after that changed': (store) => {
    const bob = { id: '2000', name: 'bob' }
    const [first] = fill(
      store,
      {},
      { owner: bob },
      { owner: bob, state: { kind: 'error', failure: networkFailure } },
    )
    assert(first !== undefined)
    assert.deepEqual(jobs(store.page({ owner: '2000', limit: 10 })), ['Job 2', 'Job 3'])
    store.save({ ...first, owner: bob })
    assert.deepEqual(jobs(store.page({ owner: '2000', limit: 10 })), ['Job 1', 'Job 2', 'Job 3'])
    assert.deepEqual(jobs(store.page({ owner: '2000', states: ['error'], limit: 10 })), ['Job 3'])
    assert.deepEqual(store.page({ owner: '1000', limit: 10 }), [])
  },
  'page() refuses a limit that is not 1 to 10,000': (store) => {
    for (const limit of [0, -1, 10_001, 1.5, Infinity, Number.NaN]) {
      assert.throws(() => store.page({ limit }), RangeError)
    }
  },
  'count() follows every way in and out of the final states': (store) => {
    const bob = { id: '2000', name: 'bob' }
    const [first, second] = fill(store, {}, { owner: bob }, { state: { kind: 'cancelled' } })
    assert(first !== undefined && second !== undefined)
    const counts = () => [store.count(), store.count('1000'), store.count('2000')]
    assert.deepEqual(counts(), [2, 1, 1])
    store.save({ ...first, owner: bob })
    assert.deepEqual(counts(), [2, 0, 2])
    store.save({ ...first, owner: bob, state: { kind: 'acknowledged', partial: false } })
    assert.deepEqual(counts(), [1, 0, 1])
    store.save(first)
    assert.deepEqual(counts(), [2, 1, 1])
    store.remove(second.id)
    store.remove(idOf(3))
    assert.deepEqual(counts(), [1, 1, 0])
    assert.equal(store.count('3000'), 0)
  },
  'countIn() counts the jobs of a state, final or not': (store) => {
    const jobs = stateKinds.map((kind) => ({ state: stateOfKind[kind] }))
    const [first] = fill(store, ...jobs, ...jobs.slice(0, 1))
    assert(first !== undefined)
    const counts = () => stateKinds.map((kind) => store.countIn(kind))
    assert.deepEqual(counts(), [2, 1, 1, 1, 1, 1, 1, 1, 1])
    store.save({ ...first, state: { kind: 'cancelled' } })
    store.remove(idOf(2))
    assert.deepEqual(
      counts(),
      stateKinds.map((kind, index) => (kind === 'cancelled' ? 2 : index === 1 ? 0 : 1)),
    )
  },
}

const schedule: Readonly<Record<string, Case>> = {
  'queued() gives one priority by turn, then by sequence': (store) => {
    fill(
      store,
      { turn: 5 },
      { turn: 3 },
      { turn: 1, priority: 'high' },
      { turn: 2, state: { kind: 'suspended' } },
      { turn: 3 },
      { turn: 0.5 },
    )
    const names = ['Job 6', 'Job 2', 'Job 5', 'Job 1']
    assert.deepEqual(jobs(store.queued('normal', 10)), names)
    assert.deepEqual(jobs(store.queued('normal', 2)), names.slice(0, 2))
    assert.deepEqual(
      priorities.map((priority) => store.queued(priority, 10).length),
      [0, 1, 4, 0],
    )
  },
  'queued() follows a job through its states and turns': (store) => {
    const [job] = fill(store, {}, {})
    assert(job !== undefined)
    store.save({ ...job, state: { kind: 'connecting' } })
    assert.deepEqual(jobs(store.queued('normal', 10)), ['Job 2'])
    store.save({ ...job, turn: 9 })
    assert.deepEqual(jobs(store.queued('normal', 10)), ['Job 2', 'Job 1'])
  },
  'inState() gives jobs of several states in creation order': (store) => {
    const kinds = ['transferring', 'queued', 'connecting', 'transferring'] as const
    fill(store, ...kinds.map((kind) => ({ state: { kind } })))
    const active = store.inState(['connecting', 'transferring'])
    assert.deepEqual(jobs(active), ['Job 1', 'Job 3', 'Job 4'])
    assert.deepEqual(store.inState([]), [])
  },
  'pending() gives jobs with something left to do, in creation order': (store) => {
    const [first] = fill(
      store,
      { pending: 'discard', state: { kind: 'cancelled' } },
      {},
      { pending: 'complete' },
    )
    assert(first !== undefined)
    assert.deepEqual(jobs(store.pending(10)), ['Job 1', 'Job 3'])
    assert.deepEqual(jobs(store.pending(1)), ['Job 1'])
    const { pending: _, ...done } = first
    store.save(done)
    assert.deepEqual(jobs(store.pending(10)), ['Job 3'])
  },
  'nextTurn() is behind every job, queued or not': (store) => {
    assert.equal(store.nextTurn(), 1)
    fill(store, { turn: 4 }, { turn: 8, state: { kind: 'transferring' } }, { turn: -1 })
    assert.equal(store.nextTurn(), 9)
    assert.equal(store.nextTurn(), 9)
    store.remove(idOf(2))
    assert.equal(store.nextTurn(), 5)
  },
  'finished() gives final jobs with nothing pending, longest ago first': (store) => {
    const cancelled = { kind: 'cancelled' } as const
    fill(
      store,
      { modified: 5, state: cancelled },
      { modified: 1, state: cancelled, pending: 'discard' },
      { modified: 2, state: { kind: 'acknowledged', partial: false } },
      { modified: 0 },
      { modified: 6, state: cancelled },
    )
    assert.deepEqual(store.finished(6, 10), [idOf(3), idOf(1)])
    assert.deepEqual(store.finished(6, 1), [idOf(3)])
  },
  'stale() gives jobs that are not final, longest ago first': (store) => {
    fill(
      store,
      { modified: 5 },
      { modified: 1, state: { kind: 'cancelled' } },
      { modified: 2, pending: 'complete' },
      { modified: 6 },
    )
    assert.deepEqual(jobs(store.stale(6, 10)), ['Job 3', 'Job 1'])
    assert.deepEqual(jobs(store.stale(6, 1)), ['Job 3'])
  },
}

const files: Readonly<Record<string, Case>> = {
  'insertFiles() makes files of which every byte is missing': (store) => {
    fill(store, {})
    const added = [newFile(0, { digests: fullFile(0).digests }), newFile(1)]
    store.insertFiles(idOf(1), added)
    store.insertFiles(idOf(1), [newFile(2)])
    store.insertFiles(idOf(1), [])
    const expected = [...added, newFile(2)].map(untouched)
    assert.deepEqual(store.files(idOf(1), { limit: 10 }), expected)
  },
  'insertFiles() adds none when one ordinal does not follow': (store) => {
    fill(store, {})
    for (const ordinals of [[1], [0, 0], [0, 2], [-1]]) {
      const added = ordinals.map((ordinal) => newFile(ordinal))
      assert.throws(() => store.insertFiles(idOf(1), added), /Broken invariant/)
    }
    assert.deepEqual(store.files(idOf(1), { limit: 10 }), [])
  },
  'insertFiles() refuses a job that is not there': (store) => {
    assert.throws(() => store.insertFiles(idOf(1), [newFile(0)]), /Broken invariant/)
  },
  'saveFiles() replaces every field': (store) => {
    fill(store, {}, {})
    store.insertFiles(idOf(1), [newFile(0), newFile(1)])
    store.insertFiles(idOf(2), [newFile(0)])
    store.saveFiles(idOf(1), [fullFile(1)])
    const expected = [untouched(newFile(0)), fullFile(1)]
    assert.deepEqual(store.files(idOf(1), { limit: 10 }), expected)
    assert.deepEqual(store.findFile(idOf(2), 0), untouched(newFile(0)))
    const renamed = { ...fullFile(1), localName: '/home/alice/renamed' }
    store.saveFiles(idOf(1), [renamed])
    assert.deepEqual(store.findFile(idOf(1), 1), renamed)
    store.saveFiles(idOf(1), [untouched(newFile(1))])
    assert.deepEqual(store.findFile(idOf(1), 1), untouched(newFile(1)))
  },
  'saveFiles() saves none when one is not there': (store) => {
    fill(store, {})
    store.insertFiles(idOf(1), [newFile(0)])
    const refused = () => store.saveFiles(idOf(1), [fullFile(0), fullFile(1)])
    assert.throws(refused, /Broken invariant/)
    assert.throws(() => store.saveFiles(idOf(2), [fullFile(0)]), /Broken invariant/)
    assert.deepEqual(store.findFile(idOf(1), 0), untouched(newFile(0)))
  },
  'files() gives the kinds asked for, from an ordinal on, by ordinal': (store) => {
    fill(store, {})
    const kinds = ['missing', 'transferred', 'completed', 'transferred', 'missing'] as const
    store.insertFiles(
      idOf(1),
      kinds.map((_, ordinal) => newFile(ordinal)),
    )
    store.saveFiles(
      idOf(1),
      kinds.map((kind, ordinal) => ({ ...untouched(newFile(ordinal)), kind })),
    )
    const ordinals = (query: Parameters<JobStore['files']>[1]) =>
      store.files(idOf(1), query).map(({ ordinal }) => ordinal)
    assert.deepEqual(ordinals({ kinds: ['transferred', 'missing'], limit: 9 }), [0, 1, 3, 4])
    assert.deepEqual(ordinals({ kinds: ['transferred', 'missing'], from: 1, limit: 2 }), [1, 3])
    assert.deepEqual(ordinals({ kinds: ['missing', 'missing'], from: 1, limit: 9 }), [4])
    assert.deepEqual(ordinals({ kinds: [], limit: 9 }), [])
    assert.deepEqual(ordinals({ from: 3, limit: 9 }), [3, 4])
    assert.deepEqual(ordinals({ limit: 2 }), [0, 1])
  },
  'finishedFiles() gives what a rename needs of the files that are transferred': (store) => {
    fill(store, {})
    const whole = { ...fullFile(0), kind: 'transferred' as const }
    store.insertFiles(
      idOf(1),
      Array.from({ length: 6 }, (_, ordinal) => newFile(ordinal)),
    )
    const bare = { ...untouched(newFile(4)), kind: 'transferred' as const }
    store.saveFiles(idOf(1), [
      { ...whole, ordinal: 0 },
      { ...whole, ordinal: 1, kind: 'completed' },
      { ...whole, ordinal: 3 },
      bare,
      { ...whole, ordinal: 5 },
    ])
    const { localName, identity } = whole
    const third = { ordinal: 3, localName, identity }
    const fourth = { ordinal: 4, localName: bare.localName }
    assert.deepEqual(store.finishedFiles(idOf(1), 1, 2), [third, fourth])
    assert.deepEqual(store.finishedFiles(idOf(1), 5, 2), [{ ordinal: 5, localName, identity }])
    assert.deepEqual(store.finishedFiles(idOf(1), 6, 2), [])
    assert.deepEqual(store.finishedFiles(idOf(2), 0, 2), [])
  },
  'files() and findFile() know nothing of a job that is not there': (store) => {
    assert.deepEqual(store.files(idOf(1), { limit: 10 }), [])
    assert.deepEqual(store.files(idOf(1), { kinds: ['missing'], limit: 10 }), [])
    assert.equal(store.findFile(idOf(1), 0), undefined)
  },
  'completeFiles() changes nothing but the kind, in any order and with gaps': (store) => {
    fill(store, {})
    const all = [0, 1, 2, 3, 4].map((ordinal) => newFile(ordinal))
    store.insertFiles(idOf(1), all)
    const transferred = all.map((file): JobFile => ({
      ...fullFile(file.ordinal),
      kind: 'transferred',
    }))
    store.saveFiles(idOf(1), transferred)
    store.completeFiles(idOf(1), [4, 1, 0])
    const expected = transferred.map((file) =>
      [0, 1, 4].includes(file.ordinal) ? { ...file, kind: 'completed' } : file,
    )
    assert.deepEqual(store.files(idOf(1), { limit: 10 }), expected)
  },
  'completeFiles() completes none when one is not transferred': (store) => {
    fill(store, {})
    store.insertFiles(idOf(1), [newFile(0), newFile(1)])
    store.saveFiles(idOf(1), [{ ...fullFile(0), kind: 'transferred' }])
    assert.throws(() => store.completeFiles(idOf(1), [0, 1]), /Broken invariant/)
    assert.throws(() => store.completeFiles(idOf(1), [0, 7]), /Broken invariant/)
    assert.equal(store.findFile(idOf(1), 0)?.kind, 'transferred')
  },
}

/** A secret; what is sealed in it is told by one number. */
function secret(target: string, scheme: string, sealed = 0): JobSecret {
  return { target, scheme, sealed: Uint8Array.of(1, 0, 255, sealed) }
}

const secrets: Readonly<Record<string, Case>> = {
  'saveSecrets() adds secrets, and replaces those of the same target and scheme': (store) => {
    fill(store, {}, {})
    store.saveSecrets(idOf(1), [secret('server', 'ntlm'), secret('proxy', 'basic')])
    store.saveSecrets(idOf(1), [secret('server', 'ntlm', 1), secret('server', 'basic')])
    store.saveSecrets(idOf(1), [])
    store.saveSecrets(idOf(2), [secret('server', 'digest')])
    assert.deepEqual(store.secrets(idOf(1)), [
      secret('proxy', 'basic'),
      secret('server', 'basic'),
      secret('server', 'ntlm', 1),
    ])
    assert.deepEqual(store.secrets(idOf(2)), [secret('server', 'digest')])
  },
  'saveSecrets() refuses a job that is not there': (store) => {
    assert.throws(() => store.saveSecrets(idOf(1), [secret('server', 'ntlm')]), /Broken invariant/)
    assert.deepEqual(store.secrets(idOf(1)), [])
  },
  'secrets() tells the secrets of single files only when they are asked for': (store) => {
    fill(store, {})
    const ofFiles = ['01', '02', '10'].map((name) => secret(fileTarget, name))
    store.saveSecrets(idOf(1), [...ofFiles.toReversed(), secret('job', 'headers')])
    assert.deepEqual(store.secrets(idOf(1)), [secret('job', 'headers')])
    const some = store.secrets(idOf(1), { target: fileTarget, from: '02', to: '09' })
    assert.deepEqual(some, ofFiles.slice(1, 2))
    assert.deepEqual(store.secrets(idOf(1), { target: fileTarget }), ofFiles)
    assert.deepEqual(store.secrets(idOf(1), { target: 'server' }), [])
  },
  'removeSecrets() removes what is meant and tells whether there was any': (store) => {
    fill(store, {}, {})
    const all = [secret('proxy', 'ntlm'), secret('server', 'basic'), secret('server', 'ntlm')]
    for (const id of [idOf(1), idOf(2)]) store.saveSecrets(id, [...all, secret(fileTarget, '1')])
    const one = { target: 'server', from: 'basic', to: 'basic' }
    assert.equal(store.removeSecrets(idOf(1), one), true)
    assert.equal(store.removeSecrets(idOf(1), one), false)
    assert.deepEqual(store.secrets(idOf(1)), [all[0], all[2]])
    assert.equal(store.removeSecrets(idOf(1)), true)
    assert.equal(store.removeSecrets(idOf(1)), false)
    assert.deepEqual(store.secrets(idOf(1), { target: fileTarget }), [])
    assert.deepEqual(store.secrets(idOf(2)), all)
  },
  'remove() removes the secrets of a job, and of no other': (store) => {
    fill(store, {}, {})
    store.saveSecrets(idOf(1), [secret('server', 'ntlm')])
    store.saveSecrets(idOf(2), [secret('server', 'basic')])
    store.remove(idOf(1))
    store.scrub()
    assert.deepEqual(store.secrets(idOf(1)), [])
    assert.deepEqual(store.secrets(idOf(2)), [secret('server', 'basic')])
  },
  'transact() undoes what it did to secrets when it throws': (store) => {
    fill(store, {})
    store.saveSecrets(idOf(1), [secret('server', 'ntlm')])
    const broken = new Error('broken')
    assert.throws(
      () =>
        store.transact(() => {
          store.saveSecrets(idOf(1), [secret('server', 'ntlm', 1), secret('proxy', 'ntlm')])
          store.removeSecrets(idOf(1), { target: 'server' })
          throw broken
        }),
      broken,
    )
    assert.deepEqual(store.secrets(idOf(1)), [secret('server', 'ntlm')])
  },
  'clearSecrets() gives what nothing has sealed, and a rotation leaves it out': (store) => {
    fill(store, {}, {})
    const clear = { ...clearHeaders, sealed: new TextEncoder().encode('[["X","1"]]') }
    store.saveSecrets(idOf(2), [clear, secret('server', 'ntlm')])
    const { target, scheme } = clearHeaders
    const context = { jobId: idOf(2), ownerId: '1000', target, scheme }
    assert.deepEqual(store.clearSecrets(9), [{ context, sealed: clear.sealed }])
    assert.deepEqual(store.clearSecrets(0), [])
    assert.equal(store.sealedRecords.page(undefined, 9).length, 1)
    store.removeSecrets(idOf(2), { target, from: scheme, to: scheme })
    assert.deepEqual(store.clearSecrets(9), [])
  },
  'sealedRecords walk through every secret of every job in one order': (store) => {
    fill(store, { owner: { id: 'S-1-5', name: 'b' } }, {}, {})
    store.saveSecrets(idOf(2), [secret('server', 'ntlm'), secret(fileTarget, '7')])
    store.saveSecrets(idOf(1), [secret('server', 'ntlm'), secret('server', 'basic')])
    const walk = (limit: number): string[] => {
      const seen: string[] = []
      let after: SealContext | undefined
      for (;;) {
        const page = store.sealedRecords.page(after, limit)
        seen.push(...page.map(({ context }) => JSON.stringify(Object.values(context).slice(1))))
        after = page.at(-1)?.context
        if (page.length < limit) return seen
      }
    }
    const expected = [
      '["S-1-5","server","basic"]',
      '["S-1-5","server","ntlm"]',
      '["1000","server","ntlm"]',
      '["1000","url","7"]',
    ]
    for (const limit of [1, 2, 3, 9]) assert.deepEqual(walk(limit), expected)
  },
  'sealedRecords.replace() replaces records, and leaves out what is gone': (store) => {
    fill(store, {}, {})
    store.saveSecrets(idOf(1), [secret('server', 'ntlm')])
    store.saveSecrets(idOf(2), [secret('server', 'ntlm')])
    const records = store.sealedRecords.page(undefined, 9)
    store.remove(idOf(1))
    const sealed = secret('', '', 9).sealed
    store.sealedRecords.replace(records.map(({ context }) => ({ context, sealed })))
    assert.deepEqual(store.secrets(idOf(1)), [])
    assert.deepEqual(store.secrets(idOf(2)), [secret('server', 'ntlm', 9)])
  },
}

const cases: Readonly<Record<string, Case>> = {
  ...transactions,
  ...oneJob,
  ...manyJobs,
  ...schedule,
  ...files,
  ...secrets,
}
