import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FailureError } from '../job/failure.ts'
import type { RedirectPolicy } from '../job/job.ts'
import { Fields } from '../wire/fields.ts'
import { DisallowedRedirectError, Hops, isRedirect, MAXIMUM_REDIRECTS } from './redirect.ts'
import { parseTarget } from './target.ts'

const silent: RedirectPolicy = { follow: 'silent', allowHttpsToHttp: false }

function hop(from: string, location: readonly string[], policy = silent): string {
  const first = parseTarget(from)
  const fields = new Fields(location.map((value) => ['Location', value] as const))
  return new Hops(first, policy).next(first, 302, fields).url
}

const followed = [
  ['http://a.test/x/y', 'z', 'http://a.test/x/z', 'relative to the path'],
  ['http://a.test/x/y', '/z?q', 'http://a.test/z?q', 'relative to the origin'],
  ['http://a.test/x', '//b.test/z', 'http://b.test/z', 'relative to the scheme'],
  ['http://a.test/x', 'https://b.test/', 'https://b.test/', 'to TLS'],
  ['http://a.test/x', 'http://b.test/#part', 'http://b.test/', 'without its fragment'],
  ['http://a.test/x', 'http://u:p@b.test/', 'http://b.test/', 'without its user information'],
  ['http://a.test/x', '/\xc3\xa4', 'http://a.test/%C3%A4', 'with octets that are not ASCII'],
] as const

for (const [from, location, to, what] of followed) {
  test(`Hops.next() follows ${location} from ${from}: ${what}`, () => {
    assert.equal(hop(from, [location]), to)
  })
}

test('Hops.next() takes the same Location said twice for one', () => {
  assert.equal(hop('http://a.test/', ['/b', '/b']), 'http://a.test/b')
})

const refused = [
  { location: [], symbol: 'BG_E_INVALID_SERVER_RESPONSE', because: 'there is none' },
  { location: [''], symbol: 'BG_E_INVALID_SERVER_RESPONSE', because: 'it is empty' },
  { location: ['/a', '/b'], symbol: 'BG_E_INVALID_SERVER_RESPONSE', because: 'there are two' },
  { location: ['http://['], symbol: 'BG_E_INVALID_SERVER_RESPONSE', because: 'it is no URL' },
  { location: ['file:///x'], symbol: 'ERROR_WINHTTP_REDIRECT_FAILED', because: 'it is a file' },
  { location: ['ftp://b/x'], symbol: 'ERROR_WINHTTP_REDIRECT_FAILED', because: 'it is FTP' },
  { location: ['http://b.test/'], symbol: 'ERROR_WINHTTP_REDIRECT_FAILED', because: 'TLS ends' },
  { location: ['#x'], symbol: 'ERROR_WINHTTP_REDIRECT_FAILED', because: 'it is the same place' },
] as const

for (const { location, symbol, because } of refused) {
  test(`Hops.next() refuses [${location.join(' ')}] from https for good: ${because}`, () => {
    assert.throws(
      () => hop('https://a.test/', location),
      (error) =>
        error instanceof FailureError &&
        error.failure.symbol === symbol &&
        error.failure.severity === 'fatal',
    )
  })
}

test('Hops.next() leaves TLS where the job allows it', () => {
  const policy = { follow: 'silent', allowHttpsToHttp: true } as const
  assert.equal(hop('https://a.test/', ['http://b.test/'], policy), 'http://b.test/')
})

for (const status of [301, 302, 303, 307, 308]) {
  test(`Hops.next() makes a fatal error of ${status} where redirects are not allowed`, () => {
    const first = parseTarget('http://a.test/')
    const hops = new Hops(first, { follow: 'disallow', allowHttpsToHttp: false })
    assert.throws(
      () => hops.next(first, status, new Fields([['Location', '/b']])),
      (error) =>
        error instanceof FailureError &&
        error.failure.symbol === `BG_E_HTTP_ERROR_${status}` &&
        error.failure.severity === 'fatal',
    )
  })
}

for (const [location, place] of [
  ['/b#c', 'http://a.test/b'],
  ['http://user:word@b.test/', 'http://b.test/'],
  ['ftp://b.test/', undefined],
  [undefined, undefined],
] as const) {
  test(`Hops.next() tells that ${location ?? 'nothing'} leads to ${place ?? 'no place'} where redirects are not allowed`, () => {
    const first = parseTarget('http://a.test/')
    const hops = new Hops(first, { follow: 'disallow', allowHttpsToHttp: false })
    const fields = new Fields(location === undefined ? [] : [['Location', location]])
    assert.throws(
      () => hops.next(first, 302, fields),
      (error) => error instanceof DisallowedRedirectError && error.location === place,
    )
  })
}

test(`Hops.next() follows ${MAXIMUM_REDIRECTS} hops and not one more`, () => {
  const first = parseTarget('http://a.test/0')
  const hops = new Hops(first, silent)
  let target = first
  for (let hop = 1; hop <= MAXIMUM_REDIRECTS; hop++) {
    target = hops.next(target, 302, new Fields([['Location', `/${hop}`]]))
  }
  assert.equal(target.path, `/${MAXIMUM_REDIRECTS}`)
  assert.throws(() => hops.next(target, 302, new Fields([['Location', '/more']])), {
    code: 'ERROR_WINHTTP_REDIRECT_FAILED',
  })
})

test('Hops.next() sees a circle of any length', () => {
  const first = parseTarget('http://a.test/1')
  const hops = new Hops(first, silent)
  const second = hops.next(first, 302, new Fields([['Location', '/2']]))
  const third = hops.next(second, 302, new Fields([['Location', '/3']]))
  assert.throws(() => hops.next(third, 302, new Fields([['Location', '/1']])), {
    code: 'ERROR_WINHTTP_REDIRECT_FAILED',
  })
})

const redirects = [
  ['GET', 301, true],
  ['HEAD', 308, true],
  ['GET', 300, false],
  ['GET', 304, false],
  ['GET', 305, false],
  ['POST', 307, false],
  ['GET', 200, false],
] as const

for (const [method, status, is] of redirects) {
  test(`isRedirect() ${is ? 'follows' : 'does not follow'} ${status} to ${method}`, () => {
    assert.equal(isRedirect(method, status), is)
  })
}
