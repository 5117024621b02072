import assert from 'node:assert/strict'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { context, planted, refuses, showsNothing } from '../engine/ports/vault.suite.ts'
import type { SealContext, SealedRecord, SealedRecords, Vault } from '../engine/ports/vault.ts'
import { MemoryVault } from '../testing/memory-vault.ts'
import { nodeDisk, type KeyDisk } from './key-disk.ts'
import { decodeKeys } from './key-file-format.ts'
import { KeyFile } from './key-file.ts'
import { rotate, type RotationProgress } from './rotate.ts'
import { random, scratchFolders } from './scratch.suite.ts'
import { openVault } from './vault.ts'

const scratch = scratchFolders()

/** More than two portions. */
const MANY = 250

function contextOf(number: number): SealContext {
  return { ...context, jobId: `job ${String(number).padStart(4, '0')}` }
}

function secretOf({ jobId }: SealContext): Uint8Array {
  return new TextEncoder().encode(`${Buffer.from(planted).toString()} of ${jobId}`)
}

/** A queue of sealed records, ordered by job. Each commit is one step. */
class Queue implements SealedRecords {
  readonly #records = new Map<string, SealedRecord>()
  readonly #step: () => void

  constructor(step: () => void = untroubled) {
    this.#step = step
  }

  add(record: SealedRecord): void {
    this.#records.set(record.context.jobId, record)
  }

  all(): readonly SealedRecord[] {
    return [...this.#records.values()].toSorted((left, right) =>
      left.context.jobId < right.context.jobId ? -1 : 1,
    )
  }

  page(after: SealContext | undefined, limit: number): readonly SealedRecord[] {
    return this.all()
      .filter(({ context }) => after === undefined || context.jobId > after.jobId)
      .slice(0, limit)
  }

  replace(records: readonly SealedRecord[]): void {
    this.#step()
    for (const record of records) {
      assert(this.#records.has(record.context.jobId), 'what is replaced is there')
      this.add(record)
    }
    this.#step()
  }
}

function fill(queue: Queue, vault: Vault, count: number): void {
  for (let number = 1; number <= count; number++) {
    const context = contextOf(number)
    queue.add({ context, sealed: vault.seal(context, secretOf(context)) })
  }
}

function opensAll(vault: Vault, queue: Queue): void {
  for (const { context, sealed } of queue.all()) {
    assert.deepEqual(vault.open(context, sealed), secretOf(context))
  }
}

/** Takes a rotation to its end. */
function finish(vault: Vault, queue: SealedRecords): RotationProgress {
  const steps = rotate(vault, queue)
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

function keyCount(path: string): number {
  const decoded = decodeKeys(readFileSync(path))
  assert(decoded.kind === 'keys')
  return decoded.keys.length
}

for (const [name, open] of [
  ['a key file', () => openVault([new KeyFile(join(scratch(), 'master.key'))], { random })],
  ['memory', () => new MemoryVault()],
] as const) {
  test(`rotate() seals every record with the new key and forgets the old one: ${name}`, () => {
    for (const count of [0, 1, 99, 100, 101, MANY]) {
      const vault = open()
      const queue = new Queue()
      fill(queue, vault, count)
      const before = queue.all()
      assert.deepEqual(finish(vault, queue), { resealed: count, lost: 0 })
      assert.equal(vault.isRotating, false)
      opensAll(vault, queue)
      for (const { context, sealed } of before) {
        refuses(() => vault.open(context, sealed), 'ERR_VAULT_KEY_LOST')
      }
    }
  })

  test(`rotate() leaves others their turn between portions: ${name}`, () => {
    const vault = open()
    const queue = new Queue()
    fill(queue, vault, MANY)
    const seen: RotationProgress[] = []
    for (const progress of rotate(vault, queue)) {
      seen.push(progress)
      opensAll(vault, queue)
      // A job behind the walk, one ahead of it with each step for ever, and one whose credential is replaced.
      for (const number of [0, 9_000 + seen.length, 120]) {
        const context = contextOf(number)
        queue.add({ context, sealed: vault.seal(context, secretOf(context)) })
      }
    }
    assert.deepEqual(seen, [
      { resealed: 0, lost: 0 },
      { resealed: 99, lost: 0 },
      { resealed: 198, lost: 0 },
      { resealed: MANY - 1, lost: 0 },
    ])
    assert.equal(vault.isRotating, false)
    opensAll(vault, queue)
  })

  test(`rotate() counts records that do not open and leaves them as they are: ${name}`, () => {
    const vault = open()
    const queue = new Queue()
    fill(queue, vault, 10)
    const foreign = { context: contextOf(3), sealed: vault.seal(contextOf(4), planted) }
    const nothing = { context: contextOf(5), sealed: new Uint8Array() }
    const lost = { context: contextOf(6), sealed: vault.seal(contextOf(6), planted).with(1, 77) }
    for (const record of [foreign, nothing, lost]) queue.add(record)
    assert.deepEqual(finish(vault, queue), { resealed: 7, lost: 3 })
    assert.equal(vault.isRotating, false)
    for (const record of [foreign, nothing, lost]) assert(queue.all().includes(record))
  })

  test(`rotate() does not end while a newer version's record is in the queue: ${name}`, () => {
    const vault = open()
    const queue = new Queue()
    fill(queue, vault, 10)
    const newer = vault.seal(contextOf(5), planted).with(0, 2)
    queue.add({ context: contextOf(5), sealed: newer })
    showsNothing(refuses(() => finish(vault, queue), 'ERR_VAULT_NEWER'))
    assert.equal(vault.isRotating, true)
  })

  test(`rotate() of two at once loses nothing: ${name}`, () => {
    const vault = open()
    const queue = new Queue()
    fill(queue, vault, MANY)
    const slow = rotate(vault, queue)
    slow.next()
    slow.next()
    finish(vault, queue)
    finish(vault, queue)
    slow.next()
    const late = rotate(vault, queue)
    late.next()
    for (let step = slow.next(); step.done !== true;) step = slow.next()
    opensAll(vault, queue)
    for (let step = late.next(); step.done !== true;) step = late.next()
    assert.equal(vault.isRotating, false)
    opensAll(vault, queue)
  })
}

/** Thrown in place of a step, as a crash would come; what happens after it in the same process changes nothing. */
class Crash extends Error {}

/** How much of what was not synced a crash takes along. */
type Loss = 'nothing' | 'names'

/** The step of a process that is not stopped. */
const untroubled = (): void => undefined

/** Stops a process before its step `last`, and every step after it. */
function stepper(last: number): { readonly step: () => void; readonly taken: () => number } {
  let taken = 0
  const step = () => {
    taken += 1
    if (taken > last) throw new Crash()
  }
  return { step, taken: () => taken }
}

/**
 * A disk whose every call is two steps, so that a process stops before it and after it; writing a file has one more in
 * between, where only half of it is there.
 */
function stoppingDisk(step: () => void, synced: (folder: string) => void): KeyDisk {
  const stopping =
    <Args extends readonly string[]>(call: (...args: Args) => void) =>
    (...args: Args) => {
      step()
      call(...args)
      step()
    }
  return {
    create(path, bytes) {
      step()
      writeFileSync(path, bytes.subarray(0, bytes.length / 2), { mode: 0o600 })
      step()
      rmSync(path)
      nodeDisk.create(path, bytes)
      step()
    },
    rename: stopping(nodeDisk.rename),
    replace: stopping(nodeDisk.replace),
    remove: stopping(nodeDisk.remove),
    syncFolder: stopping((folder: string) => {
      nodeDisk.syncFolder(folder)
      synced(folder)
    }),
  }
}

/** A home on a disk that may lose names that were not synced. */
class Home {
  readonly keyFile: string
  readonly #durable: string

  constructor() {
    const folder = scratch()
    this.keyFile = join(folder, 'home', 'master.key')
    this.#durable = join(folder, 'durable')
    mkdirSync(dirname(this.keyFile))
    mkdirSync(this.#durable)
  }

  /** What is there now stays there. */
  synced(): void {
    replaceFiles(dirname(this.keyFile), this.#durable)
  }

  crash(loss: Loss): void {
    if (loss === 'names') replaceFiles(this.#durable, dirname(this.keyFile))
  }

  open(step: () => void = untroubled): Vault {
    const disk = stoppingDisk(step, () => this.synced())
    return openVault([new KeyFile(this.keyFile, disk)], { random })
  }
}

function replaceFiles(from: string, to: string): void {
  for (const name of readdirSync(to)) rmSync(join(to, name))
  for (const name of readdirSync(from)) copyFileSync(join(from, name), join(to, name))
}

/** Runs `work` until it crashes. @returns whether it did */
function crashes(work: () => void): boolean {
  try {
    work()
    return false
  } catch (error) {
    if (error instanceof Crash) return true
    throw error
  }
}

/** Records of a small rotation: two portions. */
const FEW = 120

for (const loss of ['nothing', 'names'] as const) {
  test(`a rotation that crashes between any two steps loses no record; the crash takes ${loss}`, () => {
    let last = 0
    let crashed = true
    for (; crashed; last++) {
      const home = new Home()
      const first = home.open()
      const { step } = stepper(last)
      const queue = new Queue(step)
      fill(queue, first, FEW)
      first.close()
      crashed = crashes(() => finish(home.open(step), queue))
      if (crashed) home.crash(loss)
      const again = home.open()
      opensAll(again, queue)
      assert.equal(existsSync(`${home.keyFile}.new`), false)
      const fresh = again.seal(contextOf(500), secretOf(contextOf(500)))
      const after = new Queue()
      for (const record of queue.all()) after.add(record)
      after.add({ context: contextOf(500), sealed: fresh })
      assert.equal(finish(again, after).lost, 0)
      again.close()
      assert.equal(keyCount(home.keyFile), 1)
      opensAll(home.open(), after)
    }
    assert(last > 15, `the rotation had ${last} steps`)
  })

  test(`a rotation that crashes again and again comes to its end; each crash takes ${loss}`, () => {
    for (const every of [4, 5, 7]) {
      const home = new Home()
      let step = untroubled
      const queue = new Queue(() => step())
      fill(queue, home.open(), FEW)
      const [old] = queue.all()
      let crashed = true
      for (let round = 0; crashed; round++) {
        assert(round < 50, 'a rotation comes further with each start')
        step = stepper(every + round).step
        crashed = crashes(() => finish(home.open(step), queue))
        if (crashed) home.crash(loss)
        step = untroubled
        opensAll(home.open(), queue)
      }
      assert.equal(keyCount(home.keyFile), 1)
      assert(old !== undefined)
      refuses(() => home.open().open(old.context, old.sealed), 'ERR_VAULT_KEY_LOST')
    }
  })

  test(`the first key is there once the vault is open, whatever step crashes before; it takes ${loss}`, () => {
    let crashed = true
    let last = 0
    for (; crashed; last++) {
      const home = new Home()
      home.synced()
      const { step } = stepper(last)
      let sealed: Uint8Array | undefined
      crashed = crashes(() => {
        sealed = home.open(step).seal(context, planted)
      })
      home.crash(loss)
      const again = home.open()
      if (sealed !== undefined) assert.deepEqual(again.open(context, sealed), planted)
      assert.equal(existsSync(`${home.keyFile}.new`), false)
      assert.equal(keyCount(home.keyFile), 1)
    }
    assert(last > 6, `the first key took ${last} steps`)
  })
}
