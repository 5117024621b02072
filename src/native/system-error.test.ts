import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { test } from 'node:test'
import { isUnsupported, SystemError, uninterrupted } from './system-error.ts'

const { EINTR, ENOENT, ENOSPC, ENOSYS, ENOTSUP, EOPNOTSUPP } = constants.errno

test('SystemError has the code, number and call of an error of node:fs', () => {
  const error = new SystemError('read the file', 'open', -ENOENT)
  assert.throws(() => readFileSync('/no/such/file'), {
    code: error.code,
    errno: error.errno,
    syscall: error.syscall,
  })
  assert.equal(error.message, 'Cannot read the file: no such file or directory')
})

test('SystemError knows what libuv has no name for', { skip: process.platform === 'win32' }, () => {
  assert.equal(new SystemError('write', 'write', -constants.errno.EDQUOT).code, 'EDQUOT')
})

test('SystemError makes a code of a number that nobody knows', () => {
  assert.equal(new SystemError('write', 'write', -99_999).code, 'E99999')
})

test('isUnsupported() is true for the three ways to say so', () => {
  for (const number of [ENOSYS, ENOTSUP, EOPNOTSUPP]) assert.equal(isUnsupported(-number), true)
  for (const result of [0, -EINTR, -ENOSPC]) assert.equal(isUnsupported(result), false)
})

test('uninterrupted() calls again after a signal, and only then', () => {
  const results = [-EINTR, -EINTR, -ENOSPC, 0]
  assert.equal(
    uninterrupted(() => results.shift() ?? 0),
    -ENOSPC,
  )
  assert.deepEqual(results, [0])
})
