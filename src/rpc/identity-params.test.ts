import assert from 'node:assert/strict'
import { test } from 'node:test'
import { JobError } from '../job/failure.ts'
import type { MethodName } from './contract.ts'
import { DecodeError } from './decode.ts'
import { paramDecoders } from './params.ts'

const planted = 'hunter2'
const id = '7f3a'
const pair = { target: 'server', scheme: 'basic' }
const file = { remoteName: 'http://o/', localName: '/x' }

/** How parameters are refused: the code, and a message that shows nothing planted. */
function refusal(method: MethodName, params: unknown): string {
  try {
    paramDecoders[method](params, 'params')
  } catch (error) {
    assert(error instanceof Error)
    assert(!`${error.message} ${error.stack}`.includes(planted), error.message)
    if (error instanceof JobError) return error.code
    assert(error instanceof DecodeError, String(error))
    return error.message
  }
  return 'read'
}

test('no error shows what may be a secret, whatever is wrong with it', () => {
  const rows: readonly [MethodName, unknown, string][] = [
    [
      'job.setCredentials',
      { id, ...pair, credentials: { userName: 'a', password: planted } },
      'read',
    ],
    [
      'job.setCredentials',
      { id, ...pair, target: planted, credentials: {} },
      'BG_E_INVALID_AUTH_TARGET',
    ],
    [
      'job.setCredentials',
      { id, ...pair, scheme: planted, credentials: {} },
      'BG_E_INVALID_AUTH_SCHEME',
    ],
    [
      'job.setCredentials',
      { id, ...pair, credentials: planted },
      'params.credentials: expected an object',
    ],
    [
      'job.setCredentials',
      { id, ...pair, credentials: [planted] },
      'params.credentials: expected an object',
    ],
    [
      'job.setCredentials',
      { id, ...pair, credentials: { userName: planted } },
      'params.credentials.password',
    ],
    [
      'job.setCredentials',
      { id, ...pair, credentials: { userName: 7, password: planted } },
      'params.credentials.userName',
    ],
    [
      'job.setCredentials',
      { id, ...pair, credentials: { user: planted } },
      'params.credentials.user: expected one of userName, password',
    ],
    [
      'job.setCredentials',
      { id, ...pair, credentials: { kind: planted } },
      'params.credentials.kind: expected one of',
    ],
    [
      'job.setCredentials',
      { id, ...pair, credentials: { kind: 'bearer', token: [planted] } },
      'params.credentials.token',
    ],
    [
      'job.setCredentials',
      ['id', 'server', 'basic', planted],
      'params: expected an object, found a list',
    ],
    [
      'job.create',
      { displayName: 'x', credentials: { ...pair, credentials: planted } },
      'expected a list, found an object',
    ],
    [
      'job.create',
      { displayName: 'x', credentials: [{ ...pair, credentials: planted }] },
      'params.credentials[0].credentials',
    ],
    [
      'job.create',
      { displayName: 'x', headers: [`Authorization: ${planted}`] },
      'params.headers[0]: expected a pair',
    ],
    [
      'job.create',
      { displayName: 'x', headers: [['Authorization', 7, planted]] },
      'params.headers[0]: expected a pair',
    ],
    [
      'job.create',
      {
        displayName: 'x',
        files: [{ ...file, remoteName: `http://u:${planted}@o/`.repeat(5_000) }],
      },
      'params.files[0].remoteName',
    ],
    [
      'job.addFiles',
      { id, files: { remoteName: `http://u:${planted}@o/` } },
      'params.files: expected a list, found an object',
    ],
    [
      'job.setClientCertificate',
      { id, certificateFile: '/c', passphrase: { planted } },
      'params.passphrase',
    ],
    ['job.setClientCertificate', { id, passphrase: planted }, 'params: expected certificateFile'],
  ]
  for (const [method, params, expected] of rows) {
    const found = refusal(method, params)
    assert(found.includes(expected), `${expected}: ${found}`)
  }
})

test('a certificate is named in one way', () => {
  const place = { location: 'currentUser', store: 'MY' }
  const rows: readonly [object, boolean][] = [
    [{ certificateFile: '/c' }, true],
    [{ certificateFile: '/c', keyFile: '/k', passphrase: 'p' }, true],
    [{ ...place, hash: 'h' }, true],
    [{ ...place, name: 'n' }, true],
    [{}, false],
    [{ keyFile: '/k' }, false],
    [{ ...place }, false],
    [{ ...place, hash: 'h', name: 'n' }, false],
    [{ ...place, hash: 'h', certificateFile: '/c' }, false],
    [{ ...place, hash: 'h', passphrase: 'p' }, false],
    [{ store: 'MY', hash: 'h' }, false],
  ]
  for (const [certificate, isRead] of rows) {
    const read = refusal('job.setClientCertificate', { id, ...certificate }) === 'read'
    assert.equal(read, isRead, JSON.stringify(certificate))
    const created = refusal('job.create', { displayName: 'x', certificate }) === 'read'
    assert.equal(created, isRead, JSON.stringify(certificate))
  }
  const elsewhere = { id, ...place, location: 'elsewhere', hash: 'h' }
  assert.equal(refusal('job.setClientCertificate', elsewhere), 'E_NOTIMPL')
})

test('proxy settings and tokens are read as they are, and unknown words have their codes', () => {
  const proxy = { usage: 'override', list: 'p', bypass: 'b' }
  assert.deepEqual(paramDecoders['job.setProxySettings']({ id, ...proxy }, 'params'), {
    id,
    ...proxy,
  })
  assert.equal(refusal('job.setProxySettings', { id, usage: 'PRECONFIG' }), 'E_NOTIMPL')
  const token = { kind: 'tickets', cache: 'c' }
  assert.deepEqual(paramDecoders['job.setHelperToken']({ id, token }, 'params'), { id, token })
  const other = refusal('job.setHelperToken', { id, token: { kind: 'bearer', token: planted } })
  assert.match(other, /token\.kind: expected one of tickets, keytab/u)
})
