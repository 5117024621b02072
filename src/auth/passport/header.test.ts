import assert from 'node:assert/strict'
import { test } from 'node:test'

import { array, assert as check, constantFrom, property, string, uint8Array } from 'fast-check'

import {
  escapePassport,
  formatSignIn,
  formatTicket,
  formatTokenRequest,
  isSendable,
  parseConfiguration,
  parseConfigurationVersion,
  parseElements,
  parsePassportInfo,
  parseSignInChallenge,
  textAfterToken,
} from './header.ts'

const text = new TextEncoder()

test('parseConfiguration() reads the PassportURLs of MS-PASS (A331, V70)', () => {
  const printed =
    'DARealm=Passport.Net,DALogin=sign-in.live.com/login2.srf,' +
    'DAReg=https://accountservices.passport.net/UIXPWiz.srf,' +
    'Properties=https://accountservices.msn.com/editprof.srf,' +
    'Privacy=https://accountservices.passport.net/PPPrivacyStatement.srf,' +
    'GeneralRedir=http://nexusrdr.passport.com/redirect.asp,' +
    'Help=https://accountservices.passport.net,ConfigVersion=14'
  assert.deepEqual(parseConfiguration(printed), {
    realm: 'Passport.Net',
    loginUrl: 'https://sign-in.live.com/login2.srf',
    version: 14,
  })
})

test('parseConfiguration() takes what there is, and nothing without realm or address', () => {
  for (const [value, expected] of [
    ['DALogin=https://l/,DARealm=R', { realm: 'R', loginUrl: 'https://l/', version: 0 }],
    ['darealm=R,dalogin=http://l/', { realm: 'R', loginUrl: 'http://l/', version: 0 }],
    [
      'DARealm=R,DALogin=l/a,b,ConfigVersion=x',
      { realm: 'R', loginUrl: 'https://l/a,b', version: 0 },
    ],
    ['DARealm=R', undefined],
    ['DARealm=,DALogin=l', undefined],
    ['DALogin=l', undefined],
    ['DARealm=R,DALogin=https://[', undefined],
    ['', undefined],
  ] as const) {
    assert.deepEqual(parseConfiguration(value), expected, value)
  }
})

test('parseConfigurationVersion() reads PassportConfig (A331, V70)', () => {
  assert.equal(parseConfigurationVersion('ConfigVersion=14'), 14)
  assert.equal(parseConfigurationVersion('ConfigVersion=-1'), 0)
  assert.equal(parseConfigurationVersion(''), 0)
})

test('parseSignInChallenge() reads the challenges of MS-PASS (A335, V70, V71)', () => {
  for (const [value, expected] of [
    [
      'da-status=failed,srealm=Passport.NET,ts=-2,prompt',
      { status: 'failed', realm: 'Passport.NET', custom: ['ts=-2'], isPrompt: true },
    ],
    [
      'da-status=failed,srealm=Passport.NET, ts=0, param3',
      { status: 'failed', realm: 'Passport.NET', custom: ['ts=0', 'param3'], isPrompt: false },
    ],
    [
      'DA-Status=Failed-NoRetry,cburl=https://x/y,cbtxt=Sign%20in',
      { status: 'failed-noretry', realm: '', custom: [], isPrompt: false },
    ],
  ] as const) {
    assert.deepEqual(parseSignInChallenge(value), expected, value)
  }
})

test('parsePassportInfo() reads Authentication-Info (A338 to A342, V70 to V72)', () => {
  for (const [value, expected] of [
    ['Passport1.4 da-status=redir', { status: 'redir', cookieNames: [] }],
    [
      'Passport1.4 da-status=success,from-PP=1puV5BFuLD,ru=http://partner.example.com/default.asp',
      {
        status: 'success',
        ticket: '1puV5BFuLD',
        returnUrl: 'http://partner.example.com/default.asp',
        cookieNames: [],
      },
    ],
    [
      "passport1.4  da-status=success,tname=PPAuth,from-PP='t=a,b&p=',ru=http://h/x,y?z=1,2",
      {
        status: 'success',
        ticket: "'t=a,b&p='",
        returnUrl: 'http://h/x,y?z=1,2',
        cookieNames: ['PPAuth'],
      },
    ],
    [
      'Passport1.4 ru=http://h/,from-PP=t,da-status=success',
      { status: 'success', ticket: 't', returnUrl: 'http://h/', cookieNames: [] },
    ],
    [
      'Passport1.4 tname=MSPAuth,tname=MSPProf',
      { status: '', cookieNames: ['MSPAuth', 'MSPProf'] },
    ],
    ['Passport1.4 da-status=logout', { status: 'logout', cookieNames: [] }],
    ['Digest nextnonce="x"', undefined],
  ] as const) {
    assert.deepEqual(parsePassportInfo([value]), expected, value)
  }
})

const original = {
  method: 'GET',
  url: new URL('https://partner.example.com/auth.asp'),
  parameters: 'param1,param2',
}

test('requests to the sign-in server are those of MS-PASS (A334, A336, A340, V70)', () => {
  assert.equal(
    formatTokenRequest(original),
    'Passport1.4 tname=,OrgVerb=GET,OrgUrl=https://partner.example.com/auth.asp,param1,param2',
  )
  const user = { userName: 'user1@example.com', password: text.encode('password') }
  // V70 prints it without the custom token of its challenge, which A336 returns.
  assert.equal(
    formatSignIn(original, { ...user, elapsedSeconds: 0, custom: [] }),
    'Passport1.4 sign-in=user1%40example.com,pwd=password,elapsed-time=0,OrgVerb=GET,' +
      'OrgUrl=https://partner.example.com/auth.asp,param1,param2',
  )
  assert.equal(
    formatSignIn(original, { ...user, elapsedSeconds: 7, custom: ['ts=-2'] }),
    'Passport1.4 sign-in=user1%40example.com,pwd=password,elapsed-time=7,OrgVerb=GET,' +
      'OrgUrl=https://partner.example.com/auth.asp,ts=-2,param1,param2',
  )
  assert.equal(formatTicket('1puV5BFuLD'), 'Passport1.4 from-PP=1puV5BFuLD')
  assert.equal(formatTicket("'t=a&p='"), "Passport1.4 from-PP='t=a&p='")
})

test('formatTokenRequest() shows neither fragment nor name and password of a URL (A44)', () => {
  const url = new URL('http://u:p@h/a?b#c')
  assert.equal(
    formatTokenRequest({ method: 'GET', url, parameters: '' }),
    'Passport1.4 tname=,OrgVerb=GET,OrgUrl=http://h/a?b',
  )
})

test('escapePassport() escapes everything but unreserved characters (V73)', () => {
  for (const [word, escaped] of [
    ['user1@example.com', 'user1%40example.com'],
    ['a,b c%d', 'a%2Cb%20c%25d'],
    ['p\u00e4ssw\u00f6rd', 'p%C3%A4ssw%C3%B6rd'],
    ['x=y&z', 'x%3Dy%26z'],
    ["a-b_c.d!e~f*g'h(i)", "a-b_c.d!e~f*g'h(i)"],
  ] as const) {
    assert.equal(escapePassport(text.encode(word)), escaped)
  }
  check(
    property(string({ unit: 'binary' }), (word) => {
      const escaped = escapePassport(text.encode(word))
      assert.equal(decodeURIComponent(escaped), Buffer.from(word).toString())
      assert.doesNotMatch(escaped, /[,\s]/)
    }),
  )
})

test('escapePassport() loses no octet that is not UTF-8 either', () => {
  check(
    property(uint8Array(), (bytes) => {
      const escaped = escapePassport(bytes)
      const octets = escaped.replace(/%(..)/g, (_, digits: string) =>
        String.fromCharCode(Number.parseInt(digits, 16)),
      )
      assert.deepEqual(new Uint8Array(Buffer.from(octets, 'latin1')), new Uint8Array(bytes))
    }),
  )
})

test('parseElements() finds the elements that were joined, whatever they are', () => {
  const word = string({ unit: constantFrom('a', 'b', '-', '1'), minLength: 1, maxLength: 6 })
  check(
    property(array(word, { maxLength: 8 }), constantFrom(',', ', ', ' , '), (words, separator) => {
      assert.deepEqual(
        parseElements(words.join(separator)),
        words.map((name) => ({ name })),
      )
    }),
  )
})

test('no reader of Passport’s lists fails or runs away, whatever it is given', () => {
  const anything = string({
    unit: constantFrom(',', '=', "'", ' ', '\t', 'ru', 'from-PP', 'a', '%', '\0', '\u00e9'),
  })
  check(
    property(anything, (value) => {
      parseConfiguration(value)
      parseConfigurationVersion(value)
      parseSignInChallenge(value)
      parsePassportInfo([`Passport1.4 ${value}`, value])
      textAfterToken(value)
      assert.equal(isSendable(value), !/[^\x20-\xff]|\x7f/.test(value))
    }),
  )
  const long = "from-PP='x',".repeat(20_000)
  assert.equal(parseElements(long).length, 20_000)
  assert.equal(parseElements('a=b,'.repeat(200_000)).length, 200_000)
  const open = "a='".repeat(20_000)
  assert.ok(parseElements(open).length >= 1)
})
