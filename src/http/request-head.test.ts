import assert from 'node:assert/strict'
import { test } from 'node:test'
import { version } from '../version.ts'
import type { HttpRequest } from './http.ts'
import { requestHead } from './request-head.ts'
import { get } from './servers.suite.ts'
import { parseTarget } from './target.ts'

function head(url: string, more: Partial<HttpRequest> = {}, first = url): readonly string[] {
  const bytes = requestHead(get(url, more), parseTarget(url), parseTarget(first))
  return Buffer.from(bytes).toString('latin1').split('\r\n')
}

test('requestHead() says who we are, and that no coding is wanted', () => {
  assert.deepEqual(head('http://a.test:8080/x?y'), [
    'GET /x?y HTTP/1.1',
    'Host: a.test:8080',
    `User-Agent: Lull/${version}`,
    'Accept: */*',
    'Accept-Encoding: identity',
    '',
    '',
  ])
})

test('requestHead() sends the caller’s headers in order, and his User-Agent instead of ours', () => {
  const headers = [
    ['X-One', '1'],
    ['user-agent', 'mine'],
    ['X-One', '2'],
  ] as const
  assert.deepEqual(head('http://a.test/', { headers }).slice(1, -2), [
    'Host: a.test',
    'Accept: */*',
    'X-One: 1',
    'user-agent: mine',
    'X-One: 2',
    'Accept-Encoding: identity',
  ])
})

test('requestHead() asks for a part, under its condition', () => {
  const lines = head('http://a.test/', { range: 'bytes=5-', ifRange: '"v1"' })
  assert.deepEqual(lines.slice(-4, -2), ['Range: bytes=5-', 'If-Range: "v1"'])
})

test('requestHead() keeps credentials to the origin they were given for', () => {
  const headers = [
    ['Authorization', 'Bearer x'],
    ['cookie', 'a=b'],
    ['Proxy-Authorization', 'Basic x'],
    ['X-Token', 'kept'],
  ] as const
  const names = (url: string): readonly string[] =>
    head(url, { headers }, 'http://a.test/first')
      .slice(1, -2)
      .map((line) => line.split(':')[0] ?? '')
  assert.ok(names('http://a.test/elsewhere').includes('Authorization'))
  for (const url of ['http://b.test/', 'https://a.test/', 'http://a.test:81/']) {
    const sent = names(url)
    assert.deepEqual(sent, ['Host', 'User-Agent', 'Accept', 'X-Token', 'Accept-Encoding'])
  }
})

const reserved = [
  'Host',
  'content-length',
  'Transfer-Encoding',
  'Connection',
  'Keep-Alive',
  'TE',
  'Trailer',
  'Upgrade',
  'Expect',
  'Range',
  'If-Range',
  'Accept-Encoding',
]

for (const name of reserved) {
  test(`requestHead() refuses ${name} from the caller, and does not repeat its value`, () => {
    assert.throws(
      () => head('http://a.test/', { headers: [[name, 'hidden']] }),
      (error) =>
        error instanceof Error &&
        'code' in error &&
        error.code === 'ERR_HTTP_HEADER' &&
        !error.message.includes('hidden'),
    )
  })
}

test('requestHead() refuses a value that would begin another line', () => {
  assert.throws(() => head('http://a.test/', { headers: [['X', 'a\r\nHost: b']] }), {
    code: 'ERR_WIRE_FIELD_VALUE',
  })
})
