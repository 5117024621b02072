import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { Connection } from './connection.ts'

/** A connection to a database that holds a hundred pages, and how to make it larger. */
function small(): { readonly connection: Connection; readonly grow: () => void } {
  const database = new DatabaseSync(':memory:')
  database.exec('PRAGMA max_page_count = 100; CREATE TABLE pages (page BLOB) STRICT')
  return {
    connection: new Connection(database, '/queue'),
    grow: () => database.exec('PRAGMA max_page_count = 10000'),
  }
}

const addPage = 'INSERT INTO pages VALUES (zeroblob(4000))'

function countPages(connection: Connection): unknown {
  return connection.row('SELECT count(*) AS pages FROM pages')?.['pages']
}

/** Adds a page at a time until there is no room. */
function overflow(connection: Connection): void {
  for (let page = 0; page < 1_000; page++) connection.write(addPage)
}

test('Connection says that the disk is full, changes nothing, and works again when there is room', () => {
  const { connection, grow } = small()
  connection.write(addPage)
  const full = { name: 'StoreError', code: 'ERR_STORE_FULL', message: /\/queue: the disk is full/ }
  assert.throws(() => connection.transact(() => overflow(connection)), full)
  assert.equal(countPages(connection), 1)
  grow()
  connection.transact(() => overflow(connection))
  assert.equal(countPages(connection), 1_001)
})

test('Connection commits nothing of work that went on after SQLite had undone it', () => {
  const { connection, grow } = small()
  const goesOn = () =>
    connection.transact(() => {
      assert.throws(() => overflow(connection))
      grow()
      assert.throws(() => connection.write(addPage), { code: 'ERR_STORE_FULL' })
      assert.throws(() => connection.transact(() => 1), { code: 'ERR_STORE_FULL' })
    })
  assert.throws(goesOn, { code: 'ERR_STORE_FULL' })
  assert.equal(countPages(connection), 0)
  connection.write(addPage)
  assert.equal(countPages(connection), 1)
})

test('Connection calls a table that is not there damage, and a broken constraint a defect', () => {
  const { connection } = small()
  assert.throws(() => connection.row('SELECT 1 FROM jobs'), { code: 'ERR_STORE_DAMAGED' })
  connection.write('CREATE TABLE ids (id TEXT UNIQUE)')
  connection.write("INSERT INTO ids VALUES ('a')")
  assert.throws(() => connection.write("INSERT INTO ids VALUES ('a')"), /Broken invariant: UNIQUE/)
})
