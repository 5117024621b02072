import assert from 'node:assert/strict'
import { writeSync } from 'node:fs'
import { test } from 'node:test'
import { openElsewhere } from './elsewhere.ts'
import { scratchFile, scratchFolder } from './scratch.suite.ts'
import { startWriteback, startWritebackAsync, syncFileSystem, syncFileSystemAsync } from './sync.ts'
import { systemCalls } from './system.ts'

const skip = process.platform === 'linux' ? false : 'only Linux has these calls'
const without = openElsewhere('a test')
const { syncFileSystem: syncfs } = systemCalls()
const skipSync = syncfs.kind === 'missing' ? syncfs.reason : false

test('syncFileSystem() syncs the file system of an open file', { skip: skipSync }, (t) => {
  const fd = scratchFile(t, scratchFolder(t))
  writeSync(fd, 'dirty')
  assert.equal(syncFileSystem(fd), 'synced')
})

test('syncFileSystem() throws for a descriptor that is none', { skip: skipSync }, () => {
  assert.throws(() => syncFileSystem(-1), {
    name: 'SystemError',
    code: 'EBADF',
    syscall: 'syncfs',
    message: 'Cannot sync the file system: bad file descriptor',
  })
})

test(
  'syncFileSystemAsync() rejects with the error of its own call',
  { skip: skipSync },
  async (t) => {
    const fd = scratchFile(t, scratchFolder(t))
    const [good, bad] = await Promise.allSettled([syncFileSystemAsync(fd), syncFileSystemAsync(-1)])
    assert.deepEqual(good, { status: 'fulfilled', value: 'synced' })
    assert.equal(bad.status, 'rejected')
    await assert.rejects(syncFileSystemAsync(-1), { code: 'EBADF', syscall: 'syncfs' })
  },
)

test('startWriteback() begins to write a range', { skip }, (t) => {
  const fd = scratchFile(t, scratchFolder(t))
  writeSync(fd, 'dirty')
  assert.equal(startWriteback(fd, 0, 5), 'started')
  assert.equal(startWriteback(fd, 0, 0), 'started')
})

test('startWriteback() says what is wrong with a range', { skip }, (t) => {
  const fd = scratchFile(t, scratchFolder(t))
  assert.throws(() => startWriteback(fd, -1, 5), {
    code: 'EINVAL',
    syscall: 'sync_file_range',
    message: 'Cannot start writing back 5 bytes at offset -1: invalid argument',
  })
})

test('startWritebackAsync() does as startWriteback()', { skip }, async (t) => {
  const fd = scratchFile(t, scratchFolder(t))
  writeSync(fd, 'dirty')
  assert.equal(await startWritebackAsync(fd, 0, 5), 'started')
  await assert.rejects(startWritebackAsync(-1, 0, 5), { code: 'EBADF' })
})

test('Syncing goes on without native calls, even with a descriptor that is none', async () => {
  assert.equal(syncFileSystem(-1, without), 'unsupported')
  assert.equal(await syncFileSystemAsync(-1, without), 'unsupported')
  assert.equal(startWriteback(-1, 0, 1, without), 'unsupported')
  assert.equal(await startWritebackAsync(-1, 0, 1, without), 'unsupported')
})
