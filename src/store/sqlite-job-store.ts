/** The queue on disk: jobs and their files in SQLite. */

import type { Instant } from '../base/clock.ts'
import { assert } from '../base/error.ts'
import {
  checkPageLimit,
  type FileQuery,
  type FinishedFile,
  type JobQuery,
  type JobSecret,
  type JobStore,
  type NewFile,
  type NewJob,
  type SecretQuery,
} from '../engine/ports/job-store.ts'
import type { SealedRecord, SealedRecords } from '../engine/ports/vault.ts'
import type { Job, JobFile, JobId, Priority } from '../job/job.ts'
import type { JobStateKind } from '../job/moves.ts'
import { Connection, type Row } from './connection.ts'
import { Fields } from './fields.ts'
import { decodeFile, decodeFinishedFile, encodeFile, encodeNewFile } from './file-row.ts'
import { decodeJob, encodeJob, liveStates } from './job-row.ts'
import { openDatabase } from './open-database.ts'
import { fileQueries, filesOfKinds, jobQueries, jobsInStates } from './queries.ts'
import { SecretRows } from './secret-rows.ts'

/** No limit, as SQLite says it. */
const ALL = -1

/** Behind every character: ends the range of ids with a prefix. */
const LAST_CHARACTER = '\u{10ffff}'

/**
 * Opens the queue, makes it if it is not there, and brings it to the newest schema.
 *
 * Beside what the port promises, every method throws {@link StoreError}: `ERR_STORE_FULL` when there is no room (nothing
 * was changed, and it works again once there is), `ERR_STORE_DAMAGED` when what it read was not written by us,
 * `ERR_STORE_IO` when the operating system refused.
 *
 * @param path full; its folder exists and is private. `-wal` lies beside it while it is open
 * @returns the queue, owned by the caller, who closes it
 * @throws {StoreError} `ERR_STORE_DAMAGED`, `ERR_STORE_FOREIGN`, `ERR_STORE_NEWER`: the file is left as it is;
 *   `ERR_STORE_BUSY` when another process has it open, `ERR_STORE_FULL`, `ERR_STORE_IO`
 */
export function openJobStore(path: string): JobStore {
  return new SqliteJobStore(new Connection(openDatabase(path), path))
}

class SqliteJobStore implements JobStore {
  readonly #connection: Connection
  readonly #secrets: SecretRows

  constructor(connection: Connection) {
    this.#connection = connection
    this.#secrets = new SecretRows(connection)
  }

  transact<T>(work: () => T): T {
    return this.#connection.transact(work)
  }

  insert(job: NewJob): Job {
    const sequence = this.#connection.insert(jobQueries.insert, ...encodeJob(job))
    return { ...job, sequence }
  }

  save(job: Job): void {
    const values = [...encodeJob(job), job.sequence]
    const saved =
      this.#connection.write(jobQueries.saveRecord, ...values) === 1 ||
      this.#connection.write(jobQueries.save, ...values) === 1
    assert(saved, `job ${job.id} that is saved is in the queue`)
  }

  remove(id: JobId): void {
    this.#secrets.jobRemoved(id)
    this.#connection.write(jobQueries.remove, id)
  }

  find(id: JobId): Job | undefined {
    return this.#connection.lists(decodeJob, jobQueries.find, id)[0]
  }

  findByPrefix(prefix: string, limit: number): readonly JobId[] {
    const end = prefix + LAST_CHARACTER
    return this.#connection.rows(decodeId, jobQueries.findByPrefix, prefix, end, limit)
  }

  page({ owner, states = liveStates, after = 0, limit }: JobQuery): readonly Job[] {
    checkPageLimit(limit)
    return this.#inStates(states, after, limit, owner)
  }

  count(owner?: string): number {
    const count =
      owner === undefined
        ? this.#connection.first(decodeCount, jobQueries.countAll)
        : this.#connection.first(decodeCount, jobQueries.countOwned, owner)
    return count ?? 0
  }

  countIn(state: JobStateKind): number {
    return this.#connection.first(decodeCount, jobQueries.countIn, state) ?? 0
  }

  queued(priority: Priority, limit: number): readonly Job[] {
    return this.#connection.lists(decodeJob, jobQueries.queued, priority, limit)
  }

  inState(states: readonly JobStateKind[]): readonly Job[] {
    return this.#inStates(states, 0, ALL)
  }

  pending(limit: number): readonly Job[] {
    return this.#connection.lists(decodeJob, jobQueries.pending, limit)
  }

  nextTurn(): number {
    const last = this.#connection.row(jobQueries.lastTurn)?.['turn']
    return typeof last === 'number' ? last + 1 : 1
  }

  finished(before: Instant, limit: number): readonly JobId[] {
    return this.#connection.rows(decodeId, jobQueries.finished, before, limit)
  }

  stale(before: Instant, limit: number): readonly Job[] {
    return this.#connection.lists(decodeJob, jobQueries.stale, before, limit)
  }

  insertFiles(id: JobId, files: readonly NewFile[]): void {
    this.transact(() => {
      const job = this.#sequence(id)
      assert(job !== undefined, `job ${id} that is given files is in the queue`)
      const next = Number(this.#connection.row(fileQueries.nextOrdinal, job)?.['ordinal'])
      const follow = files.every(({ ordinal }, index) => ordinal === next + index)
      assert(follow, `files that are added to job ${id} follow on its ${next}`)
      this.#connection.writeEach(fileQueries.insert, files, (file) => encodeNewFile(job, file))
    })
  }

  saveFiles(id: JobId, files: readonly JobFile[]): void {
    this.transact(() => {
      const job = this.#sequence(id)
      assert(job !== undefined, `job ${id} whose files are saved is in the queue`)
      const saved = this.#connection.writeEach(fileQueries.save, files, (file) =>
        encodeFile(job, file),
      )
      assert(saved === files.length, `files of job ${id} that are saved are in the queue`)
    })
  }

  completeFiles(id: JobId, ordinals: readonly number[]): void {
    this.transact(() => {
      const job = this.#sequence(id)
      for (const { first, last } of runs(ordinals)) {
        const changes = this.#connection.write(fileQueries.complete, job ?? null, first, last)
        assert(
          changes === last - first + 1,
          `files ${first} to ${last} of job ${id} are transferred`,
        )
      }
    })
  }

  files(id: JobId, { kinds, from = 0, limit }: FileQuery): readonly JobFile[] {
    const job = this.#sequence(id)
    if (job === undefined) return []
    if (kinds === undefined) {
      return this.#connection.lists(decodeFile, fileQueries.from, job, from, limit)
    }
    const distinct = [...new Set(kinds)]
    if (distinct.length === 0) return []
    const sql = filesOfKinds(distinct.length)
    return this.#connection.lists(decodeFile, sql, job, from, limit, ...distinct)
  }

  finishedFiles(id: JobId, from: number, limit: number): readonly FinishedFile[] {
    const job = this.#sequence(id)
    if (job === undefined) return []
    return this.#connection.lists(decodeFinishedFile, fileQueries.finished, job, from, limit)
  }

  findFile(id: JobId, ordinal: number): JobFile | undefined {
    const job = this.#sequence(id)
    if (job === undefined) return undefined
    return this.#connection.lists(decodeFile, fileQueries.find, job, ordinal)[0]
  }

  saveSecrets(id: JobId, secrets: readonly JobSecret[]): void {
    this.transact(() => {
      assert(this.#sequence(id) !== undefined, `job ${id} that is given secrets is in the queue`)
      this.#secrets.save(id, secrets)
    })
  }

  secrets(id: JobId, query?: SecretQuery): readonly JobSecret[] {
    return this.#secrets.find(id, query)
  }

  removeSecrets(id: JobId, query?: SecretQuery): boolean {
    return this.#secrets.remove(id, query)
  }

  clearSecrets(limit: number): readonly SealedRecord[] {
    return this.#secrets.clear(limit)
  }

  get sealedRecords(): SealedRecords {
    return this.#secrets
  }

  scrub(): void {
    this.#secrets.scrub()
  }

  close(): void {
    this.#connection.close()
  }

  #inStates(
    states: readonly JobStateKind[],
    after: number,
    limit: number,
    owner?: string,
  ): readonly Job[] {
    const distinct = [...new Set(states)]
    if (distinct.length === 0) return []
    const sql = jobsInStates(distinct.length, owner !== undefined)
    const owned = owner === undefined ? [] : [owner]
    return this.#connection.lists(decodeJob, sql, after, limit, ...owned, ...distinct)
  }

  #sequence(id: JobId): number | undefined {
    return this.#connection.first(decodeSequence, jobQueries.findSequence, id)
  }
}

function decodeId(row: Row): JobId {
  return new Fields('a job', row).text('id')
}

function decodeSequence(row: Row): number {
  return new Fields('a job', row).count('sequence')
}

function decodeCount(row: Row): number {
  return new Fields('the count of jobs', row).count('jobs')
}

/** Numbers that follow each other. */
interface Run {
  readonly first: number
  readonly last: number
}

function runs(ordinals: readonly number[]): readonly Run[] {
  const found: Run[] = []
  for (const ordinal of ordinals.toSorted((a, b) => a - b)) {
    const open = found.at(-1)
    if (open?.last === ordinal - 1) found[found.length - 1] = { first: open.first, last: ordinal }
    else found.push({ first: ordinal, last: ordinal })
  }
  return found
}
