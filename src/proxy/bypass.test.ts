import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FailureError } from '../job/failure.ts'
import { matchesGlob, parseBypass } from './bypass.ts'

/** N24 first: list, then URLs that go straight, then URLs that go through a proxy. */
const table: readonly (readonly [
  list: string,
  straight: readonly string[],
  proxied: readonly string[],
  because: string,
])[] = [
  [
    '<local>',
    ['http://intranet/', 'http://[fe80::1]/', 'http://intranet./'],
    ['http://intranet.corp/', 'http://10.1.2.3/', 'http://[2001:db8::1]/'],
    'N20, N24',
  ],
  [
    '*.microsoft.com',
    ['http://www.microsoft.com/', 'http://WWW.Microsoft.COM./'],
    ['http://microsoft.com/', 'http://xmicrosoft.com/'],
    'N20, N24',
  ],
  ['.microsoft.com', ['http://www.microsoft.com/'], ['http://microsoft.com/'], 'N22, N24'],
  ['microsoft.com', ['http://microsoft.com/'], ['http://www.microsoft.com/'], 'N24'],
  ['*int*', ['http://painter/', 'http://internet/'], ['http://other/'], 'N20, N24'],
  [
    'ms* example *test*',
    ['http://msn/', 'http://example/', 'http://atestb/'],
    ['http://xms/'],
    'N20',
  ],
  ['10.*', ['http://10.1.2.3/'], ['http://10x/'], 'N24'],
  ['10.0.0.0/8', ['http://10.1.2.3/'], ['http://ten.example/', 'http://11.1.2.3/'], 'N22, N24'],
  ['[2001:db8::]/32', ['http://[2001:db8:1::5]/'], ['http://[2001:db9::]/'], 'N22'],
  ['10.0.0.0/8', ['http://[::ffff:10.1.2.3]/'], [], 'an address is the same inside IPv6'],
  [
    'https://x.example:8443',
    ['https://x.example:8443/'],
    ['https://x.example/', 'http://x.example:8443/'],
    'N22, N24',
  ],
  ['x.example:80', ['http://x.example/'], ['https://x.example/', 'http://x.example:81/'], 'N22'],
  [
    '',
    [
      'http://localhost/',
      'http://127.9.9.9/',
      'http://a.localhost/',
      'http://[::1]/',
      'http://169.254.169.254/',
      'http://[febf::1]/',
      'http://loopback/',
    ],
    ['http://example/', 'http://[fec0::1]/', 'http://localhost.example/'],
    'N21, N22, N24',
  ],
  ['<-loopback>', [], ['http://localhost/', 'http://127.0.0.1/', 'http://[::1]/'], 'N21, N24'],
  ['<-loopback>;localhost', ['http://localhost/'], ['http://127.0.0.1/'], 'N22 later rules win'],
  ['localhost;<-loopback>', [], ['http://localhost/'], 'N22 later rules win'],
  ['*', ['http://anything.example/', 'http://10.0.0.1/'], [], 'N20'],
  ['a;b,c\td', ['http://a/', 'http://b/', 'http://c/', 'http://d/'], ['http://e/'], 'N10'],
  [
    'bücher.example *.bücher.example',
    ['http://bücher.example/', 'http://x.bücher.example/'],
    [],
    'N23',
  ],
  ['[::1]:8080;<-loopback>;[::1]:9090', ['http://[::1]:9090/'], ['http://[::1]:8080/'], 'N22'],
]

for (const [list, straight, proxied, because] of table) {
  for (const url of straight) {
    test(`parseBypass() sends ${url} straight with ${JSON.stringify(list)} (${because})`, () => {
      assert.notEqual(parseBypass(list).match(new URL(url)), undefined)
    })
  }
  for (const url of proxied) {
    test(`parseBypass() sends ${url} to the proxy with ${JSON.stringify(list)} (${because})`, () => {
      assert.equal(parseBypass(list).match(new URL(url)), undefined)
    })
  }
}

for (const list of [
  '<what>',
  'a:0',
  'a:b',
  '10.0.0.0/33',
  '[::1',
  '[1.2.3.4]',
  'a/b',
  'x'.repeat(65_537),
]) {
  test(`parseBypass() refuses ${JSON.stringify(list.slice(0, 20))} (N2)`, () => {
    assert.throws(
      () => parseBypass(list),
      (error) => error instanceof FailureError && error.code === 'BG_E_INVALID_PROXY_INFO',
    )
  })
}

test('parseBypass() leaves out what it cannot read of a list that a desktop stored, and says so', () => {
  const bypass = parseBypass('a/b good', { isLenient: true })
  assert.equal(bypass.match(new URL('http://good/')), 'good')
  assert.deepEqual(bypass.warnings, ['a/b names no host: left out'])
})

test('parseBypass() takes a wildcard that is not leftmost, and says so (N23)', () => {
  const bypass = parseBypass('aaa.*')
  assert.equal(bypass.match(new URL('http://aaa.example/')), 'aaa.*')
  assert.match(bypass.warnings.join(), /wildcard that is not leftmost/u)
  assert.deepEqual(parseBypass('*.aaa https://*.bbb').warnings, [])
})

test('parseBypass() takes names for domains where a desktop does (N45, N46)', () => {
  for (const list of ['example.com', '.example.com', '*.example.com']) {
    const bypass = parseBypass(list, { names: 'domain' })
    assert.equal(bypass.match(new URL('http://example.com/')), list)
    assert.equal(bypass.match(new URL('http://www.example.com/')), list)
    assert.equal(bypass.match(new URL('http://nexample.com/')), undefined)
  }
})

test('matchesGlob() agrees with the regular expression that a pattern stands for', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 12 })
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 6 })
  fc.assert(
    fc.property(text, pattern, (text, pattern) => {
      const expected = new RegExp(`^${pattern.replaceAll('*', '.*')}$`, 'u').test(text)
      assert.equal(matchesGlob(text, pattern), expected)
    }),
    { numRuns: 1_000 },
  )
})

test('parseBypass() gives rules or the one failure, whatever it reads', () => {
  const piece = fc.constantFrom('<local>', '*', '.', ':', '/', '8', '[', ']', '::', 'a', ' ', '://')
  const urls = ['http://a/', 'https://[::8]:8/', 'http://8.8.8.8/'].map((url) => new URL(url))
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(piece).map((pieces) => pieces.join('')),
      ),
      (text) => {
        for (const url of urls) parseBypass(text, { isLenient: true }).match(url)
        try {
          parseBypass(text)
        } catch (error) {
          if (!(error instanceof FailureError)) throw error
        }
      },
    ),
    { numRuns: 2_000 },
  )
})
