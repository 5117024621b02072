import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import { APPLICATION_ID, migrate, migrations, readPragma } from './migrations.ts'
import { clearHeaders } from '../engine/ports/job-store.ts'
import { openJobStore } from './sqlite-job-store.ts'

const folder = mkdtempSync(join(tmpdir(), 'lull-migrations-'))
after(() => rmSync(folder, { recursive: true }))

/** Version 1 as it was released. Never changed: a change to the schema is a new migration. */
const version1 = [
  `CREATE TABLE jobs (sequence INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, owner_id TEXT NOT NULL, priority TEXT NOT NULL, state TEXT NOT NULL, retry_at REAL, turn REAL NOT NULL, pending TEXT, modified REAL NOT NULL, record TEXT NOT NULL, final INTEGER NOT NULL GENERATED ALWAYS AS (state IN ('acknowledged', 'cancelled')) VIRTUAL) STRICT`,
  `CREATE INDEX jobs_state ON jobs (state)`,
  `CREATE INDEX jobs_owner ON jobs (owner_id, state)`,
  `CREATE INDEX jobs_turn ON jobs (turn)`,
  `CREATE INDEX jobs_queued ON jobs (priority, turn) WHERE state = 'queued'`,
  `CREATE INDEX jobs_pending ON jobs (sequence) WHERE pending IS NOT NULL`,
  `CREATE INDEX jobs_finished ON jobs (modified) WHERE final = 1 AND pending IS NULL`,
  `CREATE INDEX jobs_stale ON jobs (modified) WHERE final = 0`,
  `CREATE TABLE files (job INTEGER NOT NULL REFERENCES jobs (sequence) ON DELETE CASCADE, ordinal INTEGER NOT NULL, local_name TEXT NOT NULL, kind TEXT NOT NULL, remote_name TEXT NOT NULL, digests TEXT NOT NULL, version TEXT, size INTEGER, ranges TEXT NOT NULL, tag_restarts INTEGER NOT NULL, identity TEXT, PRIMARY KEY (job, ordinal)) STRICT, WITHOUT ROWID`,
  `CREATE TABLE live_jobs (owner_id TEXT NOT NULL PRIMARY KEY, jobs INTEGER NOT NULL) STRICT, WITHOUT ROWID`,
  `CREATE TRIGGER jobs_inserted AFTER INSERT ON jobs WHEN new.final = 0 BEGIN INSERT INTO live_jobs (owner_id, jobs) VALUES (new.owner_id, 1) ON CONFLICT (owner_id) DO UPDATE SET jobs = jobs + 1; END`,
  `CREATE TRIGGER jobs_deleted AFTER DELETE ON jobs WHEN old.final = 0 BEGIN UPDATE live_jobs SET jobs = jobs - 1 WHERE owner_id = old.owner_id; END`,
  `CREATE TRIGGER jobs_updated AFTER UPDATE OF state, owner_id ON jobs WHEN old.final <> new.final OR old.owner_id <> new.owner_id BEGIN UPDATE live_jobs SET jobs = jobs - 1 WHERE owner_id = old.owner_id AND old.final = 0; INSERT INTO live_jobs (owner_id, jobs) SELECT new.owner_id, 1 WHERE new.final = 0 ON CONFLICT (owner_id) DO UPDATE SET jobs = jobs + 1; END`,
]

/** A job and its file as version 1 wrote them. */
const version1Rows = [
  `INSERT INTO jobs (sequence, id, owner_id, priority, state, retry_at, turn, pending, modified, record) VALUES (7, '7f3a0001-0000-4000-8000-000000000000', '1000', 'high', 'transientError', 1700000600000, 12, NULL, 1700000000000.5, '{"type":"download","displayName":"ubuntu","description":"","patience":{"minimumRetryDelayS":600,"noProgressTimeoutS":1209600,"maximumDownloadTimeS":7776000,"stallTimeoutMs":30000},"transfer":{"headers":[["X-Who","me"]],"redirects":{"follow":"silent","allowHttpsToHttp":false},"overwrite":false,"contentDisposition":false},"completesItself":true,"created":1690000000000,"tally":{"filesTotal":1,"filesTransferred":0,"filesSized":1,"bytesSized":1000,"bytesTransferred":700},"errorCount":1,"attempts":1,"noProgressMs":5.5,"bytesBest":700,"touched":true,"activeMs":2000.25,"ownerName":"alice","facts":{"failure":{"hresult":2149580845,"symbol":"BG_E_CONNECT_FAILURE","context":"REMOTE_FILE","severity":"transient","waitsFor":"retry","sentence":"The server does not answer","file":0}}}')`,
  `INSERT INTO files (job, ordinal, local_name, kind, remote_name, digests, version, size, ranges, tag_restarts, identity) VALUES (7, 0, '/home/alice/ubuntu.iso', 'missing', 'https://origin.example/ubuntu.iso', '[{"algorithm":"md5","hex":"cdcd"}]', '{"etag":"\\"a\\"","size":1000}', 1000, '[[0,500],[600,800]]', 1, NULL)`,
]

/** Schema texts as SQLite keeps them, white space aside. */
function schema(database: DatabaseSync): string[] {
  return database
    .prepare('SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL')
    .all()
    .map(({ sql }) =>
      String(sql)
        .replaceAll(/\s+/gu, ' ')
        .replaceAll(/ ?([()]) ?/gu, '$1'),
    )
    .sort()
}

/** A database with the queue of version 1 in it. */
function recorded(path = ':memory:'): DatabaseSync {
  const database = new DatabaseSync(path)
  for (const sql of [...version1, ...version1Rows]) database.exec(sql)
  database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = 1`)
  return database
}

test('migrate() still makes version 1 as it was released', () => {
  using database = new DatabaseSync(':memory:')
  migrate(database, migrations.slice(0, 1))
  using released = recorded()
  assert.deepEqual(schema(database), schema(released))
  assert.equal(readPragma(database, 'user_version'), 1)
  assert.equal(readPragma(database, 'application_id'), APPLICATION_ID)
})

test('openJobStore() reads what version 1 wrote', () => {
  const path = join(folder, 'version-1')
  recorded(path).close()
  const store = openJobStore(path)
  const [id = ''] = store.findByPrefix('7f3a', 1)
  assert.deepEqual(store.find(id), {
    id: '7f3a0001-0000-4000-8000-000000000000',
    sequence: 7,
    owner: { id: '1000', name: 'alice' },
    type: 'download',
    displayName: 'ubuntu',
    description: '',
    priority: 'high',
    state: {
      kind: 'transientError',
      failure: {
        hresult: 0x8020_002d,
        symbol: 'BG_E_CONNECT_FAILURE',
        context: 'REMOTE_FILE',
        severity: 'transient',
        waitsFor: 'retry',
        sentence: 'The server does not answer',
        file: 0,
      },
      retryAt: 1_700_000_600_000,
    },
    patience: {
      minimumRetryDelayS: 600,
      noProgressTimeoutS: 1_209_600,
      maximumDownloadTimeS: 7_776_000,
      stallTimeoutMs: 30_000,
    },
    transfer: {
      redirects: { follow: 'silent', allowHttpsToHttp: false },
      overwrite: false,
      contentDisposition: false,
    },
    completesItself: true,
    created: 1_690_000_000_000,
    modified: 1_700_000_000_000.5,
    tally: {
      filesTotal: 1,
      filesTransferred: 0,
      filesSized: 1,
      bytesSized: 1_000,
      bytesTransferred: 700,
    },
    errorCount: 1,
    attempts: 1,
    noProgressMs: 5.5,
    bytesBest: 700,
    touched: true,
    activeMs: 2_000.25,
    turn: 12,
  })
  assert.deepEqual(store.files(id, { limit: 10 }), [
    {
      ordinal: 0,
      remoteName: 'https://origin.example/ubuntu.iso',
      localName: '/home/alice/ubuntu.iso',
      digests: [{ algorithm: 'md5', hex: 'cdcd' }],
      kind: 'missing',
      version: { etag: '"a"', size: 1_000 },
      size: 1_000,
      ranges: [
        { start: 0, end: 500 },
        { start: 600, end: 800 },
      ],
      tagRestarts: 1,
    },
  ])
  const [headers, ...others] = store.secrets(id)
  assert.deepEqual(others, [])
  assert.deepEqual({ target: headers?.target, scheme: headers?.scheme }, clearHeaders)
  assert.equal(new TextDecoder().decode(headers?.sealed), '[["X-Who","me"]]')
  assert.equal(store.count('1000'), 1)
  assert.equal(store.nextTurn(), 13)
  store.close()
})

test('openJobStore() reads of version 3 what its records leave out', () => {
  const path = join(folder, 'version-3')
  const database = new DatabaseSync(path)
  migrate(database, migrations.slice(0, 3))
  database.exec(
    `INSERT INTO jobs (sequence, id, owner_id, priority, state, retry_at, turn, pending, modified, record) VALUES (4, '7f3a0002-0000-4000-8000-000000000000', '1000', 'low', 'queued', NULL, 9, NULL, 1700000000000, '{"displayName":"debian","created":1690000000000,"ownerName":"alice"}')`,
  )
  database.close()
  const store = openJobStore(path)
  assert.deepEqual(store.find('7f3a0002-0000-4000-8000-000000000000'), {
    id: '7f3a0002-0000-4000-8000-000000000000',
    sequence: 4,
    owner: { id: '1000', name: 'alice' },
    type: 'download',
    displayName: 'debian',
    description: '',
    priority: 'low',
    state: { kind: 'queued' },
    patience: {
      minimumRetryDelayS: 600,
      noProgressTimeoutS: 1_209_600,
      maximumDownloadTimeS: 7_776_000,
      stallTimeoutMs: 30_000,
    },
    transfer: {
      redirects: { follow: 'silent', allowHttpsToHttp: false },
      overwrite: false,
      contentDisposition: false,
    },
    completesItself: false,
    created: 1_690_000_000_000,
    modified: 1_700_000_000_000,
    tally: {
      filesTotal: 1,
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
    turn: 9,
  })
  store.close()
})

test('migrate() takes only the steps that are not behind the queue, and keeps what is in it', () => {
  using database = recorded()
  const taken: string[] = []
  const step = (name: string) => (stepped: DatabaseSync) => {
    taken.push(name)
    stepped.exec(`ALTER TABLE files ADD COLUMN ${name} TEXT NOT NULL DEFAULT 'unset'`)
  }
  const steps = [step('first'), step('second'), step('third')]
  migrate(database, steps)
  migrate(database, steps)
  assert.deepEqual(taken, ['second', 'third'])
  assert.equal(readPragma(database, 'user_version'), 3)
  const files = database.prepare('SELECT local_name, second, third FROM files').all()
  assert.deepEqual(files.map(Object.values), [['/home/alice/ubuntu.iso', 'unset', 'unset']])
})

test('migrate() undoes every step when one fails', () => {
  using database = recorded()
  const before = schema(database)
  const refusal = new Error('no')
  const steps = [
    ...migrations.slice(0, 1),
    (stepped: DatabaseSync) => stepped.exec('DROP TABLE files'),
    () => {
      throw refusal
    },
  ]
  assert.throws(() => migrate(database, steps), refusal)
  assert.equal(database.isTransaction, false)
  assert.equal(readPragma(database, 'user_version'), 1)
  assert.deepEqual(schema(database), before)
})
