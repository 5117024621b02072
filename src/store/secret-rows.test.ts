import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { idOf, newJob } from '../engine/ports/job-store.suite.ts'
import type { JobStore } from '../engine/ports/job-store.ts'
import { openJobStore } from './sqlite-job-store.ts'

const folder = mkdtempSync(join(tmpdir(), 'lull-secrets-'))
after(() => rmSync(folder, { recursive: true }))

/** What is looked for; as long as a record, so that it lies within one page. */
const sealed = Buffer.from('what was sealed and is to be gone '.repeat(4))
const record = { target: 'server', scheme: 'basic', sealed }

/** Which files of a queue hold the record. */
function holders(path: string): readonly string[] {
  return ['', '-wal'].filter((ending) => {
    const bytes = readFileSync(path + ending, { flag: 'a+' })
    return bytes.includes(sealed)
  })
}

let made = 0

/** A queue with two jobs of which the first has the record, and other commits behind it. */
function queue(): { readonly path: string; readonly store: JobStore } {
  const path = join(folder, `queue-${++made}`)
  const store = openJobStore(path)
  store.insert(newJob(1))
  store.insert(newJob(2))
  store.saveSecrets(idOf(1), [record])
  store.saveSecrets(idOf(2), [{ ...record, sealed: Buffer.from('another') }])
  assert.deepEqual(holders(path), ['-wal'])
  return { path, store }
}

const removals: Readonly<Record<string, (store: JobStore) => void>> = {
  'removeSecrets() of one': (store) => {
    store.removeSecrets(idOf(1), { target: 'server', from: 'basic', to: 'basic' })
  },
  'removeSecrets() of all': (store) => void store.removeSecrets(idOf(1)),
  'remove() of the job': (store) => store.remove(idOf(1)),
  'saveSecrets() of another in its place': (store) => {
    store.saveSecrets(idOf(1), [{ ...record, sealed: Buffer.from('newer') }])
  },
  'a rotation': (store) => {
    const records = store.sealedRecords.page(undefined, 9)
    store.sealedRecords.replace(
      records.map(({ context }) => ({ context, sealed: Buffer.from('newer') })),
    )
  },
}

for (const [name, removal] of Object.entries(removals)) {
  test(`scrub() leaves nothing of a secret in the queue and its log after ${name}`, () => {
    const { path, store } = queue()
    removal(store)
    store.scrub()
    assert.deepEqual(holders(path), [])
    store.scrub()
    store.close()
  })
}

test('closing leaves nothing of a removed secret that nothing scrubbed', () => {
  const { path, store } = queue()
  store.remove(idOf(1))
  store.close()
  assert.deepEqual(holders(path), [])
})
