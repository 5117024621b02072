import assert from 'node:assert/strict'
import { fstatSync, writeSync } from 'node:fs'
import { constants } from 'node:os'
import { test } from 'node:test'
import { openDarwin } from './darwin.ts'
import { foreignLibrary, take } from './foreign.suite.ts'
import type { ForeignFunctions } from './foreign.suite.ts'
import { scratchFile, scratchFolder } from './scratch.suite.ts'

const { EEXIST, EINVAL, ENOSPC, ENOTCONN, ENOTSUP } = constants.errno
const MIB = 1024 * 1024

function open(functions: ForeignFunctions): ReturnType<typeof openDarwin> {
  return openDarwin(foreignLibrary(functions))
}

const getpeereid: ForeignFunctions[string] = (fd, uid, gid) => {
  assert.equal(fd, 9)
  assert.ok(uid instanceof Uint32Array && gid instanceof Uint32Array)
  uid[0] = 501
  gid[0] = 20
  return 0
}

const getsockopt: ForeignFunctions[string] = (fd, level, option, value, length) => {
  assert.deepEqual([fd, level, option], [9, 0, 2])
  assert.ok(value instanceof Uint32Array && length instanceof Uint32Array)
  assert.equal(length[0], 4)
  value[0] = 77
  return 0
}

test('getpeereid and LOCAL_PEERPID together tell user, group and process', () => {
  const peer = take(open({ getpeereid, getsockopt }).peerCredentials)
  assert.deepEqual(peer(9), { pid: 77, uid: 501, gid: 20 })
})

test('getpeereid alone tells user and group', () => {
  const refused = take(open({ getpeereid, getsockopt: () => -ENOTCONN }).peerCredentials)
  assert.deepEqual(refused(9), { uid: 501, gid: 20 })
  assert.deepEqual(take(open({ getpeereid }).peerCredentials)(9), { uid: 501, gid: 20 })
})

test('getpeereid that fails tells of nobody', () => {
  const peer = take(open({ getpeereid: () => -ENOTCONN }).peerCredentials)
  assert.equal(peer(9), undefined)
})

test('F_PREALLOCATE is given a struct fstore with what is missing at the end', (t) => {
  const fd = scratchFile(t, scratchFolder(t))
  writeSync(fd, Buffer.alloc(MIB, 1))
  const held = fstatSync(fd).blocks * 512
  const given: bigint[] = []
  const fcntl: ForeignFunctions[string] = (descriptor, command, type, store) => {
    assert.deepEqual([descriptor, command, type], [fd, 42, 'void *'])
    assert.ok(store instanceof Uint8Array && store.length === 32)
    const view = new DataView(store.buffer)
    assert.deepEqual([view.getUint32(0, true), view.getInt32(4, true)], [4, 3])
    given.push(view.getBigInt64(8, true), view.getBigInt64(16, true), view.getBigInt64(24, true))
    return 0
  }
  const allocate = take(open({ fcntl }).allocate)
  assert.equal(allocate(fd, { offset: MIB, length: 2 * MIB, keepSize: true }), 'allocated')
  assert.deepEqual(given, [0n, BigInt(3 * MIB - held), 0n])
  assert.equal(fstatSync(fd).size, MIB)
  assert.equal(allocate(fd, { offset: MIB, length: 2 * MIB, keepSize: false }), 'allocated')
  assert.equal(fstatSync(fd).size, 3 * MIB)
})

test('F_PREALLOCATE is not called for what the file holds', (t) => {
  const fd = scratchFile(t, scratchFolder(t))
  writeSync(fd, Buffer.alloc(MIB, 1))
  const allocate = take(open({ fcntl: () => -ENOSPC }).allocate)
  assert.equal(allocate(fd, { offset: 0, length: 4096, keepSize: true }), 'allocated')
})

test('F_PREALLOCATE that fails is unsupported or throws, and the length stays', (t) => {
  const fd = scratchFile(t, scratchFolder(t))
  const room = { offset: 0, length: MIB, keepSize: false }
  assert.equal(take(open({ fcntl: () => -ENOTSUP }).allocate)(fd, room), 'unsupported')
  assert.throws(() => take(open({ fcntl: () => -ENOSPC }).allocate)(fd, room), {
    code: 'ENOSPC',
    syscall: 'fcntl',
  })
  assert.equal(fstatSync(fd).size, 0)
})

test('renamex_np is told to exclude, and what it says is passed on', () => {
  const said: unknown[] = []
  const results = [0, -ENOTSUP, -EINVAL, -EEXIST]
  const rename = take(
    open({
      renamex_np: (...values) => {
        said.push(values)
        return results.shift() ?? 0
      },
    }).renameNoReplace,
  )
  assert.equal(rename('from', 'to'), 'renamed')
  assert.equal(rename('from', 'to'), 'unsupported')
  assert.equal(rename('from', 'to'), 'unsupported')
  assert.throws(() => rename('from', 'to'), { code: 'EEXIST', syscall: 'renamex_np' })
  assert.deepEqual(said[0], ['from', 'to', 4])
})

test('openDarwin() says why nothing syncs one file system', () => {
  const { syncFileSystem, startWriteback } = open({})
  assert.equal(syncFileSystem.kind, 'missing')
  assert.equal(startWriteback.kind, 'missing')
})
