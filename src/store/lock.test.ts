import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { parseHolder } from '../base/holder.ts'
import { acquireLock, type Lock, type LockRefusal } from './lock.ts'

const folder = mkdtempSync(join(tmpdir(), 'lull-lock-'))
after(() => rmSync(folder, { recursive: true }))
let made = 0

function place(): string {
  const home = join(folder, String(++made))
  mkdirSync(home)
  return join(home, 'lock')
}

/** Takes the lock, says what came of it, and holds on until its input ends. */
const program = `
  import { acquireLock } from ${JSON.stringify(new URL('lock.ts', import.meta.url).href)}
  const lock = acquireLock(process.argv[1])
  process.stdout.write(JSON.stringify({ isHeld: !('heldBy' in lock), heldBy: lock.heldBy }))
  process.stdin.resume().on('end', () => lock[Symbol.dispose]?.())
`

/** Starts a process that tries the lock; resolves with what it said, while it goes on. */
async function rival(path: string): Promise<{ child: ChildProcess; answer: unknown }> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', program, path], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const [text] = await once(child.stdout, 'data')
  return { child, answer: JSON.parse(String(text)) }
}

function assertHeld(lock: Lock | LockRefusal): asserts lock is Lock {
  assert(!('heldBy' in lock), 'the lock is acquired')
}

test('acquireLock() refuses a second holder in the same process, and says who the first is', () => {
  const path = place()
  const first = acquireLock(path)
  assertHeld(first)
  assert.deepEqual(acquireLock(path), { heldBy: process.pid })
  // The refused attempt must not have ended the first one's lock.
  assert.deepEqual(acquireLock(path), { heldBy: process.pid })
  first[Symbol.dispose]()
  const second = acquireLock(path)
  assertHeld(second)
  first[Symbol.dispose]()
  assert.deepEqual(acquireLock(path), { heldBy: process.pid })
  second[Symbol.dispose]()
})

test('acquireLock() is refused to another process until the lock is disposed', async () => {
  const path = place()
  const lock = acquireLock(path)
  assertHeld(lock)
  const refused = await rival(path)
  assert.deepEqual(refused.answer, { isHeld: false, heldBy: process.pid })
  refused.child.stdin?.end()
  await once(refused.child, 'exit')
  assert.deepEqual(acquireLock(path), { heldBy: process.pid })
  lock[Symbol.dispose]()
  assert.deepEqual(readdirSync(join(path, '..')), ['lock'])
  const { child, answer } = await rival(path)
  assert.deepEqual(answer, { isHeld: true })
  assert.deepEqual(acquireLock(path), { heldBy: child.pid })
  child.stdin?.end()
  await once(child, 'exit')
  const again = acquireLock(path)
  assertHeld(again)
  again[Symbol.dispose]()
})

test('announce() says beside the lock that its holder comes, also when the lock is disposed then', () => {
  const path = place()
  const beside = (): unknown => parseHolder(readFileSync(`${path}.pid`, 'utf8'))
  const first = acquireLock(path, true)
  assertHeld(first)
  assert.deepEqual(beside(), { pid: process.pid, isComing: true })
  assert.deepEqual(acquireLock(path), { heldBy: process.pid })
  first.announce(false)
  assert.deepEqual(beside(), { pid: process.pid, isComing: false })
  first.announce(true)
  first[Symbol.dispose]()
  assert.deepEqual(beside(), { pid: process.pid, isComing: true })
  const second = acquireLock(path)
  assertHeld(second)
  assert.deepEqual(beside(), { pid: process.pid, isComing: false })
  // It is no longer the first one's to say.
  first.announce(false)
  second.announce(true)
  assert.deepEqual(beside(), { pid: process.pid, isComing: true })
  second.announce(false)
  second[Symbol.dispose]()
  assert.deepEqual(readdirSync(join(path, '..')), ['lock'])
})

test('acquireLock() succeeds once the holder was killed', async () => {
  const path = place()
  const { child, answer } = await rival(path)
  assert.deepEqual(answer, { isHeld: true })
  child.kill('SIGKILL')
  await once(child, 'exit')
  const lock = acquireLock(path)
  assertHeld(lock)
  assert.deepEqual(acquireLock(path), { heldBy: process.pid })
  lock[Symbol.dispose]()
})

test('acquireLock() names no holder when what lies beside the lock is of no use', async () => {
  const path = place()
  const { child } = await rival(path)
  child.kill('SIGKILL')
  await once(child, 'exit')
  const lock = acquireLock(path)
  assertHeld(lock)
  for (const text of ['', 'nobody', '-1', '0', `${child.pid}\n`]) {
    writeFileSync(`${path}.pid`, text)
    assert.deepEqual(acquireLock(path), { heldBy: undefined }, JSON.stringify(text))
  }
  rmSync(`${path}.pid`)
  assert.deepEqual(acquireLock(path), { heldBy: undefined })
  lock[Symbol.dispose]()
})

test('acquireLock() throws when the file cannot be locked at all', () => {
  const garbled = place()
  writeFileSync(garbled, 'this is no lock'.repeat(100))
  const refusal = { name: 'StoreError', code: 'ERR_STORE_IO', message: /^Cannot lock / }
  for (const path of [garbled, join(place(), 'lock')]) {
    assert.throws(() => acquireLock(path), refusal)
  }
})
