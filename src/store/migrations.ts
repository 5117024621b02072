/**
 * The schema of the queue, as the steps that led to it.
 *
 * A step that was released is never changed again: what comes later is a new step at the end of the list. The number
 * of steps a queue has behind it is its `user_version`.
 */

import type { DatabaseSync } from 'node:sqlite'

/** Brings a queue from one version of the schema to the next; runs within a transaction. */
export type Migration = (database: DatabaseSync) => void

/** What `PRAGMA application_id` of a queue says: `Lull`. */
export const APPLICATION_ID = 0x4c75_6c6c

/** Every step, in order; the first one makes a queue of an empty file. */
export const migrations: readonly Migration[] = [createQueue, addSecrets, leaveOutUsual]

/**
 * Brings a queue to the newest version, all steps as one commit; does nothing when it is there already.
 *
 * @param steps for tests; must not be fewer than the queue has behind it
 * @throws what a step throws, or SQLite; the queue is what it was then
 */
export function migrate(database: DatabaseSync, steps: readonly Migration[] = migrations): void {
  const version = readPragma(database, 'user_version')
  if (version === steps.length) return
  database.exec('BEGIN IMMEDIATE')
  try {
    for (const step of steps.slice(version)) step(database)
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}`)
    database.exec(`PRAGMA user_version = ${steps.length}`)
    database.exec('COMMIT')
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}

/** The value of a pragma that is a number. */
export function readPragma(
  database: DatabaseSync,
  name: 'application_id' | 'user_version' | 'page_count' | 'page_size',
): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name])
}

/**
 * Version 1.
 *
 * - Every question the engine asks again and again has its index, partial where it is about few jobs. `sequence` is
 *   the rowid, so every index has it at its end and is in order of creation among equals.
 * - `live_jobs` counts the jobs of each owner that are not final; triggers keep it right, a rollback included.
 * - `files` begins with its job, so one job's files lie together, in order, and need no index.
 */
function createQueue(database: DatabaseSync): void {
  database.exec(`
    CREATE TABLE jobs (
      sequence INTEGER PRIMARY KEY AUTOINCREMENT,
      id TEXT NOT NULL UNIQUE,
      owner_id TEXT NOT NULL,
      priority TEXT NOT NULL,
      state TEXT NOT NULL,
      retry_at REAL,
      turn REAL NOT NULL,
      pending TEXT,
      modified REAL NOT NULL,
      record TEXT NOT NULL,
      final INTEGER NOT NULL GENERATED ALWAYS AS (state IN ('acknowledged', 'cancelled')) VIRTUAL
    ) STRICT;

    CREATE INDEX jobs_state ON jobs (state);
    CREATE INDEX jobs_owner ON jobs (owner_id, state);
    CREATE INDEX jobs_turn ON jobs (turn);
    CREATE INDEX jobs_queued ON jobs (priority, turn) WHERE state = 'queued';
    CREATE INDEX jobs_pending ON jobs (sequence) WHERE pending IS NOT NULL;
    CREATE INDEX jobs_finished ON jobs (modified) WHERE final = 1 AND pending IS NULL;
    CREATE INDEX jobs_stale ON jobs (modified) WHERE final = 0;

    CREATE TABLE files (
      job INTEGER NOT NULL REFERENCES jobs (sequence) ON DELETE CASCADE,
      ordinal INTEGER NOT NULL,
      local_name TEXT NOT NULL,
      kind TEXT NOT NULL,
      remote_name TEXT NOT NULL,
      digests TEXT NOT NULL,
      version TEXT,
      size INTEGER,
      ranges TEXT NOT NULL,
      tag_restarts INTEGER NOT NULL,
      identity TEXT,
      PRIMARY KEY (job, ordinal)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE live_jobs (
      owner_id TEXT NOT NULL PRIMARY KEY,
      jobs INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TRIGGER jobs_inserted AFTER INSERT ON jobs WHEN new.final = 0 BEGIN
      INSERT INTO live_jobs (owner_id, jobs) VALUES (new.owner_id, 1)
        ON CONFLICT (owner_id) DO UPDATE SET jobs = jobs + 1;
    END;
    CREATE TRIGGER jobs_deleted AFTER DELETE ON jobs WHEN old.final = 0 BEGIN
      UPDATE live_jobs SET jobs = jobs - 1 WHERE owner_id = old.owner_id;
    END;
    CREATE TRIGGER jobs_updated AFTER UPDATE OF state, owner_id ON jobs
    WHEN old.final <> new.final OR old.owner_id <> new.owner_id BEGIN
      UPDATE live_jobs SET jobs = jobs - 1 WHERE owner_id = old.owner_id AND old.final = 0;
      INSERT INTO live_jobs (owner_id, jobs) SELECT new.owner_id, 1 WHERE new.final = 0
        ON CONFLICT (owner_id) DO UPDATE SET jobs = jobs + 1;
    END;
  `)
}

/**
 * Version 2.
 *
 * - `secrets`, each sealed by the vault with its job, owner, target and scheme. They lie together by job, and the order
 *   of the key is the order in which a rotation walks through them.
 * - Headers, which version 1 kept in clear in the records of jobs, become secrets. A migration has no vault, so they are
 *   marked as clear, and the service seals them when it starts.
 * - Files know where they are asked for when that is not what they are called.
 */
function addSecrets(database: DatabaseSync): void {
  database.exec(`
    CREATE TABLE secrets (
      job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
      target TEXT NOT NULL,
      scheme TEXT NOT NULL,
      sealed BLOB NOT NULL,
      PRIMARY KEY (job, target, scheme)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX secrets_clear ON secrets (job) WHERE scheme = 'clear headers';

    INSERT INTO secrets (job, target, scheme, sealed)
      SELECT id, 'job', 'clear headers', CAST(headers AS BLOB)
      FROM (
        SELECT id, CASE WHEN json_valid(record) THEN record -> '$.transfer.headers' END AS headers
        FROM jobs WHERE final = 0
      ) WHERE headers <> '[]';
    UPDATE jobs SET record = json_remove(record, '$.transfer.headers')
      WHERE CASE WHEN json_valid(record) THEN json_type(record, '$.transfer.headers') END IS NOT NULL;

    ALTER TABLE files ADD COLUMN asked_name TEXT;
  `)
}

/**
 * Version 3.
 *
 * - Records leave out what is usual (`usual.ts`). Those that are there say it and are read as before; the version keeps a
 *   service away that would take the new ones for damaged.
 */
function leaveOutUsual(): void {}
