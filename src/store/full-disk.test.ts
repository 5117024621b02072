import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { newJob } from '../engine/ports/job-store.suite.ts'
import type { JobStore } from '../engine/ports/job-store.ts'
import { openJobStore } from './sqlite-job-store.ts'

/** Runs `work` with the folder of a file system of one megabyte, and what makes that larger. */
function withSmallDisk(work: (folder: string, grow: () => void) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'lull-full-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder])
    try {
      work(folder, () => execFileSync('mount', ['-o', 'remount,size=16m', folder]))
    } finally {
      execFileSync('umount', [folder])
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Why this machine cannot have such a file system, if it cannot. */
function whyNot(): string | false {
  if (process.platform !== 'linux') return 'only Linux has tmpfs'
  if (process.getuid?.() !== 0) return 'only root may mount'
  try {
    withSmallDisk(() => undefined)
    return false
  } catch {
    return 'mounting is not allowed here'
  }
}

/** Commits ten jobs at a time until one commit fails. */
function fill(store: JobStore): void {
  for (let number = store.count() + 1; number < 10_000; number += 10) {
    store.transact(() => {
      for (let each = number; each < number + 10; each++) {
        store.insert(newJob(each, { description: 'x'.repeat(1_000) }))
      }
    })
  }
}

test(
  'a full disk fails a commit as a whole, and the queue goes on when there is room',
  { skip: whyNot() },
  () => {
    withSmallDisk((folder, grow) => {
      const path = join(folder, 'queue')
      const store = openJobStore(path)
      const full = { name: 'StoreError', code: 'ERR_STORE_FULL' }
      assert.throws(() => fill(store), full)
      const before = store.page({ limit: 10_000 })
      assert.equal(before.length % 10, 0)
      assert.equal(store.count(), before.length)
      assert.throws(() => fill(store), full)
      assert.deepEqual(store.page({ limit: 10_000 }), before)
      grow()
      const added = store.insert(newJob(10_000))
      store.close()
      const again = openJobStore(path)
      assert.deepEqual(again.page({ limit: 10_000 }), [...before, added])
      again.close()
    })
  },
)
