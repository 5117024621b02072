import assert from 'node:assert/strict'
import {
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import type { LogLevel } from '../base/log.ts'
import { CodeWatch } from './code-watch.ts'
import { Renewal } from './renewal.ts'

let folder = ''
let code = ''
/** Milliseconds since the epoch, as the watch is told. */
let now = 0

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lull-code-'))
  code = join(folder, 'dist')
  mkdirSync(join(code, 'room'), { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{}')
  writeFileSync(join(code, 'room', 'a.js'), 'a')
  writeFileSync(join(code, 'room', 'a.d.ts'), 'a')
  now = statSync(join(code, 'room', 'a.js')).ctimeMs
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const changes: Readonly<Record<string, () => void>> = {
  'a file that is written anew, though its length and time stay the same': () => {
    const path = join(code, 'room', 'a.js')
    const { atimeMs, mtimeMs } = statSync(path)
    writeFileSync(`${path}.new`, 'b')
    renameSync(`${path}.new`, path)
    utimesSync(path, atimeMs / 1000, mtimeMs / 1000)
  },
  'a file that is new': () => writeFileSync(join(code, 'b.js'), ''),
  'a file that is gone': () => rmSync(join(code, 'room', 'a.js')),
  'another manifest': () => writeFileSync(join(folder, 'package.json'), '{"version":"2"}'),
}

for (const [name, change] of Object.entries(changes)) {
  test(`CodeWatch sees ${name}`, () => {
    const watch = new CodeWatch(code, () => now)
    assert.equal(watch.isReplaced(), false)
    change()
    assert.equal(watch.isReplaced(), true)
  })
}

test('CodeWatch does not mind what is no code, and what was only looked at', () => {
  const watch = new CodeWatch(code, () => now)
  writeFileSync(join(code, 'room', 'a.d.ts'), 'b')
  writeFileSync(join(code, 'room', 'a.js.map'), 'b')
  assert.equal(watch.isReplaced(), false)
})

test('CodeWatch looks once a second for who is patient', () => {
  const watch = new CodeWatch(code, () => now)
  writeFileSync(join(code, 'b.js'), '')
  assert.equal(watch.isReplaced(true), false)
  now += 1_000
  assert.equal(watch.isReplaced(true), true)
})

test('CodeWatch takes code for whole when it was left alone for two seconds', () => {
  const watch = new CodeWatch(code, () => now)
  assert.equal(watch.isSettled(), false)
  now += 60_000
  assert.equal(watch.isSettled(), true)
  rmSync(code, { recursive: true })
  assert.equal(watch.isReplaced(), true)
  assert.equal(watch.isSettled(), false)
})

/** A renewal of this code, and what it did. */
function renewal({ isIdle = true, isOurs = true } = {}): {
  readonly watched: Renewal
  readonly began: () => number
  readonly told: readonly string[]
} {
  let began = 0
  const told: string[] = []
  const log = { write: (_: LogLevel, event: string) => void told.push(event) }
  const begin = isOurs ? (): void => void (began += 1) : undefined
  const world = { code: new CodeWatch(code, () => now), isIdle: () => isIdle, begin, log }
  return { watched: new Renewal(world), began: () => began, told }
}

/** Replaces the code, long ago. */
function replace(): void {
  writeFileSync(join(code, 'room', 'a.js'), 'newer')
  now += 60_000
}

test('Renewal begins anew when the code was replaced and nobody has anything to do', () => {
  const { watched, began, told } = renewal()
  assert.deepEqual(watched.consider(), { state: 'current', isRestarting: false })
  replace()
  assert.deepEqual(watched.consider(), { state: 'replaced', isRestarting: true })
  assert.equal(began(), 1)
  assert.equal(told.length, 1)
})

test('Renewal waits while somebody has something to do, and says so once', () => {
  const { watched, began, told } = renewal({ isIdle: false })
  replace()
  for (let time = 0; time < 3; time++) {
    assert.deepEqual(watched.consider(), { state: 'replaced', isRestarting: false })
  }
  assert.equal(began(), 0)
  assert.equal(told.length, 1)
})

test('Renewal leaves the work of a new carrier to the next service', () => {
  const { watched, began } = renewal({ isIdle: false })
  assert.equal(watched.leavesWork(), false)
  replace()
  assert.equal(watched.leavesWork(), true)
  assert.equal(began(), 1)
})

test('Renewal never ends an engine in the process of somebody else', () => {
  const { watched, began } = renewal({ isOurs: false })
  replace()
  assert.equal(watched.leavesWork(), false)
  assert.deepEqual(watched.consider(), { state: 'replaced', isRestarting: false })
  assert.equal(began(), 0)
})
