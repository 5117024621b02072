/** Every statement of the queue, by what it is for. */

import { FILE_COLUMNS, FINISHED_FILE_COLUMNS, NEW_FILE_COLUMNS } from './file-row.ts'
import { JOB_COLUMNS } from './job-row.ts'

const job = `SELECT ${JOB_COLUMNS} FROM jobs`
const file = `SELECT ${FILE_COLUMNS} FROM files`

/**
 * At most as many rows as the parameter in this place says. SQLite looks at a number that stands there alone when it plans
 * a statement, and plans it anew whenever the number is bound, which takes ten times as long as to find a few rows. What is
 * part of a sum it does not look at.
 */
function limit(place: number): string {
  return `LIMIT ?${place} + 0`
}

/** Statements about jobs; parameters in the order they are numbered. */
export const jobQueries = {
  insert:
    'INSERT INTO jobs (id, owner_id, priority, state, retry_at, turn, pending, modified, record) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)',
  /**
   * Saves a job of which only the record changed, as with every checkpoint, without touching an index; changes no row
   * when anything else is different.
   */
  saveRecord:
    'UPDATE jobs SET record = ?9 WHERE id = ?1 AND owner_id = ?2 AND priority = ?3 AND state = ?4 AND retry_at IS ?5 AND turn = ?6 AND pending IS ?7 AND modified = ?8 AND sequence = ?10',
  save: 'UPDATE jobs SET owner_id = ?2, priority = ?3, state = ?4, retry_at = ?5, turn = ?6, pending = ?7, modified = ?8, record = ?9 WHERE id = ?1 AND sequence = ?10',
  remove: 'DELETE FROM jobs WHERE id = ?1',
  find: `${job} WHERE id = ?1`,
  findSequence: 'SELECT sequence FROM jobs WHERE id = ?1',
  findByPrefix: `SELECT id FROM jobs WHERE id >= ?1 AND id < ?2 ORDER BY id ${limit(3)}`,
  countAll: 'SELECT coalesce(sum(jobs), 0) AS jobs FROM live_jobs',
  countOwned: 'SELECT jobs FROM live_jobs WHERE owner_id = ?1',
  countIn: 'SELECT count(*) AS jobs FROM jobs INDEXED BY jobs_state WHERE state = ?1',
  queued: `${job} INDEXED BY jobs_queued WHERE state = 'queued' AND priority = ?1 ORDER BY turn, sequence ${limit(2)}`,
  pending: `${job} INDEXED BY jobs_pending WHERE pending IS NOT NULL ORDER BY sequence ${limit(1)}`,
  lastTurn: 'SELECT max(turn) AS turn FROM jobs',
  finished: `SELECT id FROM jobs INDEXED BY jobs_finished WHERE final = 1 AND pending IS NULL AND modified < ?1 ORDER BY modified, sequence ${limit(2)}`,
  stale: `${job} INDEXED BY jobs_stale WHERE final = 0 AND modified < ?1 ORDER BY modified, sequence ${limit(2)}`,
} as const

/** Statements about files; `?1` is the sequence of the job and `?2` an ordinal. */
export const fileQueries = {
  nextOrdinal: 'SELECT coalesce(max(ordinal) + 1, 0) AS ordinal FROM files WHERE job = ?1',
  insert: `INSERT INTO files (${NEW_FILE_COLUMNS}, kind, ranges, tag_restarts) VALUES (?1, ?2, ?3, ?4, ?5, 'missing', '[]', 0)`,
  save: 'UPDATE files SET local_name = ?3, kind = ?4, remote_name = ?5, digests = ?6, version = ?7, size = ?8, ranges = ?9, tag_restarts = ?10, identity = ?11, asked_name = ?12 WHERE job = ?1 AND ordinal = ?2',
  /** Of files that are transferred, `?2` to `?3`. */
  complete:
    "UPDATE files SET kind = 'completed' WHERE job = ?1 AND ordinal BETWEEN ?2 AND ?3 AND kind = 'transferred'",
  find: `${file} WHERE job = ?1 AND ordinal = ?2`,
  finished: `SELECT ${FINISHED_FILE_COLUMNS} FROM files WHERE job = ?1 AND ordinal >= ?2 AND kind = 'transferred' ORDER BY ordinal ${limit(3)}`,
  from: `${file} WHERE job = ?1 AND ordinal >= ?2 ORDER BY ordinal ${limit(3)}`,
} as const

/** Statements about secrets; `?1` is the id of the job, `?2` a target, `?3` and `?4` the first and the last scheme. */
export const secretQueries = {
  save: 'INSERT INTO secrets (job, target, scheme, sealed) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET sealed = excluded.sealed',
  /** All below a target. */
  below:
    'SELECT target, scheme, sealed FROM secrets WHERE job = ?1 AND target < ?2 ORDER BY target, scheme',
  some: 'SELECT target, scheme, sealed FROM secrets WHERE job = ?1 AND target = ?2 AND scheme BETWEEN ?3 AND ?4 ORDER BY scheme',
  removeAll: 'DELETE FROM secrets WHERE job = ?1',
  removeSome: 'DELETE FROM secrets WHERE job = ?1 AND target = ?2 AND scheme BETWEEN ?3 AND ?4',
  exist: 'SELECT 1 FROM secrets WHERE job = ?1 LIMIT 1',
  /** After job `?1`, target `?2` and scheme `?3`, at most `?4`. */
  page: `SELECT job, owner_id, target, scheme, sealed FROM secrets CROSS JOIN jobs ON jobs.id = secrets.job WHERE (job, target, scheme) > (?1, ?2, ?3) AND scheme <> 'clear headers' ORDER BY job, target, scheme ${limit(4)}`,
  /** Those that a migration found and no vault has sealed; at most `?1`. */
  clear: `SELECT job, owner_id, target, scheme, sealed FROM secrets INDEXED BY secrets_clear CROSS JOIN jobs ON jobs.id = secrets.job WHERE scheme = 'clear headers' ORDER BY job ${limit(1)}`,
  replace: 'UPDATE secrets SET sealed = ?4 WHERE job = ?1 AND target = ?2 AND scheme = ?3',
} as const

/**
 * Jobs in any of some states, in order of creation: `?1` after this sequence, `?2` at most so many, `?3` the owner if
 * asked for, then the states.
 *
 * Each state's index is walked in order and the walks are merged row by row, so nothing is read that is not shown. With
 * one condition (`state IN …`) SQLite would collect and sort every job in these states first.
 *
 * @param states how many, 1 or more
 */
export function jobsInStates(states: number, isOwned: boolean): string {
  const first = isOwned ? 4 : 3
  const branches = Array.from({ length: states }, (_, index) => {
    const indexed = isOwned ? 'jobs_owner WHERE owner_id = ?3 AND' : 'jobs_state WHERE'
    return `SELECT sequence FROM jobs INDEXED BY ${indexed} state = ?${first + index} AND sequence > ?1`
  })
  const shown = `${branches.join(' UNION ALL ')} ORDER BY sequence ${limit(2)}`
  return `SELECT ${JOB_COLUMNS} FROM (${shown}) AS shown CROSS JOIN jobs USING (sequence) ORDER BY shown.sequence`
}

/**
 * Files of some kinds, by ordinal: `?1` the sequence of the job, `?2` from this ordinal, `?3` at most so many, then the
 * kinds. Files of a job lie together in their order, so they are walked from the ordinal on; an index by kind would
 * have to follow every change of every file.
 *
 * @param kinds how many, 1 or more
 */
export function filesOfKinds(kinds: number): string {
  const places = Array.from({ length: kinds }, (_, index) => `?${4 + index}`)
  return `${file} WHERE job = ?1 AND ordinal >= ?2 AND kind IN (${places.join(', ')}) ORDER BY ordinal ${limit(3)}`
}
