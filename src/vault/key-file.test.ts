import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { refuses } from '../engine/ports/vault.suite.ts'
import { nodeDisk, type KeyDisk } from './key-disk.ts'
import { LONGEST_KEY_FILE, encodeKeys } from './key-file-format.ts'
import { KeyFile } from './key-file.ts'
import { idsOf, masterKey, scratchFolders } from './scratch.suite.ts'

const scratch = scratchFolders()
const onlyPosix = { skip: process.platform === 'win32' ? 'Windows has no modes' : false }

const [first, second] = [masterKey(1), masterKey(2)]

/** A disk on which one call fails. */
function failing(call: keyof KeyDisk, code: string): KeyDisk {
  const fail = () => {
    throw Object.assign(new Error(`${code}: refused`), { code, syscall: call })
  }
  return { ...nodeDisk, [call]: fail }
}

test('KeyFile gives back what was written, and nothing before that', () => {
  const path = join(scratch(), 'master.key')
  const file = new KeyFile(path)
  assert.deepEqual(file.read(), [])
  file.write([first])
  assert.deepEqual(idsOf(file.read()), [first.id])
  file.write([first, second])
  assert.deepEqual(idsOf(new KeyFile(path).read()), [first.id, second.id])
  file.write([])
  assert.equal(existsSync(path), false)
  assert.deepEqual(new KeyFile(path).read(), [])
})

test(
  'KeyFile makes a file of mode 0600 whatever the mask, and leaves none beside it',
  onlyPosix,
  () => {
    const path = join(scratch(), 'master.key')
    for (const mask of [0o000, 0o022, 0o277]) {
      const before = process.umask(mask)
      try {
        const file = new KeyFile(path)
        file.read()
        file.write([first])
      } finally {
        process.umask(before)
      }
      assert.equal(statSync(path).mode & 0o777, 0o600)
      assert.deepEqual(readdirSync(join(path, '..')), ['master.key'])
    }
  },
)

test('KeyFile refuses a file that others can read, and a link (N132)', onlyPosix, () => {
  const path = join(scratch(), 'master.key')
  writeFileSync(path, encodeKeys([first]))
  chmodSync(path, 0o640)
  refuses(() => new KeyFile(path).read(), 'ERR_VAULT_KEY_REFUSED')
  chmodSync(path, 0o600)
  assert.deepEqual(idsOf(new KeyFile(path).read()), [first.id])
  const link = join(scratch(), 'master.key')
  symlinkSync(path, link)
  refuses(() => new KeyFile(link).read(), 'ERR_VAULT_KEY_REFUSED')
})

test('KeyFile refuses what is no key, and says what to do', () => {
  const whole = encodeKeys([first])
  const rows: readonly (readonly [Uint8Array, string, RegExp])[] = [
    [new Uint8Array(), 'ERR_VAULT_KEY_DAMAGED', /it is no key file; restore a copy/],
    [new Uint8Array(32).fill(9), 'ERR_VAULT_KEY_DAMAGED', /it is no key file; restore a copy/],
    [whole.subarray(0, -1), 'ERR_VAULT_KEY_DAMAGED', /it is 73 bytes long, not 74/],
    [new Uint8Array(LONGEST_KEY_FILE * 2), 'ERR_VAULT_KEY_DAMAGED', /it is no key file/],
    [whole.with(20, 0), 'ERR_VAULT_KEY_DAMAGED', /its checksum is wrong/],
    [whole.with(8, 9), 'ERR_VAULT_NEWER', /a newer version wrote it \(9\)/],
  ]
  for (const [bytes, code, message] of rows) {
    const path = join(scratch(), 'master.key')
    writeFileSync(path, bytes, { mode: 0o600 })
    const refusal = refuses(() => new KeyFile(path).read())
    assert.equal(refusal.code, code)
    assert.match(refusal.message, message)
    assert(refusal.message.startsWith(`Cannot use the key file ${path}: `), refusal.message)
    assert.deepEqual(new Uint8Array(readFileSync(path)), bytes)
  }
})

test('KeyFile removes what a crash left beside it, unread', () => {
  const path = join(scratch(), 'master.key')
  writeFileSync(`${path}.new`, encodeKeys([second]), { mode: 0o600 })
  const file = new KeyFile(path)
  assert.deepEqual(file.read(), [])
  assert.equal(existsSync(`${path}.new`), false)
  file.write([first])
  assert.deepEqual(idsOf(file.read()), [first.id])
})

test('KeyFile never takes the place of a key that another process made meanwhile', () => {
  const path = join(scratch(), 'master.key')
  const [mine, theirs] = [new KeyFile(path), new KeyFile(path)]
  mine.read()
  theirs.read()
  theirs.write([first])
  refuses(() => mine.write([second]), 'ERR_VAULT_IO')
  assert.deepEqual(idsOf(mine.read()), [first.id])
})

test('KeyFile says what the disk refused to write, and still holds the key it had', () => {
  for (const call of ['create', 'replace', 'syncFolder'] as const) {
    const path = join(scratch(), 'master.key')
    const whole = new KeyFile(path)
    whole.read()
    whole.write([first])
    const file = new KeyFile(path, failing(call, 'EIO'))
    file.read()
    const refusal = refuses(() => file.write([first, second]), 'ERR_VAULT_IO')
    assert.equal(refusal.message, `Cannot write the key file ${path}: EIO: refused`)
    assert.equal(idsOf(new KeyFile(path).read())[0], first.id)
  }
})

test('KeyFile says what the disk refused to remove', () => {
  const file = new KeyFile(join(scratch(), 'master.key'), failing('remove', 'EROFS'))
  assert.match(
    refuses(() => file.read(), 'ERR_VAULT_IO').message,
    /^Cannot read the key file .*EROFS/,
  )
  assert.match(refuses(() => file.write([]), 'ERR_VAULT_IO').message, /^Cannot write the key file/)
})

test('KeyFile says that its folder is missing, and works once it is there', () => {
  const folder = join(scratch(), 'missing')
  const file = new KeyFile(join(folder, 'master.key'))
  assert.deepEqual(file.read(), [])
  assert.match(refuses(() => file.write([first]), 'ERR_VAULT_IO').message, /ENOENT/)
  mkdirSync(folder)
  file.write([first])
  assert.deepEqual(idsOf(file.read()), [first.id])
})
