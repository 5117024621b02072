/** The sealed secrets of the queue. */

import { assert } from '../base/error.ts'
import type { JobSecret, SecretQuery } from '../engine/ports/job-store.ts'
import {
  fileTarget,
  type SealContext,
  type SealedRecord,
  type SealedRecords,
} from '../engine/ports/vault.ts'
import type { JobId } from '../job/job.ts'
import type { Connection, Row } from './connection.ts'
import { Fields } from './fields.ts'
import { secretQueries } from './queries.ts'

/** Behind every character: ends a range of schemes. */
const LAST_CHARACTER = '\u{10ffff}'

/** Before every job. */
const beginning = { jobId: '', target: '', scheme: '' }

/** Secrets in one open queue. */
export class SecretRows implements SealedRecords {
  readonly #connection: Connection
  /** Whether the log may hold what was removed. */
  #hasRemnants = false

  constructor(connection: Connection) {
    this.#connection = connection
  }

  save(id: JobId, secrets: readonly JobSecret[]): void {
    for (const { target, scheme, sealed } of secrets) {
      this.#hasRemnants = true
      this.#connection.write(secretQueries.save, id, target, scheme, sealed)
    }
  }

  find(id: JobId, query?: SecretQuery): readonly JobSecret[] {
    return query === undefined
      ? this.#connection.rows(decodeSecret, secretQueries.below, id, fileTarget)
      : this.#connection.rows(decodeSecret, secretQueries.some, id, ...range(query))
  }

  remove(id: JobId, query?: SecretQuery): boolean {
    const changes =
      query === undefined
        ? this.#connection.write(secretQueries.removeAll, id)
        : this.#connection.write(secretQueries.removeSome, id, ...range(query))
    if (changes > 0) this.#hasRemnants = true
    return changes > 0
  }

  /** Hears that a job is about to be removed, and its secrets with it. */
  jobRemoved(id: JobId): void {
    if (this.#connection.row(secretQueries.exist, id) !== undefined) this.#hasRemnants = true
  }

  clear(limit: number): readonly SealedRecord[] {
    return this.#connection.rows(decodeRecord, secretQueries.clear, limit)
  }

  page(after: SealContext | undefined, limit: number): readonly SealedRecord[] {
    const { jobId, target, scheme } = after ?? beginning
    return this.#connection.rows(decodeRecord, secretQueries.page, jobId, target, scheme, limit)
  }

  replace(records: readonly SealedRecord[]): void {
    this.#connection.transact(() => {
      for (const { context, sealed } of records) {
        const { jobId, target, scheme } = context
        // One that is gone was removed while the rotation waited for its turn.
        this.#connection.write(secretQueries.replace, jobId, target, scheme, sealed)
      }
    })
    this.#hasRemnants = true
  }

  /** The file itself is scrubbed by `secure_delete`; what is left are older pages in the log. */
  scrub(): void {
    if (!this.#hasRemnants) return
    const row = this.#connection.row('PRAGMA wal_checkpoint(TRUNCATE)')
    assert(row !== undefined, 'a checkpoint says how it went')
    // Somebody who reads the file with a tool keeps the log; it is tried again with the next removal.
    this.#hasRemnants = row['busy'] !== 0
  }
}

function range({ target, from = '', to = LAST_CHARACTER }: SecretQuery): [string, string, string] {
  return [target, from, to]
}

function decodeSecret(row: Row): JobSecret {
  const fields = new Fields('a secret', row)
  return {
    target: fields.text('target'),
    scheme: fields.text('scheme'),
    sealed: fields.bytes('sealed'),
  }
}

function decodeRecord(row: Row): SealedRecord {
  const fields = new Fields('a secret', row)
  const { target, scheme, sealed } = decodeSecret(row)
  return {
    context: { jobId: fields.text('job'), ownerId: fields.text('owner_id'), target, scheme },
    sealed,
  }
}
