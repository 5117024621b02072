import assert from 'node:assert/strict'
import { test } from 'node:test'

import { assert as check, asyncProperty, string } from 'fast-check'

import { basicAcceptor, decodeBasic } from './basic-server.ts'
import { basicScheme } from './basic.ts'
import { parseChallenges } from './challenge.ts'
import { converse, openSession, request } from './conversation.suite.ts'
import type { PasswordCredentials } from './credentials.ts'
import type { AuthSettings } from './settings.ts'
import { Secret } from './secret.ts'
import { testWorld } from './world.suite.ts'

function password(userName: string, word: string): PasswordCredentials {
  return { kind: 'password', userName, password: Secret.fromText(word) }
}

const page = request('GET', 'http://server.example/a/b')

async function header(
  credentials: PasswordCredentials,
  challenge: string,
  settings: Partial<AuthSettings> = {},
): Promise<string | undefined> {
  const session = openSession(basicScheme, { credentials, world: testWorld({ settings }) })
  const [parsed] = parseChallenges([challenge])
  assert.ok(parsed !== undefined)
  const answer = await session.begin().answer(parsed, page)
  assert.ok(answer.kind === 'send')
  return answer.header
}

const utf8 = 'Basic realm="foo", charset="UTF-8"'
const legacy = { basicLegacyLatin1: true }

const vectors = [
  [
    'V1, RFC 7617 §2',
    'Aladdin',
    'open sesame',
    'Basic realm="WallyWorld"',
    {},
    'QWxhZGRpbjpvcGVuIHNlc2FtZQ==',
  ],
  ['V2, RFC 7617 §2.1', 'test', '123\u00a3', utf8, {}, 'dGVzdDoxMjPCow=='],
  [
    'V2 with the switch for ISO-8859-1: the charset wins',
    'test',
    '123\u00a3',
    utf8,
    legacy,
    'dGVzdDoxMjPCow==',
  ],
  [
    'A201: UTF-8 also without charset',
    'test',
    '123\u00a3',
    'Basic realm="foo"',
    {},
    'dGVzdDoxMjPCow==',
  ],
  [
    'V3, the switch for ISO-8859-1',
    'test',
    '123\u00a3',
    'Basic realm="foo"',
    legacy,
    'dGVzdDoxMjOj',
  ],
  [
    'A201: UTF-8 where ISO-8859-1 has no such character',
    'test',
    '\u20ac',
    'Basic',
    legacy,
    'dGVzdDrigqw=',
  ],
  [
    'V4, a blank password (A15) and a domain (A203)',
    String.raw`DOM\User`,
    '',
    'Basic',
    {},
    'RE9NXFVzZXI6',
  ],
  ['A201: Normalization Form C', 'u\u0308', 'a\u030a', utf8, {}, 'w7w6w6U='],
] as const

test('Basic writes the headers of the vectors', async (t) => {
  for (const [why, userName, word, challenge, settings, expected] of vectors) {
    await t.test(why, async () => {
      assert.equal(await header(password(userName, word), challenge, settings), `Basic ${expected}`)
    })
  }
})

test('Basic does not open with what it cannot say (V5, A200)', () => {
  const peer = new URL('http://server.example/')
  for (const credentials of [
    password('a:b', 'x'),
    password('a\n', 'x'),
    password('a', 'x\u007f'),
  ]) {
    const opened = basicScheme.open({ target: 'server', peer, credentials, world: testWorld() })
    assert.ok('kind' in opened && opened.kind === 'unable')
  }
})

test('Basic is sent unasked at and below the place that asked, and nowhere else (A202)', async () => {
  const session = openSession(basicScheme, { credentials: password('u', 'p') })
  const acceptor = basicAcceptor({ realm: 'r', check: () => true })
  assert.equal(await session.begin().prepare(page), undefined)
  assert.equal((await converse(session.begin(), acceptor, page)).sent.length, 2)

  const rows = [
    ['/a/', true],
    ['/a/b', true],
    ['/a/other?x=/', true],
    ['/a/c/d/e', true],
    ['/a', false],
    ['/', false],
    ['/ab/', false],
    ['/a/../z', false],
    ['/a/%2e%2e/z', false],
  ] as const
  for (const [path, isSent] of rows) {
    const sent = await session.begin().prepare(request('GET', `http://server.example${path}`))
    assert.equal(sent !== undefined, isSent, path)
  }
})

test('Basic is sent unasked to a proxy that asked once (A387)', async () => {
  const session = openSession(basicScheme, { credentials: password('u', 'p'), target: 'proxy' })
  const acceptor = basicAcceptor({ realm: 'r', check: () => true })
  await converse(session.begin(), acceptor, page, { target: 'proxy' })
  const elsewhere = request('CONNECT', 'https://other.example/', {
    requestTarget: 'other.example:443',
  })
  assert.equal((await session.begin().prepare(elsewhere))?.header, 'Basic dTpw')
})

test('Basic is sent before any challenge only where the job says so (A86)', async () => {
  const session = openSession(basicScheme, { credentials: password('u', 'p') })
  assert.equal((await session.begin().prepare(page, true))?.header, 'Basic dTpw')
  assert.equal(await session.begin().prepare(page), undefined)
})

test('Basic keeps the encoding that a place asked for', async () => {
  const world = testWorld({ settings: legacy })
  for (const isUtf8 of [true, false]) {
    const session = openSession(basicScheme, { credentials: password('test', '123\u00a3'), world })
    const acceptor = basicAcceptor({ realm: 'r', utf8: isUtf8, check: () => true })
    await converse(session.begin(), acceptor, page)
    const sent = await session.begin().prepare(page)
    assert.equal(sent?.header, isUtf8 ? 'Basic dGVzdDoxMjPCow==' : 'Basic dGVzdDoxMjOj')
  }
})

test('Basic learns nothing from a server in trouble', async () => {
  const session = openSession(basicScheme, { credentials: password('u', 'p') })
  const handshake = session.begin()
  await handshake.answer({ scheme: 'basic', parameters: new Map() }, page)
  await handshake.accept({ status: 503, fields: [] })
  assert.equal(await session.begin().prepare(page), undefined)
})

test('Basic arrives as it was sent, whatever the name and the password', async () => {
  const word = string({ unit: 'grapheme', maxLength: 20 })
  const name = word.filter((text) => !text.includes(':'))
  await check(
    asyncProperty(name, word, async (userName, secret) => {
      const value = await header(password(userName, secret), utf8)
      const pair = decodeBasic(value ?? '')
      assert.ok(pair !== undefined)
      assert.equal(Buffer.from(pair.userName, 'latin1').toString(), userName.normalize('NFC'))
      assert.equal(Buffer.from(pair.password).toString(), secret.normalize('NFC'))
    }),
  )
})

test('decodeBasic() gives nothing for anything else', () => {
  for (const value of [
    'Basic',
    'Basic !',
    'Basic QQ==',
    'Basic a=b',
    'Bearer QTpC',
    '',
    'Basic QTpC, NTLM',
  ]) {
    assert.equal(decodeBasic(value), undefined, value)
  }
})
