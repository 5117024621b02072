import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { FailureError } from '../job/failure.ts'
import { describeTarget, parseTarget } from './target.ts'

const targets = [
  {
    url: 'http://example.org',
    is: ['http', 'example.org', 80, 'example.org', '/'],
    because: 'an empty path is sent as a slash (RFC 9112 §3.2.1)',
  },
  {
    url: 'HTTPS://Example.ORG:443/a?b=c#d',
    is: ['https', 'example.org', 443, 'example.org', '/a?b=c'],
    because: 'the default port is left out of Host, the fragment out of everything',
  },
  {
    url: 'http://[::1]:8080/x',
    is: ['http', '::1', 8080, '[::1]:8080', '/x'],
    because: 'sockets take IPv6 without brackets, Host with them',
  },
  {
    url: 'http://user:secret@example.org/x',
    is: ['http', 'example.org', 80, 'example.org', '/x'],
    because: 'user information is nobody else’s business',
  },
  {
    url: 'http://example.org/ä b',
    is: ['http', 'example.org', 80, 'example.org', '/%C3%A4%20b'],
    because: 'a request line is ASCII without blanks',
  },
] as const

for (const { url, is, because } of targets) {
  test(`parseTarget() takes ${url} apart: ${because}`, () => {
    const { scheme, host, port, authority, path, url: whole } = parseTarget(url)
    assert.deepEqual([scheme, host, port, authority, path], is)
    assert.equal(whole, `${scheme}://${authority}${path}`)
  })
}

const refused = [
  ['not a URL', 'ERROR_WINHTTP_INVALID_URL'],
  ['http://user:secret@', 'ERROR_WINHTTP_INVALID_URL'],
  ['http://example.org:99999/', 'ERROR_WINHTTP_INVALID_URL'],
  ['file:///etc/passwd', 'ERROR_WINHTTP_UNRECOGNIZED_SCHEME'],
  ['ftp://user:secret@example.org/', 'ERROR_WINHTTP_UNRECOGNIZED_SCHEME'],
] as const

for (const [url, symbol] of refused) {
  test(`parseTarget() refuses ${url} for good, and does not repeat it`, () => {
    assert.throws(
      () => parseTarget(url),
      (error) =>
        error instanceof FailureError &&
        error.failure.symbol === symbol &&
        error.failure.severity === 'fatal' &&
        !error.message.includes('secret'),
    )
  })
}

test('describeTarget() leaves the query out: it may hold a secret', () => {
  const target = parseTarget('https://user:pw@example.org/a/b?token=secret')
  assert.equal(describeTarget(target), 'https://example.org/a/b')
})

const atoms = ['a', 'B', '0', '.', '..', '/', '//', '-', '_', '~', '%2e', '%', '?', '#', '\\', ' ', ':', '@', ';', '|', '^', '{', '\t', 'ä', '&', "'", '"'] // prettier-ignore
const places = ['http://a.test', 'http://a.test:80', 'http://a.test:8080', 'https://a.test', 'http://a.tests', 'http://u:p@a.test', 'HTTP://a.test'] // prettier-ignore

test('parseTarget() says of any URL what it says of it at first', () => {
  const paths = fc.array(fc.constantFrom(...atoms), { maxLength: 8 })
  fc.assert(
    fc.property(fc.constantFrom(...places), paths, (place, path) => {
      const text = `${place}${path.join('')}`
      const url = URL.parse(text)
      fc.pre(url !== null)
      parseTarget('http://a.test/')
      const { url: whole, origin, authority, path: asked } = parseTarget(text)
      const found = [whole, origin, authority, asked]
      const expected = `${url.pathname}${url.search}`
      assert.deepEqual(found, [`${url.origin}${expected}`, url.origin, url.host, expected])
    }),
    { numRuns: 2_000 },
  )
})
