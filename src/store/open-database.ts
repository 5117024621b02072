/**
 * Opens the queue's file, or refuses it without touching a byte of it.
 *
 * A file that exists is first read through a connection that cannot write: whether it is ours, whether this version
 * knows its schema, and, when the last service ended without closing it, whether its pages still fit together. A log
 * beside the file (`-wal`) is the sign of that end, because closing removes it. The check of the pages reads all of
 * them, so it is left out above {@link CHECKED_BYTES}; a queue that was closed is not checked at all, because nothing
 * happened to it that we know of. What goes unnoticed here is noticed when the damaged page or row is read.
 *
 * The file is then held exclusively for as long as it is open: a second writer cannot exist, whatever else fails, and
 * SQLite needs no memory shared between processes, which a home on a network drive could not give it.
 */

import { chmodSync, closeSync, existsSync, openSync, rmSync, statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { APPLICATION_ID, migrate, migrations, readPragma } from './migrations.ts'
import { StoreError, asStoreError, damaged, isIoError } from './store-error.ts'

/** Up to this size all pages are checked after a crash: about a tenth of a second, more when the disk is slow. */
const CHECKED_BYTES = 128 * 1024 * 1024

/** The shortest database: its header (sqlite.org/fileformat2.html §1.3). SQLite takes a file of one byte for an empty one. */
const HEADER_BYTES = 100

/** How long to wait for somebody who looks into the queue with a tool. */
const BUSY_TIMEOUT_MS = 500

/** Pages in the log after which they are copied into the file: 4 MiB. */
const CHECKPOINT_PAGES = 1_000

/** What the log shrinks to after a commit that was larger. */
const LOG_BYTES = 16 * 1024 * 1024

/** What SQLite may keep of the file in memory. */
const CACHE_KIBIBYTES = 8 * 1024

/**
 * Opens the queue, makes it if it is not there, and brings it to the newest schema.
 *
 * @param path full; its folder exists and is private
 * @throws {StoreError} `ERR_STORE_DAMAGED`, `ERR_STORE_FOREIGN`, `ERR_STORE_NEWER`: the file is left as it is;
 *   `ERR_STORE_BUSY`, `ERR_STORE_FULL`, `ERR_STORE_IO`
 */
export function openDatabase(path: string): DatabaseSync {
  try {
    if (isFilled(path)) inspect(path)
    makePrivate(path)
    return openForWriting(path)
  } catch (error) {
    throw asStoreError(error, 'open', path)
  }
}

/** Reads a file that exists, and throws when it is not to be opened. */
function inspect(path: string): void {
  const { size } = statSync(path)
  if (size < HEADER_BYTES) throw damaged('open', path, `it is only ${size} bytes long`)
  const wasClosed = !isFilled(`${path}-wal`)
  // `immutable` keeps SQLite from making a log and shared memory beside a file that may not be ours.
  const url = pathToFileURL(path)
  if (wasClosed) url.searchParams.set('immutable', '1')
  const database = new DatabaseSync(url, { readOnly: true, timeout: BUSY_TIMEOUT_MS })
  try {
    checkIdentity(database, path)
    if (!wasClosed) checkPages(database, path)
  } catch (error) {
    // Reading a log without the right to write needs shared memory, which a full disk or a network drive may not give.
    // Holding the file exclusively does not, so a full disk is no reason not to start.
    if (wasClosed || !isIoError(error)) throw error
  } finally {
    database.close()
  }
}

function checkIdentity(database: DatabaseSync, path: string): void {
  const application = readPragma(database, 'application_id')
  const version = readPragma(database, 'user_version')
  // A crash while the queue was made leaves a database with nothing in it.
  const isEmpty = database.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined
  if (isEmpty && application === 0 && version === 0) return
  if (application !== APPLICATION_ID) {
    throw new StoreError(
      'ERR_STORE_FOREIGN',
      `Cannot open the queue ${path}: it is a database of another program (application id ${application}); move the file away`,
    )
  }
  if (version > migrations.length) {
    throw new StoreError(
      'ERR_STORE_NEWER',
      `Cannot open the queue ${path}: it was written by a newer version (schema ${version}, this one knows ${migrations.length}); start the newer Lull or move the file away`,
    )
  }
}

function checkPages(database: DatabaseSync, path: string): void {
  const bytes = readPragma(database, 'page_count') * readPragma(database, 'page_size')
  if (bytes > CHECKED_BYTES) return
  const finding = database.prepare('PRAGMA quick_check(1)').get()?.['quick_check']
  if (finding !== 'ok') throw damaged('open', path, String(finding))
}

/**
 * Sees to it that nobody else can read the file; SQLite gives what it makes beside it the same rights.
 *
 * An existing file is not opened for that: closing any descriptor of it would end the locks that another connection of
 * this process holds (POSIX fcntl).
 */
function makePrivate(path: string): void {
  if (existsSync(path)) {
    if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o600)
  } else {
    closeSync(openSync(path, 'ax', 0o600))
  }
}

function openForWriting(path: string): DatabaseSync {
  const database = new DatabaseSync(path, {
    timeout: BUSY_TIMEOUT_MS,
    enableForeignKeyConstraints: true,
    enableDoubleQuotedStringLiterals: false,
  })
  try {
    database.exec(`
      PRAGMA locking_mode = EXCLUSIVE;
      PRAGMA synchronous = FULL;
      PRAGMA fullfsync = ON;
      PRAGMA checkpoint_fullfsync = ON;
      PRAGMA journal_mode = WAL;
      PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES};
      PRAGMA journal_size_limit = ${LOG_BYTES};
      PRAGMA cache_size = -${CACHE_KIBIBYTES};
      PRAGMA mmap_size = 0;
      PRAGMA temp_store = MEMORY;
      PRAGMA secure_delete = ON;
      PRAGMA cell_size_check = ON;
      PRAGMA trusted_schema = OFF;
    `)
    checkIdentity(database, path)
    migrate(database)
    // Ours alone from here on: what shared memory an inspection left is nobody's.
    rmSync(`${path}-shm`, { force: true })
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

function isFilled(path: string): boolean {
  return (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0
}
