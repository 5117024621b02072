import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LullError, MisuseError, ProtocolError } from '../base/error.ts'
import { failure, FailureError } from '../job/failure.ts'
import { httpFailure, stalled } from './failure.ts'

const url = 'https://user:secret@example.org/a/file?token=secret'
const online = (): boolean => true
const offline = (): boolean => false

function systemError(code: string, syscall = 'connect'): Error {
  return Object.assign(new Error(`${syscall} ${code} secret`), { code, syscall })
}

const cases = [
  {
    error: systemError('ECONNREFUSED'),
    is: ['ERROR_WINHTTP_CANNOT_CONNECT', 'GENERAL_TRANSPORT', 'transient'],
    sentence: 'Cannot connect to example.org port 443: connection refused',
  },
  {
    error: systemError('ENETUNREACH'),
    is: ['ERROR_WINHTTP_CANNOT_CONNECT', 'GENERAL_TRANSPORT', 'transient'],
    sentence: 'Cannot connect to example.org port 443: no way to its network',
  },
  {
    error: systemError('ETIMEDOUT'),
    is: ['ERROR_WINHTTP_TIMEOUT', 'GENERAL_TRANSPORT', 'transient'],
    sentence: 'Cannot connect to example.org port 443: no answer',
  },
  {
    error: systemError('ETIMEDOUT', 'read'),
    is: ['ERROR_WINHTTP_TIMEOUT', 'GENERAL_TRANSPORT', 'transient'],
    sentence: 'Cannot go on with https://example.org/a/file: no answer',
  },
  {
    error: systemError('ENOTFOUND', 'getaddrinfo'),
    is: ['ERROR_WINHTTP_NAME_NOT_RESOLVED', 'REMOTE_FILE', 'transient'],
    sentence: 'Cannot find example.org: the name does not resolve',
  },
  {
    error: systemError('EAI_AGAIN', 'getaddrinfo'),
    is: ['ERROR_WINHTTP_NAME_NOT_RESOLVED', 'REMOTE_FILE', 'transient'],
    sentence: 'Cannot find example.org: the name server does not answer',
  },
  {
    error: systemError('ECONNRESET', 'read'),
    is: ['ERROR_WINHTTP_CONNECTION_ERROR', 'GENERAL_TRANSPORT', 'transient'],
    sentence: 'Cannot go on with https://example.org/a/file: the connection was reset',
  },
  {
    error: systemError('EPIPE', 'write'),
    is: ['ERROR_WINHTTP_CONNECTION_ERROR', 'GENERAL_TRANSPORT', 'transient'],
    sentence: 'Cannot go on with https://example.org/a/file: the server no longer listens',
  },
  {
    error: new AggregateError([systemError('EAFNOSUPPORT'), systemError('ECONNREFUSED')]),
    is: ['ERROR_WINHTTP_CANNOT_CONNECT', 'GENERAL_TRANSPORT', 'transient'],
    sentence: 'Cannot connect to example.org port 443: connection refused',
  },
  {
    error: new AggregateError([systemError('ENETUNREACH'), systemError('ECONNREFUSED')]),
    is: ['ERROR_WINHTTP_CANNOT_CONNECT', 'GENERAL_TRANSPORT', 'transient'],
    sentence: 'Cannot connect to example.org port 443: connection refused',
  },
  {
    error: new ProtocolError('ERR_WIRE_SHORT_BODY', 'Cannot finish a body: …'),
    is: ['ERROR_WINHTTP_CONNECTION_ERROR', 'REMOTE_FILE', 'transient'],
    sentence: 'The answer of https://example.org/a/file is broken: Cannot finish a body: …',
  },
  {
    error: new ProtocolError('ERR_WIRE_HEAD_TOO_LONG', '…'),
    is: ['ERROR_WINHTTP_HEADER_SIZE_OVERFLOW', 'REMOTE_FILE', 'fatal'],
    sentence: 'The answer of https://example.org/a/file is broken: …',
  },
  {
    error: new ProtocolError('ERR_WIRE_TOO_MANY_FIELDS', '…'),
    is: ['ERROR_WINHTTP_HEADER_COUNT_EXCEEDED', 'REMOTE_FILE', 'fatal'],
    sentence: 'The answer of https://example.org/a/file is broken: …',
  },
  {
    error: new ProtocolError('ERR_WIRE_CHUNK_SIZE_TOO_LONG', '…'),
    is: ['ERROR_WINHTTP_CHUNKED_ENCODING_HEADER_SIZE_OVERFLOW', 'REMOTE_FILE', 'fatal'],
    sentence: 'The answer of https://example.org/a/file is broken: …',
  },
  {
    error: new ProtocolError('ERR_WIRE_CONTENT_LENGTH', '…'),
    is: ['BG_E_INVALID_SERVER_RESPONSE', 'REMOTE_FILE', 'fatal'],
    sentence: 'The answer of https://example.org/a/file is broken: …',
  },
  {
    error: new MisuseError('ERR_HTTP_HEADER', 'Cannot send this header for you: Host'),
    is: ['E_INVALIDARG', 'GENERAL_TRANSPORT', 'fatal'],
    sentence: 'Cannot send this header for you: Host',
  },
  {
    error: systemError('ERR_SSL_WRONG_VERSION_NUMBER', 'write'),
    is: ['ERROR_WINHTTP_SECURE_CHANNEL_ERROR', 'GENERAL_TRANSPORT', 'fatal'],
    sentence: 'Cannot connect to example.org securely: it does not speak TLS',
  },
  {
    error: systemError('ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC', 'read'),
    is: ['ERROR_WINHTTP_CONNECTION_ERROR', 'GENERAL_TRANSPORT', 'transient'],
    sentence: 'Cannot go on with example.org: what came was damaged on the way',
  },
  {
    error: systemError('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'read'),
    is: ['ERROR_WINHTTP_CLIENT_AUTH_CERT_NEEDED', 'GENERAL_TRANSPORT', 'fatal'],
    sentence: 'Cannot connect to example.org: it wants a certificate from us',
  },
  {
    error: systemError('CERT_REVOKED', 'connect'),
    is: ['ERROR_WINHTTP_SECURE_CERT_REVOKED', 'GENERAL_TRANSPORT', 'fatal'],
    sentence: 'Cannot trust example.org: its certificate was revoked',
  },
] as const

for (const { error, is, sentence } of cases) {
  const name = 'code' in error ? error.code : error.constructor.name
  test(`httpFailure() makes ${is[0]} of ${name}`, () => {
    const found = httpFailure(error, url, online)
    assert.deepEqual([found?.symbol, found?.context, found?.severity], is)
    assert.equal(found?.sentence, sentence)
    assert.equal(found.waitsFor, 'retry')
  })
}

for (const code of [
  'ENOTFOUND',
  'EAI_AGAIN',
  'EAFNOSUPPORT',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'ENETDOWN',
]) {
  test(`httpFailure() lets ${code} wait for a network where there is none`, () => {
    const found = httpFailure(systemError(code), url, offline)
    assert.equal(found?.symbol, 'BG_E_NETWORK_DISCONNECTED')
    assert.equal(found.severity, 'transient')
    assert.equal(found.waitsFor, 'network')
  })
}

test('httpFailure() does not blame the network for a server that refuses', () => {
  const found = httpFailure(systemError('ECONNREFUSED'), url, offline)
  assert.equal(found?.symbol, 'ERROR_WINHTTP_CANNOT_CONNECT')
})

const others = [
  systemError('ENOSPC', 'write'),
  systemError('EACCES', 'open'),
  systemError('ENOENT', 'open'),
  systemError('EMFILE', 'open'),
  new TypeError('x is not a function'),
  new LullError('ERR_FILES_SOMETHING', '…'),
  new MisuseError('ERR_WIRE_ENDED', '…'),
  'a thrown text',
]

for (const error of others) {
  test(`httpFailure() knows nothing of ${String(error)}`, () => {
    assert.equal(httpFailure(error, url, online), undefined)
  })
}

test('httpFailure() hands on a failure that is one already', () => {
  const known = failure('ERROR_DISK_FULL', 'LOCAL_FILE', 'Full')
  assert.equal(httpFailure(new FailureError(known)), known)
})

test('httpFailure() makes a sentence without a place, too', () => {
  const found = httpFailure(systemError('ECONNREFUSED'), undefined, online)
  assert.equal(found?.sentence, 'Cannot connect to the server: connection refused')
})

test('stalled() says for how long, and at which stage', () => {
  const to = { url: 'http://example.org/a?b', host: 'example.org', port: 80 }
  assert.equal(
    stalled(to, 30_000, false).sentence,
    'Cannot connect to example.org port 80: no answer within 30 s',
  )
  assert.equal(
    stalled(to, 1_500, true).sentence,
    'Cannot go on with http://example.org/a: no byte came for 1.5 s',
  )
})
