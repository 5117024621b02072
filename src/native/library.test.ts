import assert from 'node:assert/strict'
import { openSync } from 'node:fs'
import { constants, devNull } from 'node:os'
import { test } from 'node:test'
import { take } from './foreign.suite.ts'
import { declare, openLibrary } from './library.ts'

const name = process.platform === 'darwin' ? 'libSystem.B.dylib' : 'libc.so.6'
const skip = ['linux', 'darwin'].includes(process.platform)
  ? false
  : `no C library is known for ${process.platform}`
const noThreadIds = process.platform === 'linux' ? false : 'threads have numbers on Linux'

test('openLibrary() says why there is no koffi, in one line', () => {
  const opened = openLibrary(['libc.so.6'], () => {
    throw new Error("Cannot find module 'koffi'\nRequire stack:\n- /somewhere")
  })
  assert.deepEqual(opened, {
    kind: 'missing',
    reason: "koffi cannot be loaded: Cannot find module 'koffi'",
  })
})

test('openLibrary() goes on to the next name', { skip }, () => {
  const opened = openLibrary(['libmissing.so.0', name])
  assert.equal(take(opened).name, name)
})

test('openLibrary() names what it looked for', { skip }, () => {
  const opened = openLibrary(['libmissing.so.0', 'libmissing.so.1'])
  assert.match(
    opened.kind === 'missing' ? opened.reason : '',
    /^the C library cannot be opened as libmissing\.so\.0 or libmissing\.so\.1: \S/,
  )
})

test('declare() takes the first function that the library has', { skip }, () => {
  const library = openLibrary([name])
  assert.equal(declare(library, ['no_such_function', 'close'], ['int']).kind, 'available')
  assert.deepEqual(declare(library, ['no_such_function', 'nor_this'], ['int']), {
    kind: 'missing',
    reason: `${name} has no no_such_function and no nor_this`,
  })
})

test('declare() passes on why the library itself is missing', () => {
  assert.deepEqual(declare({ kind: 'missing', reason: 'no disk' }, ['close'], ['int']), {
    kind: 'missing',
    reason: 'no disk',
  })
})

test('ForeignFunction.call() gives the result, or minus the error number', { skip }, () => {
  const close = take(declare(openLibrary([name]), ['close'], ['int']))
  assert.equal(close.call(-1), -constants.errno.EBADF)
  assert.equal(close.call(openSync(devNull, 'r')), 0)
})

test('ForeignFunction.callAsync() gives each call its own error number', { skip }, async () => {
  const library = openLibrary([name])
  const fsync = take(declare(library, ['fsync'], ['int']))
  const mkdir = take(declare(library, ['mkdir'], ['str', 'uint']))
  const results = await Promise.all(
    Array.from({ length: 40 }, (_, index) =>
      index % 2 === 0 ? fsync.callAsync(-1) : mkdir.callAsync('/', 0o700),
    ),
  )
  const { EBADF, EEXIST, EISDIR } = constants.errno
  assert.deepEqual(new Set(results.filter((_, index) => index % 2 === 0)), new Set([-EBADF]))
  // macOS says EISDIR of the root.
  for (const result of results.filter((_, index) => index % 2 === 1)) {
    assert.ok(result === -EEXIST || result === -EISDIR, `mkdir('/') returned ${result}`)
  }
})

test('ForeignFunction.callAsync() calls on another thread', { skip: noThreadIds }, async () => {
  const gettid = take(declare(openLibrary([name]), ['gettid'], []))
  // The main thread of a process on Linux has the number of the process.
  assert.equal(gettid.call(), process.pid)
  assert.notEqual(await gettid.callAsync(), process.pid)
})

test('ForeignFunction.callAsync() rejects when too many calls wait', { skip }, async () => {
  const close = take(declare(openLibrary([name]), ['close'], ['int']))
  const settled = await Promise.allSettled(Array.from({ length: 5000 }, () => close.callAsync(-1)))
  assert.ok(settled.some(({ status }) => status === 'fulfilled'))
  const refused = settled.find(({ status }) => status === 'rejected')
  assert.match(String(refused?.status === 'rejected' && refused.reason), /[Tt]oo many/)
})
