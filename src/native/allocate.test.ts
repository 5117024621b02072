import assert from 'node:assert/strict'
import { fstatSync, readFileSync, writeSync } from 'node:fs'
import { devNull } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { closeSync, openSync } from 'node:fs'
import { allocate } from './allocate.ts'
import { openElsewhere } from './elsewhere.ts'
import { cannotMount, mountScratch, scratchFile, scratchFolder } from './scratch.suite.ts'

const MIB = 1024 * 1024
const knows = process.platform === 'linux' || process.platform === 'darwin'
const skip = knows ? false : `${process.platform} is not asked for room`

test('allocate() reserves room and leaves the length as it was', { skip }, (t) => {
  const fd = scratchFile(t, scratchFolder(t))
  assert.equal(allocate(fd, 0, 3 * MIB), 'allocated')
  const { size, blocks } = fstatSync(fd)
  assert.equal(size, 0)
  assert.ok(blocks * 512 >= 3 * MIB, `${blocks} blocks`)
})

test('allocate() moves the end of the file when asked to', { skip }, (t) => {
  const fd = scratchFile(t, scratchFolder(t))
  assert.equal(allocate(fd, MIB, 2 * MIB, { keepSize: false }), 'allocated')
  assert.equal(fstatSync(fd).size, 3 * MIB)
})

test('allocate() leaves what the file holds, however often it is called', { skip }, (t) => {
  const folder = scratchFolder(t)
  const fd = scratchFile(t, folder)
  writeSync(fd, 'held')
  for (const keepSize of [true, true, false]) allocate(fd, 0, MIB, { keepSize })
  const bytes = readFileSync(join(folder, 'file'))
  assert.equal(bytes.length, MIB)
  assert.equal(bytes.toString('latin1').replace(/\0+$/, ''), 'held')
})

test('allocate() of nothing reserves nothing', { skip }, (t) => {
  const fd = scratchFile(t, scratchFolder(t))
  assert.equal(allocate(fd, 10, 0, { keepSize: false }), 'allocated')
  assert.equal(fstatSync(fd).size, 0)
})

test('allocate() says that the disk is full', { skip: cannotMount }, (t) => {
  const folder = mountScratch(t, 'tmpfs', 'size=1m')
  if (folder === undefined) return
  const fd = scratchFile(t, folder)
  assert.equal(allocate(fd, 0, MIB / 2), 'allocated')
  assert.throws(() => allocate(fd, 0, 4 * MIB), {
    name: 'SystemError',
    code: 'ENOSPC',
    syscall: 'fallocate',
    message: 'Cannot allocate 4194304 bytes at offset 0: no space left on device',
  })
  assert.equal(fstatSync(fd).size, 0)
})

test('allocate() goes on where the file system reserves nothing', { skip: cannotMount }, (t) => {
  const folder = mountScratch(t, 'ramfs', 'mode=700')
  if (folder === undefined) return
  const fd = scratchFile(t, folder)
  assert.equal(allocate(fd, 0, MIB, { keepSize: false }), 'unsupported')
  assert.equal(fstatSync(fd).size, 0)
})

test('allocate() goes on without native calls', (t) => {
  const fd = scratchFile(t, scratchFolder(t))
  const calls = openElsewhere('a test')
  assert.equal(allocate(fd, 0, MIB, { keepSize: false, calls }), 'unsupported')
  assert.equal(fstatSync(fd).size, 0)
})

test('allocate() refuses a descriptor that is none', { skip }, () => {
  assert.throws(() => allocate(-1, 0, 1), { code: 'EBADF' })
})

test(
  'allocate() refuses a file that has no blocks',
  { skip: process.platform !== 'linux' },
  (t) => {
    const fd = openSync(devNull, 'w')
    t.after(() => closeSync(fd))
    assert.throws(() => allocate(fd, 0, 1), { code: 'ENODEV' })
  },
)

const outOfRange = [
  ['an offset below 0', -1, 1],
  ['a length below 0', 0, -1],
  ['a fraction', 0.5, 1],
  ['no number', Number.NaN, 1],
  ['an end beyond safe integers', Number.MAX_SAFE_INTEGER, 1],
] as const

for (const [what, offset, length] of outOfRange) {
  test(`allocate() refuses ${what}`, (t) => {
    const fd = scratchFile(t, scratchFolder(t))
    assert.throws(() => allocate(fd, offset, length), RangeError)
  })
}
