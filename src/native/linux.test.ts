import assert from 'node:assert/strict'
import { constants } from 'node:os'
import { test } from 'node:test'
import { available, missing } from './capability.ts'
import { foreignLibrary, take } from './foreign.suite.ts'
import type { ForeignFunctions } from './foreign.suite.ts'
import type { ForeignLibrary } from './library.ts'
import { openLinux } from './linux.ts'
import type { SystemCalls } from './system-calls.ts'

const { EEXIST, EINTR, EINVAL, ENOSYS, ENOTSOCK, EOPNOTSUPP } = constants.errno

function open(functions: ForeignFunctions, kernel = '6.8.0-45-generic'): SystemCalls {
  return openLinux(foreignLibrary(functions), kernel)
}

const kernels = [
  ['4.18.0-553.el8_10.x86_64', 'missing'],
  ['5.7.19', 'missing'],
  ['5.8.0', 'available'],
  ['5.15.0-1-generic', 'available'],
  ['6.1', 'available'],
  ['10.0.1', 'available'],
  ['unheard of', 'missing'],
] as const

for (const [kernel, kind] of kernels) {
  test(`openLinux() on kernel ${kernel}: syncfs counts as ${kind}`, () => {
    assert.equal(open({ syncfs: () => 0 }, kernel).syncFileSystem.kind, kind)
  })
}

test('openLinux() without a C library has nothing, each for that reason', () => {
  const calls: SystemCalls = openLinux(missing('a test'), '6.8.0')
  for (const capability of Object.values(calls)) {
    assert.deepEqual(capability, { kind: 'missing', reason: 'a test' })
  }
})

test('openLinux() misses what an old C library lacks, and has the rest', () => {
  const calls = open({ fallocate: () => 0 })
  assert.equal(take(calls.allocate)(3, { offset: 0, length: 1, keepSize: true }), 'allocated')
  assert.deepEqual(calls.renameNoReplace, {
    kind: 'missing',
    reason: 'libtest.so has no renameat2',
  })
})

test('fallocate keeps its offsets of 64 bits and is tried again after a signal', () => {
  const calls: unknown[] = []
  const fallocate64 = (...values: readonly unknown[]): number => {
    calls.push(values)
    return calls.length === 1 ? -EINTR : 0
  }
  const { allocate } = open({ fallocate64, fallocate: () => -ENOSYS })
  const room = { offset: 2 ** 40, length: 2 ** 41, keepSize: false }
  assert.equal(take(allocate)(7, room), 'allocated')
  assert.deepEqual(calls, [
    [7, 0, 2 ** 40, 2 ** 41],
    [7, 0, 2 ** 40, 2 ** 41],
  ])
})

for (const [number, name] of [
  [EINVAL, 'EINVAL, which stands for unknown flags'],
  [ENOSYS, 'ENOSYS'],
  [EOPNOTSUPP, 'EOPNOTSUPP'],
] as const) {
  test(`renameat2 that fails with ${name} is unsupported`, () => {
    const rename = take(open({ renameat2: () => -number }).renameNoReplace)
    assert.equal(rename('from', 'to'), 'unsupported')
  })
}

test('renameat2 that fails otherwise throws', () => {
  const rename = take(open({ renameat2: () => -EEXIST }).renameNoReplace)
  assert.throws(() => rename('from', 'to'), {
    code: 'EEXIST',
    syscall: 'renameat2',
    message: 'Cannot rename from to to: file already exists',
  })
})

test('What runs in the background never runs on this thread', async () => {
  const calls: unknown[] = []
  const library = available<ForeignLibrary>({
    name: 'libtest.so',
    declare: (name) =>
      available({
        call: () => assert.fail(`${name} on this thread`),
        callAsync: async (...values) => calls.push([name, ...values]),
      }),
  })
  const { syncFileSystem, startWriteback } = openLinux(library, '6.8.0')
  await take(syncFileSystem).inBackground(3)
  await take(startWriteback).inBackground(3, 4096, 8192)
  assert.deepEqual(calls, [
    ['syncfs', 3],
    ['sync_file_range', 3, 4096, 8192, 2],
  ])
})

const NOBODY_THERE = 0xffff_ffff

const peers = [
  ['a process of our own namespace', [77, 1000, 100], 12, { pid: 77, uid: 1000, gid: 100 }],
  ['a process that our namespace hides', [0, 1000, 100], 12, { uid: 1000, gid: 100 }],
  ['nobody', [0, NOBODY_THERE, NOBODY_THERE], 12, undefined],
  ['another option of 4 bytes', [1, 0, 0], 4, undefined],
] as const

/** A getsockopt that fills in this much of a `struct ucred`. */
function answerPeer(ucred: ArrayLike<number>, bytes: number): ForeignFunctions[string] {
  return (fd, level, _option, value, length) => {
    assert.deepEqual([fd, level], [9, 1])
    assert.ok(value instanceof Uint32Array && length instanceof Uint32Array)
    assert.equal(length[0], value.byteLength)
    value.set(ucred)
    length[0] = bytes
    return 0
  }
}

for (const [what, ucred, bytes, expected] of peers) {
  test(`SO_PEERCRED that tells of ${what} is read as such`, () => {
    const getsockopt = answerPeer(ucred, bytes)
    assert.deepEqual(take(open({ getsockopt }).peerCredentials)(9), expected)
  })
}

test('SO_PEERCRED that fails tells of nobody', () => {
  const peer = take(open({ getsockopt: () => -ENOTSOCK }).peerCredentials)
  assert.equal(peer(9), undefined)
})
