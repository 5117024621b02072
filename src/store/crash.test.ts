import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { newFile, untouched } from '../engine/ports/job-store.suite.ts'
import { openJobStore } from './sqlite-job-store.ts'

const ROUNDS = 20

/** The most commits that a round waits for before it kills. */
const LONGEST_ROUND = 40

const store = JSON.stringify(new URL('sqlite-job-store.ts', import.meta.url).href)
const samples = JSON.stringify(new URL('../engine/ports/job-store.suite.ts', import.meta.url).href)

/** Inserts two jobs with a file each in one commit, says so, and goes on for ever. */
const program = `
  import { writeSync } from 'node:fs'
  import { openJobStore } from ${store}
  import { newFile, newJob } from ${samples}
  const [, path, first] = process.argv
  const store = openJobStore(path)
  for (let number = Number(first); ; number += 2) {
    const ids = store.transact(() =>
      [number, number + 1].map((each) => {
        const job = store.insert(newJob(each, { description: 'x'.repeat(each % 5000) }))
        store.insertFiles(job.id, [newFile(0)])
        return job.id
      }))
    writeSync(1, ids.join(' ') + '\\n')
  }
`

/** Commits in another process, kills it, and gives every id that it had acknowledged until then. */
async function commitAndKill(path: string, first: number, commits: number): Promise<string[]> {
  const child = spawn(
    process.execPath,
    ['--input-type=module', '-e', program, path, String(first)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const exit = once(child, 'exit')
  const acknowledged: string[] = []
  let seen = 0
  for await (const line of createInterface(child.stdout)) {
    const ids = line.split(' ')
    // The last line may be cut short by the kill.
    acknowledged.push(...ids.filter((id) => id.length === 36))
    if (++seen === commits) child.kill('SIGKILL')
  }
  const [, signal] = await exit
  assert.equal(signal, 'SIGKILL')
  return acknowledged
}

test('a queue whose process is killed at any moment keeps every commit it had acknowledged', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lull-crash-'))
  const path = join(folder, 'queue')
  const acknowledged = new Set<string>()
  let next = 1
  for (let round = 0; round < ROUNDS; round++) {
    const commits = 1 + Math.floor(Math.random() * LONGEST_ROUND)
    for (const id of await commitAndKill(path, next, commits)) acknowledged.add(id)
    const store = openJobStore(path)
    const there = store.page({ limit: 10_000 }).map(({ id }) => id)
    assert.deepEqual(
      [...acknowledged].filter((id) => !there.includes(id)),
      [],
    )
    assert.equal(there.length % 2, 0, 'a commit is there as a whole or not at all')
    assert.equal(store.count(), there.length)
    for (const id of there) {
      assert.deepEqual(store.files(id, { limit: 2 }), [untouched(newFile(0))])
    }
    next = there.length + 1
    store.close()
  }
  rmSync(folder, { recursive: true })
})
