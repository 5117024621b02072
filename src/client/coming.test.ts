/** Who finds nobody at the socket looks beside the lock. */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { formatHolder } from '../base/holder.ts'
import { whenThere } from './coming.ts'
import { currentWorld, findHome } from './home.ts'

const folder = mkdtempSync(join(tmpdir(), 'lull-coming-'))
after(() => rmSync(folder, { recursive: true }))
const home = findHome({ ...currentWorld(), env: { LULL_HOME: folder } })
const beside = `${home.lock}.pid`

/** How often is looked for a service that is there at the look with this number. */
async function looks(thereAt: number, isAway = true): Promise<number> {
  let count = 0
  const look = (): Promise<void> =>
    ++count < thereAt ? Promise.reject(new Error('nobody')) : Promise.resolve()
  await whenThere(home, look, () => isAway).catch(() => undefined)
  return count
}

test('whenThere() looks once more where nobody comes: somebody may have come meanwhile', async () => {
  const ended = spawnSync(process.execPath, ['-e', '']).pid
  const lines = [
    formatHolder({ pid: process.pid, isComing: false }),
    formatHolder({ pid: ended, isComing: true }),
    '?',
  ]
  assert.equal(await looks(Infinity), 2)
  for (const line of lines) {
    writeFileSync(beside, line)
    assert.equal(await looks(Infinity), 2, line)
  }
})

test('whenThere() goes on looking while somebody comes', async () => {
  writeFileSync(beside, formatHolder({ pid: process.pid, isComing: true }))
  assert.equal(await looks(5), 5)
})

test('whenThere() looks once where it failed for another reason', async () => {
  writeFileSync(beside, formatHolder({ pid: process.pid, isComing: true }))
  assert.equal(await looks(5, false), 1)
})
