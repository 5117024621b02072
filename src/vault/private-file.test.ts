import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { planted, refuses, showsNothing } from '../engine/ports/vault.suite.ts'
import { lentFile, ownFile, readPrivateFile, type Privacy } from './private-file.ts'
import { scratchFolders } from './scratch.suite.ts'

const scratch = scratchFolders()
const isWindows = process.platform === 'win32'
const onlyPosix = { skip: isWindows ? 'Windows has no modes' : false }
const onlyRoot = { skip: process.getuid?.() === 0 ? false : 'only root gives files away' }

/** A user id that is neither root's nor this process's. */
const STRANGER = 54_321

function read(path: string, privacy: Privacy = ownFile, limit = 100): Uint8Array | undefined {
  return readPrivateFile(path, `the key file ${path}`, { limit, privacy })
}

function fileOf(mode: number): string {
  const path = join(scratch(), 'key')
  writeFileSync(path, planted)
  chmodSync(path, mode)
  return path
}

function refusalOf(path: string, privacy: Privacy = ownFile): string {
  const refusal = refuses(() => read(path, privacy), 'ERR_VAULT_KEY_REFUSED')
  showsNothing(refusal)
  return refusal.message
}

test('readPrivateFile() gives the bytes of a file that only its owner may use', () => {
  for (const mode of [0o600, 0o400, 0o700]) assert.deepEqual(read(fileOf(mode)), planted)
})

test('readPrivateFile() finds no file where there is none, nor where there is no folder', () => {
  assert.equal(read(join(scratch(), 'key')), undefined)
  assert.equal(read(join(scratch(), 'folder', 'key')), undefined)
})

test('readPrivateFile() reads one byte more than the limit and no further', () => {
  const path = fileOf(0o600)
  assert.deepEqual(read(path, ownFile, planted.length), planted)
  assert.deepEqual(read(path, ownFile, 5), planted.subarray(0, 6))
})

test('readPrivateFile() refuses a file with any right for group or others', onlyPosix, () => {
  for (const right of [0o040, 0o020, 0o010, 0o004, 0o002, 0o001]) {
    const mode = 0o600 | right
    const message = refusalOf(fileOf(mode))
    assert.match(message, new RegExp(`its mode 0${mode.toString(8)} .* set the mode to 0600`, 'u'))
  }
})

test('readPrivateFile() takes a lent file that an access list lets us read', onlyPosix, () => {
  for (const mode of [0o400, 0o440, 0o600]) assert.deepEqual(read(fileOf(mode), lentFile), planted)
  for (const mode of [0o444, 0o460, 0o404, 0o420, 0o402, 0o450]) {
    assert.match(refusalOf(fileOf(mode), lentFile), /LoadCredential=/)
  }
})

test('readPrivateFile() refuses a link, wherever it leads', onlyPosix, () => {
  const target = fileOf(0o600)
  const link = join(scratch(), 'key')
  symlinkSync(target, link)
  assert.match(refusalOf(link), /it is a symbolic link/)
  const dangling = join(scratch(), 'key')
  symlinkSync(join(scratch(), 'nowhere'), dangling)
  assert.match(refusalOf(dangling), /it is a symbolic link/)
})

test(
  'readPrivateFile() refuses a folder, and a pipe without waiting for its other end',
  onlyPosix,
  () => {
    const folder = join(scratch(), 'key')
    mkdirSync(folder, { mode: 0o700 })
    assert.match(refusalOf(folder), /it is no plain file/)
    const pipe = join(scratch(), 'key')
    execFileSync('mkfifo', ['-m', '600', pipe])
    assert.match(refusalOf(pipe), /it is no plain file/)
  },
)

test("readPrivateFile() refuses another user's file", onlyRoot, () => {
  const path = fileOf(0o600)
  chownSync(path, STRANGER, STRANGER)
  assert.match(refusalOf(path), /it belongs to the user with id 54321, not to 0/)
  assert.match(refusalOf(path, lentFile), /it belongs to the user with id 54321, not to 0/)
})

test(
  "readPrivateFile() of another user takes root's file only when root lends it",
  onlyRoot,
  () => {
    const folder = scratch()
    const path = join(folder, 'key')
    writeFileSync(path, planted)
    chownSync(folder, STRANGER, STRANGER)
    // What an access list looks like that lets one user read; here the group does.
    chmodSync(path, 0o440)
    process.seteuid?.(STRANGER)
    try {
      assert.match(refusalOf(path), /it belongs to the user with id 0, not to 54321/)
      assert.deepEqual(read(path, lentFile), planted)
    } finally {
      process.seteuid?.(0)
    }
  },
)

test('readPrivateFile() changes nothing about the file', onlyPosix, () => {
  const path = fileOf(0o644)
  linkSync(path, `${path}-too`)
  refusalOf(path)
  assert.equal(statSync(path).mode & 0o777, 0o644)
  assert.deepEqual(new Uint8Array(readFileSync(path)), planted)
})
