/** What a checkpoint is made of, each part by itself: the sync of what came, and the commit of what is promised then. */

import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../src/carrier/system-clock.ts'
import { systemRandom } from '../src/carrier/system-random.ts'
import type { Caller } from '../src/engine/access.ts'
import { Engine } from '../src/engine/engine.ts'
import { defaultSettings } from '../src/engine/settings.ts'
import { PartialFile } from '../src/files/partial-file.ts'
import { openJobStore } from '../src/store/sqlite-job-store.ts'
import { MemoryVault } from '../src/testing/memory-vault.ts'
import { ScriptedCarriers } from '../src/testing/scripted-carriers.ts'
import { SwitchedNetwork } from '../src/testing/switched-network.ts'
import { median } from './measure.ts'

const COMMITS = 2_000

/** The first ones are compiled meanwhile. */
const WARM_UP = 500

const SYNCS = 20
const SLAB = 1024 * 1024

const caller: Caller = { owner: { id: '0', name: 'root' }, administrator: true }

/** What one takes, in milliseconds. */
export interface PartCost {
  /** The median of all; it waits for the disk. */
  readonly wallMs: number
  /** Of the whole process. */
  readonly cpuMs: number
}

/** Writes as much as comes between two checkpoints into a partial file in `parent`, and syncs it, again and again. */
export async function measureSyncs(parent: string): Promise<PartCost> {
  const folder = mkdtempSync(join(parent, 'lull-bench-sync-'))
  const partial = PartialFile.create(join(folder, 'partial'))
  const slab = new Uint8Array(SLAB).fill(1)
  const walls: number[] = []
  let cpuUs = 0
  for (let round = 0; round < SYNCS; round++) {
    for (let at = 0; at < defaultSettings.checkpoint.bytes; at += SLAB) {
      partial.write(slab, at)
      partial.flush()
    }
    const before = process.cpuUsage()
    const began = performance.now()
    await partial.sync()
    walls.push(performance.now() - began)
    const { user, system } = process.cpuUsage(before)
    cpuUs += user + system
  }
  partial.close()
  rmSync(folder, { recursive: true })
  return { wallMs: median(walls), cpuMs: cpuUs / 1000 / SYNCS }
}

/** Reports checkpoint after checkpoint of one file to an engine, with its queue in `parent`. */
export async function measureCommits(parent: string): Promise<PartCost> {
  const folder = mkdtempSync(join(parent, 'lull-bench-commit-'))
  const store = openJobStore(join(folder, 'queue.db'))
  const carriers = new ScriptedCarriers()
  const engine = new Engine(
    {
      store,
      vault: new MemoryVault(),
      certificates: { find: () => ({ certificateFile: '' }) },
      carriers,
      network: new SwitchedNetwork(),
      clock: systemClock,
      random: systemRandom,
      log: { write: () => undefined },
    },
    defaultSettings,
  )
  engine.start()
  const { id: job } = engine.create(caller, {
    displayName: 'large',
    priority: 'foreground',
    files: [{ remoteName: 'http://origin.example/large', localName: join(folder, 'large') }],
    resume: true,
  })
  const turn = carriers.orders('fetch')[0]?.turn ?? 0
  carriers.report({ kind: 'connected', job, turn })
  const checkpoint = (number: number): void => {
    const ranges = [{ start: 0, end: (number + 1) * defaultSettings.checkpoint.bytes }]
    const files = [
      { ordinal: 0, ranges, size: 2 ** 50, version: { etag: '"1"' }, transferred: false },
    ]
    carriers.report({ kind: 'checkpoint', job, turn, files })
  }
  for (let number = 0; number < WARM_UP; number++) checkpoint(number)
  const walls: number[] = []
  const before = process.cpuUsage()
  for (let number = 0; number < COMMITS; number++) {
    const began = performance.now()
    checkpoint(WARM_UP + number)
    walls.push(performance.now() - began)
  }
  const { user, system } = process.cpuUsage(before)
  await engine.stop()
  store.close()
  rmSync(folder, { recursive: true })
  return { wallMs: median(walls), cpuMs: (user + system) / 1000 / COMMITS }
}
