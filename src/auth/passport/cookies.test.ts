import assert from 'node:assert/strict'
import { test } from 'node:test'

import { array, assert as check, constantFrom, property, string } from 'fast-check'

import { CookieJar } from './cookies.ts'

const now = Date.UTC(2026, 0, 1)

/** What the second URL gets of what the first one set. */
function carried(from: string, to: string, ...lines: readonly string[]): string | undefined {
  const jar = new CookieJar()
  const fields = lines.map((line) => ['Set-Cookie', line] as const)
  jar.store(new URL(from), fields, now)
  return jar.format(new URL(to), now)
}

test('CookieJar gives cookies back to whom they belong (RFC 6265 §5.3, §5.4)', () => {
  const host = 'https://a.example/d/e'
  for (const [why, to, lines, expected] of [
    ['the same host', 'https://a.example/d/', ['n=v'], 'n=v'],
    ['another host', 'https://b.example/d/', ['n=v'], undefined],
    ['a host below', 'https://x.a.example/d/', ['n=v'], undefined],
    ['the directory of the path', 'https://a.example/x', ['n=v'], undefined],
    ['a path', 'https://a.example/x/y', ['n=v; Path=/x'], 'n=v'],
    ['no path, but a prefix of one', 'https://a.example/xy', ['n=v; Path=/x'], undefined],
    ['a domain', 'https://b.example.org/', ['n=v; Domain=example.org; Path=/'], undefined],
    ['its own domain', 'https://x.a.example/', ['n=v; Domain=.A.example; Path=/'], undefined],
    ['secure', 'http://a.example/d/', ['n=v; Secure'], undefined],
    [
      'two, the longer path first',
      'https://a.example/d/',
      ['n=v; Path=/', 'm=w; Path=/d'],
      'm=w; n=v',
    ],
    ['one that is replaced', 'https://a.example/d/', ['n=v', 'n=w'], 'n=w'],
    ['one that ended', 'https://a.example/d/', ['n=v', 'n=; Max-Age=0'], undefined],
    ['one that ends later', 'https://a.example/d/', ['n=v; Max-Age=9'], 'n=v'],
    [
      'a date in the past',
      'https://a.example/d/',
      ['n=v; Expires=Thu, 01 Jan 1970 00:00:00 GMT'],
      undefined,
    ],
    [
      'a date in the future',
      'https://a.example/d/',
      ['n=v; Expires=Fri, 01 Jan 2100 00:00:00 GMT'],
      'n=v',
    ],
    ['an equals sign in the value', 'https://a.example/d/', ['n=v=w'], 'n=v=w'],
    ['no name', 'https://a.example/d/', ['=v', 'v', ''], undefined],
    ['a control character', 'https://a.example/d/', ['n=v\u0001'], undefined],
    ['absurd length', 'https://a.example/d/', [`n=${'v'.repeat(5000)}`], undefined],
  ] as const) {
    assert.equal(carried(host, to, ...lines), expected, why)
  }
})

test('CookieJar shares a cookie in the domain of the host that set it, and in no larger one', () => {
  for (const [domain, to, expected] of [
    ['live.example', 'https://login.live.example/', 'n=v'],
    ['live.example', 'https://live.example/', 'n=v'],
    ['live.example', 'https://evil-live.example/', undefined],
    ['example', 'https://login.live.example/', undefined],
    ['other.example', 'https://other.example/', undefined],
  ] as const) {
    const from = 'https://www.live.example/'
    assert.equal(carried(from, to, `n=v; Domain=${domain}`), expected, domain)
  }
})

test('CookieJar forgets cookies when their time is over, and all of them when told to', () => {
  const jar = new CookieJar()
  const url = new URL('https://h/')
  jar.store(url, [['set-cookie', 'n=v; Max-Age=10']], now)
  assert.equal(jar.format(url, now + 9999), 'n=v')
  assert.equal(jar.format(url, now + 10_000), undefined)
  jar.clear()
  assert.equal(jar.format(url, now), undefined)
})

test('CookieJar keeps so many cookies and no more', () => {
  const lines = Array.from({ length: 200 }, (_, index) => `n${index}=v`)
  assert.equal(carried('https://h/', 'https://h/', ...lines)?.split('; ').length, 50)
})

test('CookieJar sends nothing that cannot stand in a field, whatever it was given', () => {
  const line = string({
    unit: constantFrom(
      'a',
      'b',
      '=',
      ';',
      ' ',
      '\r',
      '\n',
      '\t',
      '\0',
      '\u00e9',
      '\u20ac',
      'Path=/',
    ),
  })
  check(
    property(array(line), (lines) => {
      assert.doesNotMatch(carried('https://h/', 'https://h/', ...lines) ?? '', /[^\x20-\xff]/)
    }),
  )
})
