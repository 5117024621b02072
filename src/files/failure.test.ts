import assert from 'node:assert/strict'
import { openSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { failure, FailureError } from '../job/failure.ts'
import { failureOf, temporaryFolder } from './disks.suite.ts'
import { diskFullError, fileError, fileFailure, freeSpace } from './failure.ts'

/** An error as the system calls of Node throw it. */
function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: something, write`), { code, syscall: 'write' })
}

const codes = [
  ['ENOSPC', 'ERROR_DISK_FULL', 'transient', 'space'],
  ['EDQUOT', 'ERROR_DISK_QUOTA_EXCEEDED', 'transient', 'space'],
  ['EACCES', 'E_ACCESSDENIED', 'fatal', 'retry'],
  ['EPERM', 'E_ACCESSDENIED', 'fatal', 'retry'],
  ['EROFS', 'ERROR_WRITE_PROTECT', 'fatal', 'retry'],
  ['ENOENT', 'ERROR_PATH_NOT_FOUND', 'fatal', 'retry'],
  ['ENOTDIR', 'ERROR_PATH_NOT_FOUND', 'fatal', 'retry'],
  ['EISDIR', 'ERROR_ALREADY_EXISTS', 'fatal', 'retry'],
  ['EEXIST', 'ERROR_FILE_EXISTS', 'fatal', 'retry'],
  ['ENAMETOOLONG', 'ERROR_FILENAME_EXCED_RANGE', 'fatal', 'retry'],
  ['EXDEV', 'ERROR_NOT_SUPPORTED', 'fatal', 'retry'],
  ['EFBIG', 'ERROR_NOT_SUPPORTED', 'fatal', 'retry'],
  ['EIO', 'E_FAIL', 'fatal', 'retry'],
  ['EMFILE', 'E_OUTOFMEMORY', 'transient', 'retry'],
  ['ENFILE', 'E_OUTOFMEMORY', 'transient', 'retry'],
  ['EBUSY', 'ERROR_SHARING_VIOLATION', 'transient', 'retry'],
  ['ETXTBSY', 'ERROR_SHARING_VIOLATION', 'transient', 'retry'],
  ['ESTALE', 'ERROR_NETNAME_DELETED', 'transient', 'retry'],
  ['ENOTCONN', 'ERROR_NETNAME_DELETED', 'transient', 'retry'],
  ['EUCLEAN', 'E_FAIL', 'fatal', 'retry'],
] as const

for (const [code, symbol, severity, waitsFor] of codes) {
  test(`fileFailure() makes ${symbol} of ${code}, ${severity}`, () => {
    const found = fileFailure(systemError(code), '/data/x.iso')
    assert.deepEqual(
      [found?.symbol, found?.severity, found?.waitsFor, found?.context],
      [symbol, severity, waitsFor, 'LOCAL_FILE'],
    )
    assert.match(found?.sentence ?? '', /^Cannot write \/data\/x\.iso: .*[^.]$/)
  })
}

test('fileFailure() names an unknown code in its sentence', () => {
  assert.equal(
    fileFailure(systemError('EUCLEAN'), '/data/x')?.sentence,
    'Cannot write /data/x: the system answers EUCLEAN',
  )
})

test('fileFailure() does not know what is not a system error', () => {
  for (const error of [
    new TypeError('undefined is not a function'),
    Object.assign(new Error('invalid'), { code: 'ERR_INVALID_ARG_TYPE' }),
    Object.assign(new Error('number'), { code: 5 }),
    'ENOSPC',
    undefined,
  ]) {
    assert.equal(fileFailure(error, '/data/x'), undefined)
  }
})

test('fileFailure() passes on a failure that was made already', () => {
  const known = failure('ERROR_FILE_EXISTS', 'LOCAL_FILE', 'Cannot write x: it exists')
  assert.equal(fileFailure(new FailureError(known), '/data/x'), known)
})

test('fileError() keeps the cause, and mistakes of our own as they are', () => {
  const cause = systemError('EIO')
  const error = fileError(cause, '/data/x')
  assert.ok(error instanceof FailureError)
  assert.equal(error.cause, cause)
  const mistake = new RangeError('offset')
  assert.equal(fileError(mistake, '/data/x'), mistake)
})

const figures = [
  [{ needs: 3_200_000_000, free: 1_100_000_000 }, 'the disk is full (needs 3.2 GB, 1.1 GB free)'],
  [{ needs: 512, free: 0 }, 'the disk is full (needs 512 bytes, 0 bytes free)'],
  [{ free: 999_949 }, 'the disk is full (999.9 kB free)'],
  [{ free: 999_951 }, 'the disk is full (1.0 MB free)'],
  [{ needs: 5e15, free: 2e12 }, 'the disk is full (needs 5.0 PB, 2.0 TB free)'],
] as const

for (const [facts, expected] of figures) {
  test(`diskFullError() says ${expected}`, () => {
    const { sentence } = diskFullError('/data/x.iso', facts).failure
    assert.equal(sentence, `Cannot write /data/x.iso: ${expected}`)
  })
}

test('diskFullError() asks the file system what is free when nobody says', (t) => {
  const path = join(temporaryFolder(t), 'x')
  assert.match(
    diskFullError(path, { needs: 1e18 }).failure.sentence,
    /needs 1000\.0 PB, [\d.]+ \w+ free\)$/,
  )
})

test('fileFailure() makes a sentence of a real error', (t) => {
  const path = join(temporaryFolder(t), 'missing', 'x')
  const found = failureOf(() => {
    try {
      openSync(path, 'r+')
    } catch (error) {
      throw fileError(error, path, { attempt: 'Cannot complete' })
    }
  })
  assert.equal(found.sentence, `Cannot complete ${path}: the folder does not exist`)
})

test('freeSpace() is undefined where there is no file system to ask', () => {
  assert.equal(freeSpace('/no/such/folder/x'), undefined)
})
