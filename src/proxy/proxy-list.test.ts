import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FailureError } from '../job/failure.ts'
import { describeProxy, type Hop } from '../job/route.ts'
import { parseProxyAddress, parseProxyList, proxiesFor } from './proxy-list.ts'

const describe = (hop: Hop): string => (hop === 'direct' ? hop : describeProxy(hop))

function ways(list: string, url: string): readonly string[] {
  return proxiesFor(parseProxyList(list), new URL(url)).map(describe)
}

const socks = (place: string): readonly string[] => [`socks5://${place}`, `socks4://${place}`]

/** N16 first, then what the rules before it say. */
const table: readonly {
  readonly list: string
  readonly http: readonly string[]
  readonly https: readonly string[]
  readonly because: string
}[] = [
  row('N16', 'proxy:8080', ['http://proxy:8080'], ['http://proxy:8080']),
  row('N16', 'http=p1:80 https=p2:443', ['http://p1:80'], ['http://p2:443']),
  row('N16', 'http=http://p1;p3:3128', ['http://p1:80'], ['http://p3:3128']),
  row('N16', 'https=https://p2', [], ['https://p2:443']),
  row('N16', 'socks=s', socks('s:1080'), socks('s:1080')),
  row('N16', '[2001:db8::1]:3128', ['http://[2001:db8::1]:3128'], ['http://[2001:db8::1]:3128']),
  row(
    'N10 any separator',
    'a\tb\r\nc;d,e',
    all('a', 'b', 'c', 'd', 'e'),
    all('a', 'b', 'c', 'd', 'e'),
  ),
  row(
    'N11 how it is spoken to',
    'http=https://p socks=socks4://s',
    ['https://p:443'],
    ['socks4://s:1080'],
  ),
  row('N12 SOCKS before the default', 'socks=s:1 d:2', socks('s:1'), socks('s:1')),
  row('N13 default ports', 'https=http://p http=socks5://s', ['socks5://s:1080'], ['http://p:80']),
  row('N14 several in order', 'http=a http=b', all('a', 'b'), []),
  row(
    'N15 user information is dropped',
    'http://user:p@ss@p:81/',
    ['http://p:81'],
    ['http://p:81'],
  ),
  row('Internet Explorer names other protocols', 'ftp=f:21 http=p', ['http://p:80'], []),
  row('names are those of URLs', 'HTTP=BÜCHER.example:80', ['http://xn--bcher-kva.example:80'], []),
  row('straight, where it is said', 'direct://', ['direct'], ['direct']),
]

function row(
  because: string,
  list: string,
  http: readonly string[],
  https: readonly string[],
): (typeof table)[number] {
  return { because, list, http, https }
}

function all(...names: readonly string[]): readonly string[] {
  return names.map((name) => `http://${name}:80`)
}

for (const { list, http, https, because } of table) {
  test(`parseProxyList() reads ${JSON.stringify(list)} (${because})`, () => {
    assert.deepEqual(ways(list, 'http://h.example/'), http)
    assert.deepEqual(ways(list, 'https://h.example/'), https)
  })
}

// The first six are those of N16.
const invalid =
  'http=|=p|p:port|p:0|p:65536|ftp//x|| ; |what=p|ftp://p|p:80 q:|2001:db8::1|[::1|[::1]80|[p]:80|p/q|direct://p|p:080808|a*b|http=http=p'
    .split('|')
    .concat('x'.repeat(65_537))

for (const list of invalid) {
  test(`parseProxyList() refuses ${JSON.stringify(list.slice(0, 20))} (N2, N16)`, () => {
    assert.throws(
      () => parseProxyList(list),
      (error) => error instanceof FailureError && error.code === 'BG_E_INVALID_PROXY_INFO',
    )
  })
}

test('parseProxyList() shows no entry of a list with user information', () => {
  assert.throws(
    () => parseProxyList('http://user:sec ret@p'),
    (error) => error instanceof FailureError && !/sec|ret@/u.test(error.message),
  )
})

test('parseProxyList() gives valid proxies or the one failure, whatever it reads', () => {
  const piece = fc.constantFrom(
    'http',
    'socks',
    '=',
    '://',
    ':',
    '[',
    ']',
    '@',
    '/',
    'p',
    '80',
    ' ',
    '.',
  )
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(piece).map((pieces) => pieces.join('')),
      ),
      (text) => {
        try {
          for (const hops of Object.values(parseProxyList(text))) {
            for (const hop of hops) {
              if (hop === 'direct') continue
              assert(hop.port >= 1 && hop.port <= 65_535)
              assert.deepEqual(parseProxyAddress(describeProxy(hop)), [hop])
            }
          }
        } catch (error) {
          if (!(error instanceof FailureError)) throw error
        }
      },
    ),
    { numRuns: 2_000 },
  )
})
