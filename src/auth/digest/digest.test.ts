import assert from 'node:assert/strict'
import { test } from 'node:test'

import { parseChallenges, type Challenge } from '../challenge.ts'
import { openSession, request } from '../conversation.suite.ts'
import { formatHex } from '../hex.ts'
import type { Answer, Handshake, RequestFacts } from '../scheme.ts'
import { nodeHashes, testWorld } from '../world.suite.ts'
import { digestScheme } from './digest.ts'
import {
  ask,
  challengeOf,
  headerOf,
  index,
  mufasa,
  parameter,
  password,
  printedSha256,
  world,
} from './given.suite.ts'

/** The nonce and the counter of an answer. */
function said(answer: Answer | undefined): readonly (string | undefined)[] {
  const header = headerOf(answer)
  return [parameter(header, 'nonce'), parameter(header, 'nc')]
}

test('Digest renews a stale nonce and goes on with the next one (V16, A221, A222)', async () => {
  const session = openSession(digestScheme, { credentials: mufasa, world })
  const first = session.begin()
  assert.deepEqual(said(await first.answer(ask('A'), index)), ['A', '00000001'])
  assert.deepEqual(said(await first.answer(ask('B', ', stale=true'), index)), ['B', '00000001'])
  await first.accept({ status: 200, fields: [] })

  const second = session.begin()
  assert.deepEqual(said(await second.prepare(index)), ['B', '00000002'])
  await second.accept({ status: 200, fields: [['Authentication-Info', 'nextnonce="C"']] })

  const third = session.begin()
  assert.deepEqual(said(await third.prepare(index)), ['C', '00000001'])
})

test('Digest gives up a fourth stale nonce for one request (A135)', async () => {
  const handshake = openSession(digestScheme, { credentials: mufasa, world }).begin()
  const kinds = []
  for (const value of ['A', 'B', 'C', 'D', 'E']) {
    const challenge = challengeOf(`Digest realm="r", qop="auth", nonce="${value}", stale=true`)
    kinds.push((await handshake.answer(challenge, index)).kind)
  }
  assert.deepEqual(kinds, ['send', 'send', 'send', 'send', 'refused'])
})

test('Digest takes a second challenge without stale as a refusal (A221)', async () => {
  const handshake = openSession(digestScheme, { credentials: mufasa, world }).begin()
  assert.equal((await handshake.answer(ask('n'), index)).kind, 'send')
  assert.equal((await handshake.answer(ask('n', ', stale=false'), index)).kind, 'refused')
})

test('Digest tries each realm once for one request (A384, A385)', async () => {
  const handshake = openSession(digestScheme, { credentials: mufasa, world }).begin()
  const kinds = []
  for (const realm of ['a', 'b', 'a']) {
    const challenge = challengeOf(`Digest realm="${realm}", qop="auth", nonce="n"`)
    kinds.push((await handshake.answer(challenge, index)).kind)
  }
  assert.deepEqual(kinds, ['send', 'send', 'refused'])
  const endless = openSession(digestScheme, { credentials: mufasa, world }).begin()
  let last: Answer['kind'] = 'send'
  for (let realm = 0; last === 'send'; realm++) {
    assert.ok(realm < 10, 'a server that names ever new realms is left alone')
    const challenge = challengeOf(`Digest realm="${realm}", qop="auth", nonce="n"`)
    last = (await endless.answer(challenge, index)).kind
  }
})

test('Digest asks again when a nonce it had from before was refused, but only once (A133)', async () => {
  const session = openSession(digestScheme, { credentials: mufasa, world })
  const first = session.begin()
  await first.answer(ask('A'), index)
  await first.accept({ status: 200, fields: [] })
  const second = session.begin()
  assert.ok((await second.prepare(index)) !== undefined)
  assert.equal((await second.answer(ask('B'), index)).kind, 'send')
  assert.equal((await second.answer(ask('C'), index)).kind, 'refused')
  const third = session.begin()
  assert.equal(await third.prepare(index), undefined, 'a refused nonce is forgotten')
})

const infos: readonly (readonly [why: string, info: string, verdict: 'done' | 'refused'])[] = [
  [
    'rspauth of V10',
    'rspauth="86d3b25618d41854ca5039a5d7e53ff6355d5134a9b1fb088a78ac3c462195a0", qop=auth',
    'done',
  ],
  [
    'capital digits',
    'rspauth="86D3B25618D41854CA5039A5D7E53FF6355D5134A9B1FB088A78AC3C462195A0"',
    'done',
  ],
  [
    'another digit',
    'rspauth="96d3b25618d41854ca5039a5d7e53ff6355d5134a9b1fb088a78ac3c462195a0", qop=auth',
    'refused',
  ],
  ['another length', 'rspauth=""', 'refused'],
  [
    'our own response, sent back',
    'rspauth="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"',
    'refused',
  ],
  ['auth-int over a body that was not seen', 'rspauth="00", qop=auth-int', 'done'],
  ['nothing', '', 'done'],
]

test('Digest verifies rspauth when it is there (V11, A222)', async (t) => {
  for (const [why, info, expected] of infos) {
    await t.test(why, async () => {
      const session = openSession(digestScheme, { credentials: mufasa, world })
      const handshake = session.begin()
      await handshake.answer(challengeOf(printedSha256), index)
      const verdict = await handshake.accept({
        status: 200,
        fields: [['authentication-info', info]],
      })
      assert.equal(verdict.kind, expected)
      if (verdict.kind === 'done') assert.equal(handshake.finish?.([])?.kind, 'done')
      const next = await session.begin().prepare(index)
      assert.equal(next !== undefined, expected === 'done', 'a liar gets nothing more')
    })
  }
})

test('Digest reads the field of its own target', async () => {
  const info = 'nextnonce="N"'
  for (const [target, field, heard] of [
    ['server', 'Authentication-Info', true],
    ['server', 'Proxy-Authentication-Info', false],
    ['proxy', 'Proxy-Authentication-Info', true],
    ['proxy', 'Authentication-Info', false],
  ] as const) {
    const session = openSession(digestScheme, { credentials: mufasa, world, target })
    const handshake = session.begin()
    await handshake.answer(challengeOf('Digest realm="r", nonce="M", qop=auth'), index)
    await handshake.accept({ status: 200, fields: [[field, info]] })
    const next = headerOf(await session.begin().prepare(index))
    assert.equal(parameter(next, 'nonce') === 'N', heard, `${target} ${field}`)
  }
})

function md5(text: string): string {
  return formatHex(nodeHashes.hash('md5', new TextEncoder().encode(text)))
}

test('Digest quotes what it sends and hashes what was meant (A217, A227)', async () => {
  const session = openSession(digestScheme, {
    credentials: password(String.raw`DOM\me"`, 'p'),
    world,
  })
  const challenge = challengeOf(String.raw`Digest realm="a \"b\" \\c", nonce="n", algorithm="mD5"`)
  const header = headerOf(await session.begin().answer(challenge, index))
  assert.ok(
    header.startsWith(String.raw`Digest username="DOM\\me\"", realm="a \"b\" \\c", `),
    header,
  )
  assert.match(header, /algorithm=mD5, /)
  const key = md5(String.raw`DOM\me":a "b" \c:p`)
  assert.equal(parameter(header, 'response'), md5(`${key}:n:${md5('GET:/dir/index.html')}`))
})

test('Digest keeps line breaks out of its header', async () => {
  const session = openSession(digestScheme, { credentials: password('a\r\nX: y', 'p'), world })
  const header = headerOf(
    await session.begin().answer(challengeOf('Digest realm="r", nonce="n"'), index),
  )
  assert.doesNotMatch(header, /[\r\n]/)
  assert.match(header, /username\*=UTF-8''a%0D%0AX%3A%20y,/)
})

const unusable = [
  ['no realm', 'Digest nonce="n"'],
  ['no nonce', 'Digest realm="r"'],
  ['an algorithm that nobody knows', 'Digest realm="r", nonce="n", algorithm=SHA-1'],
  ['a protection that nobody knows', 'Digest realm="r", nonce="n", qop="auth-conf"'],
  ['a token instead of parameters', 'Digest abc='],
] as const

test('Digest is unable to answer what it does not understand (A211, A226, A136)', async () => {
  for (const [why, value] of unusable) {
    const handshake = openSession(digestScheme, { credentials: mufasa, world }).begin()
    assert.equal((await handshake.answer(challengeOf(value), index)).kind, 'unable', why)
  }
  const hashes = { ...nodeHashes, has: (algorithm: string) => algorithm !== 'md5' }
  const fips = openSession(digestScheme, { credentials: mufasa, world: testWorld({ hashes }) })
  const answer = await fips.begin().answer(challengeOf('Digest realm="r", nonce="n"'), index)
  assert.deepEqual(answer, { kind: 'unable', reason: 'Digest: this platform has no md5' })
})

function offers(names: readonly string[]): readonly Challenge[] {
  return parseChallenges(names.map((name) => `Digest realm="r", nonce="n", algorithm=${name}`))
}

test('Digest picks the first challenge it can answer, and never MD5 beside SHA-2 (A182)', () => {
  const rows = [
    [['MD5'], 'MD5'],
    [['MD5', 'SHA-256'], 'SHA-256'],
    [['SHA-512-256', 'SHA-256', 'MD5'], 'SHA-512-256'],
    [['SHA-256', 'SHA-512-256-sess'], 'SHA-256'],
    [['SHA-3', 'MD5-sess', 'MD5'], 'MD5-sess'],
    [['SHA-3', 'TOKEN'], 'SHA-3'],
  ] as const
  for (const [names, expected] of rows) {
    const [first, ...others] = offers(names)
    assert.ok(first !== undefined)
    const picked = digestScheme.pick?.([first, ...others], world)
    assert.equal(picked?.parameters.get('algorithm'), expected)
  }
})

/** The index page, asked for on one connection. */
function on(connection: object): RequestFacts {
  return { ...index, connection }
}

/** The counter that a request on this connection gets before anybody asks. */
async function early(handshake: Handshake, connection: object): Promise<string | undefined> {
  const answer = await handshake.prepare(on(connection))
  return answer === undefined ? undefined : parameter(headerOf(answer), 'nc')
}

test('Digest uses a nonce on one connection at a time (A215)', async () => {
  const session = openSession(digestScheme, { credentials: mufasa, world })
  const [left, right] = [{}, {}]

  const first = session.begin()
  await first.answer(ask('A'), on(left))
  const pipelined = session.begin()
  assert.equal(await early(pipelined, left), '00000002')
  const other = session.begin()
  assert.equal(await early(other, right), undefined, 'the nonce is on its way elsewhere')
  await other.answer(ask('B'), on(right))
  assert.equal(await early(session.begin(), left), '00000003', 'each goes on with its own')

  await first.accept({ status: 200, fields: [] })
  await other.accept({ status: 200, fields: [] })
  assert.equal(await early(session.begin(), right), '00000002', 'B is free again')
  pipelined.close()
})

test('Digest sends nothing unasked outside the protection space (A224)', async () => {
  const rows = [
    ['server', '/dir /x', '/dir/index.html', true],
    ['server', '/dir /x', '/x/y', true],
    ['server', '/dir /x', '/other', false],
    ['server', 'http://server.example/dir/', '/dir/a', true],
    ['server', 'http://elsewhere.example/ /dir/', '/other', false],
    // A server behind a reverse proxy that does not know its own name.
    ['server', 'http://internal/', '/anything', true],
    ['proxy', '/dir', '/other', true],
  ] as const
  for (const [target, domain, path, isSent] of rows) {
    const session = openSession(digestScheme, { credentials: mufasa, world, target })
    const handshake = session.begin()
    const challenge = challengeOf(`Digest realm="r", nonce="n", qop=auth, domain="${domain}"`)
    await handshake.answer(challenge, request('GET', 'http://server.example/dir/index.html'))
    await handshake.accept({ status: 200, fields: [] })
    const next = await session.begin().prepare(request('GET', `http://server.example${path}`))
    assert.equal(next !== undefined, isSent, `${domain} ${path}`)
  }
})

test('Digest has no key left after its session was closed (A164)', async () => {
  const session = openSession(digestScheme, { credentials: mufasa, world })
  const handshake = session.begin()
  await handshake.answer(challengeOf(printedSha256), index)
  await handshake.accept({ status: 200, fields: [] })
  session.close()
  session.close()
  assert.equal(await session.begin().prepare(index), undefined)
})
