import assert from 'node:assert/strict'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import { newFile, newJob } from '../engine/ports/job-store.suite.ts'
import type { JobStore } from '../engine/ports/job-store.ts'
import { APPLICATION_ID } from './migrations.ts'
import { openDatabase } from './open-database.ts'
import { openJobStore } from './sqlite-job-store.ts'

const folder = mkdtempSync(join(tmpdir(), 'lull-open-'))
after(() => rmSync(folder, { recursive: true }))
let made = 0

const PAGE_BYTES = 4096
const JOBS = 1_000

/** Where a queue may be made, in a folder of its own. */
function place(): string {
  const home = join(folder, String(++made))
  mkdirSync(home)
  return join(home, 'queue')
}

/** An open queue with enough jobs for every table and index to have many pages. */
function filledStore(path: string): JobStore {
  const store = openJobStore(path)
  store.transact(() => {
    for (let number = 1; number <= JOBS; number++) {
      const { id } = store.insert(newJob(number))
      store.insertFiles(id, [newFile(0, { localName: `/home/alice/${number}` })])
    }
  })
  return store
}

/** A queue as a service leaves it that is stopped. */
function closedQueue(): string {
  const path = place()
  filledStore(path).close()
  return path
}

/** A queue as a crash leaves it: the pages in the file, later commits in the log. */
function crashedQueue(): string {
  const source = closedQueue()
  const store = openJobStore(source)
  store.insert(newJob(JOBS + 1))
  const path = place()
  for (const end of ['', '-wal']) copyFileSync(source + end, path + end)
  store.close()
  return path
}

/** Overwrites some pages of a file with what cannot be a page. */
function garble(path: string, pages: readonly number[]): void {
  const bytes = readFileSync(path)
  for (const page of pages) {
    bytes.fill(0xa5, page * PAGE_BYTES, (page + 1) * PAGE_BYTES)
  }
  writeFileSync(path, bytes)
}

/** Runs `refused`, which must throw `code`, and checks that it left the file and what lies beside it alone. */
function assertLeftAlone(path: string, refused: () => void, code: string): void {
  const before = readFileSync(path)
  const log = existsSync(`${path}-wal`) ? readFileSync(`${path}-wal`) : undefined
  assert.throws(refused, { name: 'StoreError', code })
  assert.deepEqual(readFileSync(path), before)
  assert.equal(existsSync(`${path}-wal`), log !== undefined)
  if (log !== undefined) assert.deepEqual(readFileSync(`${path}-wal`), log)
}

function assertRefused(path: string, code: string): void {
  assertLeftAlone(path, () => openJobStore(path), code)
}

/** Reads everything there is. */
function readAll(store: JobStore): void {
  for (const { id } of store.page({ limit: 10_000 })) store.files(id, { limit: 10 })
}

test('openJobStore() makes a queue of a file that is empty or not there', () => {
  const path = place()
  writeFileSync(path, '')
  for (const fresh of [path, place()]) {
    const store = openJobStore(fresh)
    store.insert(newJob(1))
    store.close()
    const again = openJobStore(fresh)
    assert.equal(again.count(), 1)
    again.close()
  }
})

test('openDatabase() syncs every commit, and keeps nothing that was deleted', () => {
  using database = openDatabase(place())
  const settings = {
    journal_mode: 'wal',
    synchronous: 2,
    fullfsync: 1,
    locking_mode: 'exclusive',
    foreign_keys: 1,
    secure_delete: 1,
    mmap_size: 0,
    cache_size: -8_192,
  }
  for (const [name, value] of Object.entries(settings)) {
    assert.deepEqual(Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {}), [value], name)
  }
})

test('openJobStore() finds everything again after a crash', () => {
  const store = openJobStore(crashedQueue())
  readAll(store)
  assert.equal(store.count(), JOBS + 1)
  store.close()
})

test('openJobStore() leaves nothing beside a queue that was closed', () => {
  for (const path of [closedQueue(), crashedQueue()]) {
    openJobStore(path).close()
    assert.deepEqual(readdirSync(join(path, '..')), ['queue'])
  }
})

test('openJobStore() refuses a queue that is open already', () => {
  const path = place()
  const store = openJobStore(path)
  assert.throws(() => openJobStore(path), { code: 'ERR_STORE_BUSY' })
  store.insert(newJob(1))
  assert.throws(() => openJobStore(path), { code: 'ERR_STORE_BUSY' })
  assert.equal(store.count(), 1)
  store.close()
})

test('openJobStore() refuses a file in a folder that is not there, and a folder', () => {
  assert.throws(() => openJobStore(join(place(), 'queue')), { code: 'ERR_STORE_IO' })
  const path = place()
  mkdirSync(path)
  assert.throws(() => openJobStore(path), { code: 'ERR_STORE_IO' })
})

test('openJobStore() keeps the queue from others', { skip: process.platform === 'win32' }, () => {
  const path = place()
  const modes = () =>
    ['queue', 'queue-wal'].map((name) => statSync(join(path, '..', name)).mode & 0o777)
  const store = openJobStore(path)
  store.insert(newJob(1))
  assert.deepEqual(modes(), [0o600, 0o600])
  store.close()
  chmodSync(path, 0o644)
  const again = openJobStore(path)
  again.insert(newJob(2))
  assert.deepEqual(modes(), [0o600, 0o600])
  again.close()
})

test('openJobStore() leaves a file alone that is no database', () => {
  const path = place()
  writeFileSync(path, Buffer.alloc(3 * PAGE_BYTES, 'not a queue '))
  assertRefused(path, 'ERR_STORE_DAMAGED')
  assert.throws(() => openJobStore(path), /queue: it is damaged \(BG_E_DATABASE_CORRUPT\)/)
})

for (const bytes of [1, 99, 100, PAGE_BYTES - 1, PAGE_BYTES, 5 * PAGE_BYTES, 20 * PAGE_BYTES + 7]) {
  test(`openJobStore() leaves a queue alone that was cut to ${bytes} bytes`, () => {
    const path = closedQueue()
    truncateSync(path, bytes)
    assertRefused(path, 'ERR_STORE_DAMAGED')
  })
}

test('openJobStore() leaves a queue alone whose first page is overwritten', () => {
  for (const path of [closedQueue(), crashedQueue()]) {
    garble(path, [0])
    assertRefused(path, 'ERR_STORE_DAMAGED')
  }
})

test('openJobStore() leaves a queue alone whose pages do not fit together after a crash', () => {
  const path = crashedQueue()
  garble(path, [30, 31, 32])
  assertRefused(path, 'ERR_STORE_DAMAGED')
})

test('a queue whose pages were overwritten while it was closed is damaged once they are read', () => {
  const path = closedQueue()
  const pages = statSync(path).size / PAGE_BYTES
  garble(
    path,
    Array.from({ length: pages / 2 }, (_, index) => index * 2 + 21).filter((page) => page < pages),
  )
  const store = openJobStore(path)
  const damaged = { code: 'ERR_STORE_DAMAGED', message: /Cannot use the queue .*CORRUPT/ }
  assert.throws(() => readAll(store), damaged)
  store.close()
})

test('a row that no version wrote is damage, and its values stay out of the message', () => {
  const changes = [
    `UPDATE jobs SET record = json_set(record, '$.type', 'hunter2')`,
    `UPDATE jobs SET record = '{"hunter2'`,
    `UPDATE jobs SET record = '[]'`,
    `UPDATE jobs SET record = json_remove(record, '$.displayName')`,
    `UPDATE jobs SET record = json_set(record, '$.tally', 'hunter2')`,
    `UPDATE jobs SET record = json_set(record, '$.tally.bytesSized', 1e300)`,
    `UPDATE jobs SET record = json_set(record, '$.proxy.usage', 'hunter2')`,
    `UPDATE jobs SET record = json_set(record, '$.certificate.location', 'hunter2')`,
    `UPDATE jobs SET state = 'hunter2'`,
    `UPDATE jobs SET state = 'error'`,
    `UPDATE jobs SET pending = 'hunter2'`,
    `UPDATE files SET ranges = '[[5,1]]'`,
    `UPDATE files SET ranges = '[[0,5],[5,9]]'`,
    `UPDATE files SET ranges = '[["hunter2",5]]'`,
    `UPDATE files SET size = -1`,
    `UPDATE files SET version = '"hunter2"'`,
    `UPDATE files SET digests = '[1]'`,
  ]
  for (const change of changes) {
    const path = place()
    const store = openJobStore(path)
    const { id } = store.insert(newJob(1))
    store.insertFiles(id, [newFile(0)])
    store.close()
    using database = new DatabaseSync(path)
    database.exec(change)
    database.close()
    const again = openJobStore(path)
    const read = () => [
      ...again.page({ states: ['queued', 'error'], limit: 1 }),
      again.find(id),
      again.files(id, { limit: 1 }),
    ]
    assert.throws(
      read,
      (error) =>
        error instanceof Error &&
        'code' in error &&
        error.code === 'ERR_STORE_DAMAGED' &&
        !error.message.includes('hunter2'),
      change,
    )
    again.close()
  }
})

test('openJobStore() leaves a database of another program alone', () => {
  for (const sql of ['CREATE TABLE notes (text)', 'PRAGMA application_id = 7']) {
    const path = place()
    const database = new DatabaseSync(path)
    database.exec(`PRAGMA journal_mode = WAL; ${sql}`)
    database.close()
    assertRefused(path, 'ERR_STORE_FOREIGN')
  }
})

test('openJobStore() leaves a queue alone that a newer version wrote', () => {
  const path = place()
  const database = new DatabaseSync(path)
  database.exec(`CREATE TABLE jobs (id); PRAGMA application_id = ${APPLICATION_ID}`)
  database.exec('PRAGMA user_version = 9')
  database.close()
  assertRefused(path, 'ERR_STORE_NEWER')
  const sentence =
    /: it was written by a newer version \(schema 9, this one knows \d+\); start the newer Lull or move the file away$/
  assert.throws(() => openJobStore(path), sentence)
})

test('openJobStore() leaves a queue of a newer version alone whose service crashed', () => {
  const source = closedQueue()
  using database = new DatabaseSync(source)
  database.exec('PRAGMA user_version = 9')
  const path = place()
  for (const end of ['', '-wal']) copyFileSync(source + end, path + end)
  assertRefused(path, 'ERR_STORE_NEWER')
})
