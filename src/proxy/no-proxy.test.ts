import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { matchNoProxy } from './no-proxy.ts'

/** The table of N42, from curl's own unit test: host, then lists that hold it, then lists that do not. */
const table: readonly (readonly [
  host: string,
  holding: readonly string[],
  others: readonly string[],
])[] = [
  [
    'www.example.com',
    [
      'localhost,.example.com,.example.de',
      'localhost,.example.com.,.example.de',
      'localhost,www.example.com.,.example.de',
      'localhost,example.com,.example.de',
      'foo, .example.com',
      '*',
    ],
    ['localhost .example.com .example.de', 'www2.example.com, .example.net', '', '*,', '.'],
  ],
  ['www.example.com.', ['localhost,.example.com,.example.de'], []],
  ['example.com', ['localhost,.example.com,.example.de', '.example.com, .example.net'], []],
  ['nexample.com', [], ['localhost,example.com,.example.de']],
  ['nonexample.com', [], ['.example.com, .example.net']],
  [
    '127.0.0.1',
    [
      '127.0.0.1,localhost',
      '127.0.0.1,localhost,',
      '127.0.0.1/8,localhost,',
      '127.0.0.1/28,localhost,',
      '127.0.0.1/31,localhost,',
      'localhost,127.0.0.1',
    ],
    [],
  ],
  ['localhost', ['localhost,127.0.0.1', '127.0.0.1,localhost'], ['']],
  ['foobar', ['foobar'], ['barfoo']],
  [
    '192.168.0.1',
    [
      '192.168.0.0/16',
      '192.168.0.0/16 ',
      '192.168.0.0/24',
      '192.168.0.1/32',
      '192.168.0.1',
      '192.168.0.1/0',
    ],
    [
      'foobar',
      '192.168.0.0/16a',
      '192.168.0.0/a16',
      '192.168.0.0/ 16',
      '192.168.0.0/32',
      '192.168.0.1/33',
      '192.168.0.0',
      '0.0.0.0/0',
    ],
  ],
  [
    '192.168.1.1',
    ['foo, bar, 192.168.0.0/16'],
    ['192.168.0.0/24', '192.168.0.0/33', 'foo, bar, 192.168.0.0/24'],
  ],
  [
    '::1',
    ['foo, bar, ::1/64', '::1/96', '::1/128', '::1/127 '],
    ['foo, bar, 192.168.0.0/16', '::1/129', '::1/a127', '::1/127a', '::1/ 127'],
  ],
  ['2001:db8:8000::1', [], [65, 66, 67, 68, 69, 70, 71, 72].map((bits) => `2001:db8::/${bits}`)],
  ['2001:db8::1', [65, 66, 67, 68, 69, 70, 71, 72].map((bits) => `2001:db8::/${bits}`), []],
  ['bar', ['foo, bar, ::1/64'], []],
  ['BAr', ['foo, bar, ::1/64', 'foo,,,,,              bar, ::1/64'], []],
]

for (const [host, holding, others] of table) {
  for (const list of holding) {
    test(`matchNoProxy() finds ${host} in ${JSON.stringify(list)} (N41, N42)`, () => {
      assert.notEqual(matchNoProxy(list, host), undefined)
    })
  }
  for (const list of others) {
    test(`matchNoProxy() does not find ${host} in ${JSON.stringify(list)} (N41, N42)`, () => {
      assert.equal(matchNoProxy(list, host), undefined)
    })
  }
}

test('matchNoProxy() finds a name below a domain, wherever the domain stands in the list', () => {
  const label = fc.stringMatching(/^[a-z][a-z\d]{0,8}$/u)
  fc.assert(
    fc.property(
      fc.array(label, { minLength: 1, maxLength: 5 }),
      label,
      label,
      (before, sub, domain) => {
        const list = [...before, `.${domain}`].join(', ')
        assert.notEqual(matchNoProxy(list, `${sub}.${domain}`), undefined)
        assert.notEqual(matchNoProxy(list, domain), undefined)
      },
    ),
  )
})

test('matchNoProxy() answers for every list and host', () => {
  fc.assert(
    fc.property(fc.string(), fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6()), (list, host) => {
      const token = matchNoProxy(list, host)
      assert(token === undefined || list.includes(token))
    }),
  )
})
