import assert from 'node:assert/strict'
import { test } from 'node:test'

import {
  array,
  assert as check,
  constantFrom,
  property,
  string,
  tuple,
  uniqueArray,
} from 'fast-check'

import { ProtocolError } from '../base/error.ts'
import {
  defaultChallengeLimits,
  parseChallenges,
  parseCredentials,
  type Challenge,
} from './challenge.ts'
import { quote } from './parameters.ts'

/** A challenge as plain data: its scheme, and its token68, text or parameters. */
type Plain = readonly [scheme: string, content?: string | Readonly<Record<string, string>>]

function plain({ scheme, token68, text, parameters }: Challenge): Plain {
  const word = token68 ?? text
  if (word !== undefined) return [scheme, word]
  return parameters.size === 0 ? [scheme] : [scheme, Object.fromEntries(parameters)]
}

interface Row {
  readonly why: string
  readonly values: readonly string[]
  readonly expected: readonly Plain[]
}

const rows: readonly Row[] = [
  // The table of A175, in its order.
  {
    why: 'two schemes in one field (RFC 9110 §11.6.1)',
    values: [
      String.raw`Newauth realm="apps", type=1, title="Login to \"apps\"", Basic realm="simple"`,
    ],
    expected: [
      ['newauth', { realm: 'apps', type: '1', title: 'Login to "apps"' }],
      ['basic', { realm: 'simple' }],
    ],
  },
  {
    why: 'commas and equals signs in quotes do not separate (A172)',
    values: ['Basic realm="a, Digest realm=b"'],
    expected: [['basic', { realm: 'a, Digest realm=b' }]],
  },
  {
    why: 'schemes without anything',
    values: ['Negotiate, NTLM, Basic realm="x"'],
    expected: [['negotiate'], ['ntlm'], ['basic', { realm: 'x' }]],
  },
  {
    why: 'a token68 with padding (A173)',
    values: ['Negotiate oYG2MIGz=='],
    expected: [['negotiate', 'oYG2MIGz==']],
  },
  {
    why: 'a token68 without padding (A173)',
    values: ['NTLM TlRMTVNTUAACAAAA'],
    expected: [['ntlm', 'TlRMTVNTUAACAAAA']],
  },
  {
    why: 'two Digest challenges, a list in quotes',
    values: [
      'Digest realm="r", nonce="n", qop="auth,auth-int", algorithm=SHA-256, Digest realm="r", nonce="n2", algorithm=MD5',
    ],
    expected: [
      ['digest', { realm: 'r', nonce: 'n', qop: 'auth,auth-int', algorithm: 'SHA-256' }],
      ['digest', { realm: 'r', nonce: 'n2', algorithm: 'MD5' }],
    ],
  },
  {
    why: 'empty list elements (A171)',
    values: [', Basic realm="x",,'],
    expected: [['basic', { realm: 'x' }]],
  },
  {
    why: 'names have no case and values need no quotes (A170, A172)',
    values: ['basic REALM=x'],
    expected: [['basic', { realm: 'x' }]],
  },
  {
    why: 'blanks around equals signs and commas (A171)',
    values: ['Digest realm = "r" , nonce="n"'],
    expected: [['digest', { realm: 'r', nonce: 'n' }]],
  },
  {
    why: 'Passport is opaque (A174)',
    values: ['Passport1.4 da-status=failed,srealm=Passport.NET,ts=-2,prompt'],
    expected: [['passport1.4', 'da-status=failed,srealm=Passport.NET,ts=-2,prompt']],
  },
  { why: 'two lines', values: ['Negotiate', 'NTLM'], expected: [['negotiate'], ['ntlm']] },
  { why: 'a realm that is missing', values: ['Basic'], expected: [['basic']] },
  {
    why: 'a line that cannot be read does not cost the others',
    values: ['Bogus"quote', 'Basic realm="x"'],
    expected: [['basic', { realm: 'x' }]],
  },

  // V70: the challenges printed in MS-PASS.
  {
    why: 'V70: Passport with bare words',
    values: ['Passport1.4 param1,param2,Negotiate2SupportedIf=LiveSSP'],
    expected: [['passport1.4', 'param1,param2,Negotiate2SupportedIf=LiveSSP']],
  },
  {
    why: 'A174: Passport after another scheme takes the rest of the line',
    values: ['Basic realm="x", PASSPORT1.4 a,b=http://h/?q="', 'NTLM'],
    expected: [['basic', { realm: 'x' }], ['passport1.4', 'a,b=http://h/?q="'], ['ntlm']],
  },

  // A227: what IIS sends.
  {
    why: 'A227: qop first, charset bare and lower case, realm last',
    values: ['Digest qop="auth",algorithm=MD5-sess,nonce="+Up",charset=utf-8,realm="Digest"'],
    expected: [
      [
        'digest',
        { qop: 'auth', algorithm: 'MD5-sess', nonce: '+Up', charset: 'utf-8', realm: 'Digest' },
      ],
    ],
  },

  // V2, V10: as printed in RFC 7617 and RFC 7616.
  {
    why: 'V2: RFC 7617 §2.1',
    values: ['Basic realm="foo", charset="UTF-8"'],
    expected: [['basic', { realm: 'foo', charset: 'UTF-8' }]],
  },
  {
    why: 'V10: RFC 7616 §3.9.1, two header lines',
    values: ['SHA-256', 'MD5'].map(
      (algorithm) =>
        `Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=${algorithm}, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`,
    ),
    expected: ['SHA-256', 'MD5'].map((algorithm) => [
      'digest',
      {
        realm: 'http-auth@example.org',
        qop: 'auth, auth-int',
        algorithm,
        nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v',
        opaque: 'FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS',
      },
    ]),
  },

  // What the grammar leaves to be decided.
  { why: 'no field at all', values: [], expected: [] },
  { why: 'only commas', values: [' , ,\t,', ''], expected: [] },
  {
    why: 'an empty value before the end looks like padding and is a token68 (A173)',
    values: ['Negotiate YII=', 'Negotiate YII= , NTLM'],
    expected: [['negotiate', 'YII='], ['negotiate', 'YII='], ['ntlm']],
  },
  {
    why: 'an empty value further on is a value',
    values: ['Digest a="1", realm=, nonce=""'],
    expected: [['digest', { a: '1', realm: '', nonce: '' }]],
  },
  {
    why: 'parameters may follow a comma (RFC 9110 §5.6.1: empty elements of #auth-param)',
    values: ['Digest , realm="r", nonce=n'],
    expected: [['digest', { realm: 'r', nonce: 'n' }]],
  },
  {
    why: 'a bare value may hold what a token may not',
    values: ['Digest nonce=a/b+c==, realm=@x'],
    expected: [['digest', { nonce: 'a/b+c==', realm: '@x' }]],
  },
  {
    why: 'a parameter that comes twice keeps its first value',
    values: ['Basic realm="a", Realm="b"'],
    expected: [['basic', { realm: 'a' }]],
  },
  {
    why: 'octets beyond ASCII stay octets',
    values: ['Basic realm="Z\u00c3\u00bcrich"'],
    expected: [['basic', { realm: 'Z\u00c3\u00bcrich' }]],
  },
  {
    why: 'a missing comma costs the challenge and the rest of the line, not what was before',
    values: ['NTLM, Digest realm="x" nonce="y", Basic realm="z"'],
    expected: [['ntlm']],
  },
  { why: 'a quote that never closes', values: ['Basic realm="x', 'NTLM'], expected: [['ntlm']] },
  { why: 'a quote that ends in an escape', values: ['Basic realm="x\\'], expected: [] },
  { why: 'a control character in quotes', values: ['Basic realm="x\u0000y"'], expected: [] },
  { why: 'a parameter without a scheme', values: ['realm="x"'], expected: [] },
  { why: 'a parameter after a token68', values: ['NTLM TlRM, realm="x"'], expected: [] },
  { why: 'two words that are neither', values: ['Basic foo bar'], expected: [] },
]

test('parseChallenges() reads what targets send', async (t) => {
  for (const { why, values, expected } of rows) {
    await t.test(why, () => assert.deepEqual(parseChallenges(values).map(plain), expected))
  }
})

const many = (count: number, word: string) => Array.from({ length: count }, () => word)

test('parseChallenges() reads the longest input of every repetitive kind', () => {
  const { octets } = defaultChallengeLimits
  for (const word of [
    ' ',
    ',',
    '"',
    '\\',
    '=',
    'a',
    'a ',
    'a=',
    'a=,',
    'a="',
    '"\\',
    ' =',
    'a,=',
  ]) {
    const values = [`Basic ${word.repeat(Math.floor((octets - 8) / word.length))}`]
    const limits = { octets, challenges: octets, parameters: octets }
    for (const { scheme } of parseChallenges(values, limits)) assert.match(scheme, /^(a|basic)+$/)
  }
})

const list = (count: number) =>
  `X ${many(count, 'a')
    .map((name, index) => `${name}${index}=1`)
    .join(', ')}`

test('parseChallenges() refuses more octets, challenges or parameters than its limits say', () => {
  const { octets, challenges, parameters } = defaultChallengeLimits
  const cases = [
    ['ERR_AUTH_CHALLENGE_OCTETS', (by: number) => [`X ${'a'.repeat(octets - 4 + by)}`, 'YY']],
    ['ERR_AUTH_CHALLENGE_COUNT', (by: number) => many(challenges + by, 'NTLM')],
    ['ERR_AUTH_CHALLENGE_COUNT', (by: number) => [many(challenges + by, 'NTLM').join(',')]],
    ['ERR_AUTH_CHALLENGE_PARAMETERS', (by: number) => [list(parameters + by)]],
    ['ERR_AUTH_CHALLENGE_PARAMETERS', (by: number) => [`X ${many(parameters + by, 'a=1').join()}`]],
  ] as const
  for (const [code, values] of cases) {
    assert.ok(parseChallenges(values(0)).length > 0, code)
    assert.throws(
      () => parseChallenges(values(1)),
      (error) => error instanceof ProtocolError && error.code === code,
    )
  }
})

test('parseChallenges() never fails on noise, and finds no more than there is', () => {
  const noise = array(
    constantFrom(
      'Basic',
      ' ',
      ',',
      '=',
      '"',
      '\\',
      'realm',
      'YII=',
      'Passport1.4',
      '\t',
      '\u00e9',
      '\u0000',
    ),
    { maxLength: 60 },
  ).map((words) => words.join(''))
  check(
    property(array(noise, { maxLength: 4 }), (values) => {
      const found = parseChallenges(values)
      assert.ok(found.length <= values.join().length)
      for (const { scheme } of found) assert.match(scheme, /^[a-z0-9.]+$/)
    }),
    { numRuns: 2000 },
  )
})

test('parseChallenges() reads back any list of challenges, in one line and in many', () => {
  const token = string({
    unit: constantFrom('a', 'B', '7', '-', '~', '!'),
    minLength: 1,
    maxLength: 6,
  })
  const value = string({
    unit: constantFrom('a', ' ', ',', '=', '"', '\\', '\t', '\u00ff'),
    maxLength: 12,
  })
  const parameters = uniqueArray(tuple(token, value), {
    minLength: 1,
    maxLength: 5,
    selector: ([name]) => name.toLowerCase(),
  })
  check(
    property(array(tuple(token, parameters), { maxLength: 5 }), (challenges) => {
      const lines = challenges.map(
        ([scheme, pairs]) =>
          `${scheme} ${pairs.map(([name, text]) => `${name}=${quote(text)}`).join(', ')}`,
      )
      const expected = challenges.map(([scheme, pairs]) => [
        scheme.toLowerCase(),
        new Map(pairs.map(([name, text]) => [name.toLowerCase(), text])),
      ])
      for (const values of [lines, [lines.join(', ')]]) {
        const found = parseChallenges(values).map(({ scheme, parameters }) => [scheme, parameters])
        assert.deepEqual(found, expected)
      }
    }),
  )
})

test('parseCredentials() reads exactly one', () => {
  const basic = parseCredentials('Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==')
  assert.equal(basic?.token68, 'QWxhZGRpbjpvcGVuIHNlc2FtZQ==')
  assert.equal(parseCredentials('NTLM, Basic QQ=='), undefined)
  assert.equal(parseCredentials(''), undefined)
})
