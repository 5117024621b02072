/** What the tests of the engine share. */

import assert from 'node:assert/strict'
import type { Log, LogLevel } from '../base/log.ts'
import type { Failure } from '../job/failure.ts'
import type { Job, Priority } from '../job/job.ts'
import { MemoryJobStore } from '../testing/memory-job-store.ts'
import { MemoryVault } from '../testing/memory-vault.ts'
import { ScriptedCarriers } from '../testing/scripted-carriers.ts'
import { SeededRandom } from '../testing/seeded-random.ts'
import { SwitchedNetwork } from '../testing/switched-network.ts'
import { TurnedClock } from '../testing/turned-clock.ts'
import type { Caller } from './access.ts'
import { Engine } from './engine.ts'
import type { FileProgress } from './order.ts'
import type { CertificateStores } from './ports/certificates.ts'
import type { Vault } from './ports/vault.ts'
import { defaultSettings, type EngineSettings } from './settings.ts'

/** The owner of most jobs, somebody else, and the administrator. */
export const me: Caller = { owner: { id: '1000', name: 'me' }, administrator: false }
export const other: Caller = { owner: { id: '1001', name: 'other' }, administrator: false }
export const root: Caller = { owner: { id: '0', name: 'root' }, administrator: true }

/** The files of every certificate that is in a store. */
export const storedFiles = { certificateFile: '/store/c.pem', keyFile: '/store/c.key' }

/** A log that a test looks into. */
export class KeptLog implements Log {
  readonly lines: string[] = []

  write(level: LogLevel, event: string, facts?: Readonly<Record<string, unknown>>): void {
    this.lines.push(JSON.stringify({ level, event, ...facts }))
  }
}

/** An engine over ports in memory, and what tests do with it again and again. */
export class Bench {
  readonly clock = new TurnedClock()
  readonly carriers = new ScriptedCarriers()
  readonly network: SwitchedNetwork
  readonly log = new KeptLog()
  readonly store: MemoryJobStore
  readonly vault: Vault
  readonly engine: Engine

  constructor({
    store = new MemoryJobStore(),
    vault = new MemoryVault(),
    settings = {},
    network = new SwitchedNetwork(),
  }: {
    store?: MemoryJobStore
    vault?: Vault
    settings?: Partial<EngineSettings>
    network?: SwitchedNetwork
  } = {}) {
    this.store = store
    this.network = network
    this.vault = vault
    const { clock, carriers, log } = this
    const random = new SeededRandom()
    const certificates: CertificateStores = {
      find: (_owner, named) => ('certificateFile' in named ? named : storedFiles),
    }
    const world = { store, vault, certificates, carriers, network, clock, random, log }
    this.engine = new Engine(world, { ...defaultSettings, ...settings })
    this.engine.start()
  }

  add(priority: Priority = 'normal', files = 1, changes: object = {}): Job {
    return this.engine.create(me, {
      displayName: `${priority} job`,
      priority,
      files: Array.from({ length: files }, (_, index) => ({
        remoteName: `http://origin/${index}`,
        localName: `/data/${priority}-${this.store.count()}-${index}`,
      })),
      resume: true,
      ...changes,
    })
  }

  state(job: Job): string {
    return this.engine.get(me, job.id).state.kind
  }

  /** The turn that a job has now. */
  turn(job: Job): number {
    const order = this.carriers.orders('fetch').findLast((each) => each.job === job.id)
    assert(order !== undefined, 'the job was given a turn')
    return order.turn
  }

  connect(job: Job): void {
    this.carriers.report({ kind: 'connected', job: job.id, turn: this.turn(job) })
  }

  checkpoint(job: Job, ...files: readonly FileProgress[]): void {
    this.carriers.report({ kind: 'checkpoint', job: job.id, turn: this.turn(job), files })
  }

  fail(job: Job, reason: Failure): void {
    this.carriers.report({ kind: 'failed', job: job.id, turn: this.turn(job), failure: reason })
  }

  over(job: Job): void {
    this.carriers.report({ kind: 'stopped', job: job.id, turn: this.turn(job) })
  }
}

/** A file of which every byte is there. */
export function done(ordinal: number, size = 10): FileProgress {
  const ranges = size === 0 ? [] : [{ start: 0, end: size }]
  return {
    ordinal,
    ranges,
    size,
    transferred: true,
    identity: { device: '1', inode: `${ordinal}`, size },
  }
}

/** A file of which some bytes are there. */
export function part(ordinal: number, end: number, size = 100): FileProgress {
  return {
    ordinal,
    ranges: [{ start: 0, end }],
    size,
    version: { etag: '"1"' },
    transferred: false,
  }
}
