/** The queue in memory: what the engine is tested on, and the measure of the one on disk. Forgets when it is dropped. */

import type { Instant } from '../base/clock.ts'
import { assert } from '../base/error.ts'
import {
  checkPageLimit,
  clearHeaders,
  type FileQuery,
  type FinishedFile,
  type JobQuery,
  type JobSecret,
  type JobStore,
  type NewFile,
  type NewJob,
  type SecretQuery,
} from '../engine/ports/job-store.ts'
import {
  fileTarget,
  type SealContext,
  type SealedRecord,
  type SealedRecords,
} from '../engine/ports/vault.ts'
import { isIn, type Job, type JobFile, type JobId, type Priority } from '../job/job.ts'
import { isFinal, type JobStateKind } from '../job/moves.ts'

/** A {@link JobStore} of maps. Every write leaves behind how it is undone until the outermost commit stands. */
export class MemoryJobStore implements JobStore {
  readonly #jobs = new Map<JobId, Job>()
  readonly #files = new Map<JobId, readonly JobFile[]>()
  /** Of each job, ordered by target and scheme. */
  readonly #secrets = new Map<JobId, readonly JobSecret[]>()
  #lastSequence = 0
  /** How to undo each write of the running commit, in their order. */
  #undo: (() => void)[] = []
  #depth = 0
  #isClosed = false

  transact<T>(work: () => T): T {
    this.#assertOpen()
    const before = this.#undo.length
    this.#depth += 1
    try {
      const result = work()
      assert(!(result instanceof Promise), 'a commit does not wait for a promise')
      return result
    } catch (error) {
      for (const undo of this.#undo.splice(before).toReversed()) undo()
      throw error
    } finally {
      this.#depth -= 1
      if (this.#depth === 0) this.#undo = []
    }
  }

  insert(job: NewJob): Job {
    assert(!this.#open().has(job.id), `the id of the new job ${job.id} is new`)
    const inserted = { ...job, sequence: this.#lastSequence + 1 }
    this.#lastSequence += 1
    this.#written(() => {
      this.#lastSequence -= 1
    })
    this.#put(inserted.id, inserted)
    return inserted
  }

  save(job: Job): void {
    const there = this.#open().get(job.id)
    assert(there?.sequence === job.sequence, `job ${job.id} that is saved is in the queue`)
    this.#put(job.id, job)
  }

  remove(id: JobId): void {
    if (!this.#open().has(id)) return
    this.#put(id, undefined)
    this.#putFiles(id, undefined)
    this.#putSecrets(id, undefined)
  }

  find(id: JobId): Job | undefined {
    return this.#open().get(id)
  }

  findByPrefix(prefix: string, limit: number): readonly JobId[] {
    const ids = [...this.#open().keys()].filter((id) => id.startsWith(prefix))
    return ids.sort().slice(0, limit)
  }

  page({ owner, states, after = 0, limit }: JobQuery): readonly Job[] {
    checkPageLimit(limit)
    return this.#select(
      ({ sequence, state, owner: { id } }) =>
        sequence > after &&
        (owner === undefined || id === owner) &&
        (states?.includes(state.kind) ?? !isFinal(state.kind)),
    ).slice(0, limit)
  }

  count(owner?: string): number {
    return this.#select((job) => isLive(job) && (owner === undefined || job.owner.id === owner))
      .length
  }

  countIn(state: JobStateKind): number {
    return this.#select((job) => isIn(job, state)).length
  }

  queued(priority: Priority, limit: number): readonly Job[] {
    return this.#select((job) => isIn(job, 'queued') && job.priority === priority)
      .sort((a, b) => a.turn - b.turn)
      .slice(0, limit)
  }

  inState(states: readonly JobStateKind[]): readonly Job[] {
    return this.#select(({ state }) => states.includes(state.kind))
  }

  pending(limit: number): readonly Job[] {
    return this.#select(({ pending }) => pending !== undefined).slice(0, limit)
  }

  nextTurn(): number {
    const jobs = this.#select(() => true)
    return jobs.length === 0 ? 1 : Math.max(...jobs.map(({ turn }) => turn)) + 1
  }

  finished(before: Instant, limit: number): readonly JobId[] {
    return this.#select((job) => !isLive(job) && job.pending === undefined && job.modified < before)
      .sort((a, b) => a.modified - b.modified)
      .slice(0, limit)
      .map(({ id }) => id)
  }

  stale(before: Instant, limit: number): readonly Job[] {
    return this.#select((job) => isLive(job) && job.modified < before)
      .sort((a, b) => a.modified - b.modified)
      .slice(0, limit)
  }

  insertFiles(id: JobId, files: readonly NewFile[]): void {
    assert(this.#open().has(id), `job ${id} that is given files is in the queue`)
    const there = this.#files.get(id) ?? []
    const added = files.map(({ ordinal, remoteName, localName, digests }, index): JobFile => {
      assert(ordinal === there.length + index, `file ${ordinal} of job ${id} follows on the others`)
      const start = { kind: 'missing', ranges: [], tagRestarts: 0 } as const
      return { ordinal, remoteName, localName, digests, ...start }
    })
    this.#putFiles(id, [...there, ...added])
  }

  saveFiles(id: JobId, files: readonly JobFile[]): void {
    this.#assertOpen()
    const saved = [...(this.#files.get(id) ?? [])]
    for (const file of files) {
      const isThere = saved[file.ordinal] !== undefined
      assert(isThere, `file ${file.ordinal} of job ${id} that is saved is in the queue`)
      saved[file.ordinal] = file
    }
    if (files.length > 0) this.#putFiles(id, saved)
  }

  completeFiles(id: JobId, ordinals: readonly number[]): void {
    const files = ordinals.map((ordinal): JobFile => {
      const file = this.findFile(id, ordinal)
      assert(file?.kind === 'transferred', `file ${ordinal} of job ${id} is transferred`)
      return { ...file, kind: 'completed' }
    })
    this.saveFiles(id, files)
  }

  files(id: JobId, { kinds, from = 0, limit }: FileQuery): readonly JobFile[] {
    this.#assertOpen()
    const files = (this.#files.get(id) ?? []).slice(from)
    return files.filter(({ kind }) => kinds?.includes(kind) ?? true).slice(0, limit)
  }

  finishedFiles(id: JobId, from: number, limit: number): readonly FinishedFile[] {
    const files = this.files(id, { kinds: ['transferred'], from, limit })
    return files.map(({ ordinal, localName, identity }) => ({
      ordinal,
      localName,
      ...(identity === undefined ? {} : { identity }),
    }))
  }

  findFile(id: JobId, ordinal: number): JobFile | undefined {
    this.#assertOpen()
    return this.#files.get(id)?.[ordinal]
  }

  saveSecrets(id: JobId, secrets: readonly JobSecret[]): void {
    assert(this.#open().has(id), `job ${id} that is given secrets is in the queue`)
    const kept = this.#secretsOf(id).filter((old) => !secrets.some((each) => isSame(old, each)))
    const copies = secrets.map((secret) => ({ ...secret, sealed: secret.sealed.slice() }))
    this.#putSecrets(id, [...kept, ...copies].sort(inOrder))
  }

  secrets(id: JobId, query?: SecretQuery): readonly JobSecret[] {
    this.#assertOpen()
    return this.#secretsOf(id).filter((secret) =>
      query === undefined ? secret.target < fileTarget : isMeant(secret, query),
    )
  }

  removeSecrets(id: JobId, query?: SecretQuery): boolean {
    this.#assertOpen()
    const there = this.#secretsOf(id)
    const kept = there.filter((secret) => query !== undefined && !isMeant(secret, query))
    this.#putSecrets(id, kept.length === 0 ? undefined : kept)
    return kept.length < there.length
  }

  clearSecrets(limit: number): readonly SealedRecord[] {
    return this.#records().filter(isClear).slice(0, limit)
  }

  readonly sealedRecords: SealedRecords = {
    page: (after, limit) =>
      this.#records()
        .filter((record) => !isClear(record))
        .filter(({ context }) => after === undefined || keyOf(context) > keyOf(after))
        .slice(0, limit),
    replace: (records) => {
      this.transact(() => {
        for (const { context, sealed } of records) {
          const { jobId, target, scheme } = context
          const isThere = this.#secretsOf(jobId).some((each) => isSame(each, context))
          if (isThere) this.saveSecrets(jobId, [{ target, scheme, sealed }])
        }
      })
    },
  }

  scrub(): void {
    assert(this.#depth === 0, 'a queue is not scrubbed within a commit')
  }

  close(): void {
    assert(this.#depth === 0, 'the queue is not closed within a commit')
    this.#isClosed = true
  }

  /** Jobs that fit, in creation order; a new array. */
  #select(fits: (job: Job) => boolean): Job[] {
    return [...this.#open().values()].filter(fits).sort((a, b) => a.sequence - b.sequence)
  }

  #put(id: JobId, job: Job | undefined): void {
    this.#written(replace(this.#jobs, id, job))
  }

  #putFiles(id: JobId, files: readonly JobFile[] | undefined): void {
    this.#written(replace(this.#files, id, files))
  }

  /** Every secret, ordered by job, target and scheme. */
  #records(): readonly SealedRecord[] {
    return [...this.#open().values()]
      .toSorted((left, right) => (left.id < right.id ? -1 : 1))
      .flatMap(({ id, owner }) =>
        this.#secretsOf(id).map(({ target, scheme, sealed }): SealedRecord => {
          return { context: { jobId: id, ownerId: owner.id, target, scheme }, sealed }
        }),
      )
  }

  #secretsOf(id: JobId): readonly JobSecret[] {
    return this.#secrets.get(id) ?? []
  }

  #putSecrets(id: JobId, secrets: readonly JobSecret[] | undefined): void {
    this.#written(replace(this.#secrets, id, secrets))
  }

  #written(undo: () => void): void {
    if (this.#depth > 0) this.#undo.push(undo)
  }

  #open(): Map<JobId, Job> {
    this.#assertOpen()
    return this.#jobs
  }

  #assertOpen(): void {
    assert(!this.#isClosed, 'a queue that is closed is not used')
  }
}

/** Sets or deletes an entry. @returns how to undo it */
function replace<Key, Value>(map: Map<Key, Value>, key: Key, value: Value | undefined): () => void {
  const before = map.get(key)
  if (value === undefined) map.delete(key)
  else map.set(key, value)
  return () => void replace(map, key, before)
}

function isLive({ state }: Job): boolean {
  return !isFinal(state.kind)
}

function isClear({ context }: SealedRecord): boolean {
  return isSame(context, clearHeaders)
}

type SecretName = Pick<JobSecret, 'target' | 'scheme'>

function isSame(left: SecretName, right: SecretName): boolean {
  return left.target === right.target && left.scheme === right.scheme
}

function isMeant({ target, scheme }: SecretName, query: SecretQuery): boolean {
  const { from = '', to } = query
  return target === query.target && scheme >= from && (to === undefined || scheme <= to)
}

function inOrder(left: SecretName, right: SecretName): number {
  if (left.target !== right.target) return left.target < right.target ? -1 : 1
  return left.scheme < right.scheme ? -1 : 1
}

/** Orders contexts as text does that holds no NUL. */
function keyOf({ jobId, target, scheme }: SealContext): string {
  return [jobId, target, scheme].join('\0')
}
