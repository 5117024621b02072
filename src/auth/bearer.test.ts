import assert from 'node:assert/strict'
import { test } from 'node:test'

import {
  assert as check,
  json,
  property,
  record,
  string,
  uint8Array,
  option,
  oneof,
  double,
  nat,
} from 'fast-check'

import { bearerAcceptor, TokenIssuer } from './bearer-server.ts'
import { bearerScheme } from './bearer.ts'
import { parseChallenges } from './challenge.ts'
import { converse, openSession, request } from './conversation.suite.ts'
import type { ClientCredentials, Credentials } from './credentials.ts'
import { formatTokenRequest, formEncode, parseTokenResponse } from './oauth.ts'
import type { Detour, DetourResponse } from './scheme.ts'
import { Secret } from './secret.ts'
import { testWorld } from './world.suite.ts'

const peer = new URL('https://server.example/')
const page = request('GET', 'https://server.example/a')

function fixed(token: string): Credentials {
  return { kind: 'bearer', token: Secret.fromText(token) }
}

const client: ClientCredentials = {
  kind: 'client',
  clientId: 'lull client',
  clientSecret: Secret.fromText('s:\u00e4 &'),
  tokenUrl: 'https://login.example/token',
  scope: 'read write',
}

/** A server, its token endpoint, and a clock that both and the client share. */
function given(lifetimeS: number) {
  let now = 0
  const world = testWorld({ now: () => now })
  const issuer = new TokenIssuer(
    { clients: new Map([['lull client', Secret.fromText('s:\u00e4 &')]]), lifetimeS },
    world,
  )
  const detours: Detour[] = []
  return {
    world,
    issuer,
    detours,
    acceptor: bearerAcceptor('r', (token) => issuer.owner(token)),
    wait: (seconds: number): void => {
      now += seconds * 1000
    },
    elsewhere: async (detour: Detour): Promise<DetourResponse> => {
      detours.push(detour)
      assert.equal(detour.url, client.tokenUrl)
      return { url: detour.url, ...issuer.answer({ body: new Uint8Array(0), ...detour }) }
    },
  }
}

test('Bearer sends a fixed token when it is asked, and from then on unasked (A387)', async () => {
  const acceptor = bearerAcceptor('r', (token) =>
    Buffer.from(token).toString() === 'mF_9.B5f-4.1JqM' ? 'me' : undefined,
  )
  const session = openSession(bearerScheme, { peer, credentials: fixed('mF_9.B5f-4.1JqM') })
  const header = 'Bearer mF_9.B5f-4.1JqM'
  assert.deepEqual((await converse(session.begin(), acceptor, page)).sent, [undefined, header])
  assert.deepEqual((await converse(session.begin(), acceptor, page)).sent, [header])
})

test('Bearer is refused with a token that is not accepted, after one try (A135)', async () => {
  const acceptor = bearerAcceptor('r', () => undefined)
  const session = openSession(bearerScheme, { peer, credentials: fixed('wrong') })
  const { kind, sent } = await converse(session.begin(), acceptor, page)
  assert.deepEqual([kind, sent], ['refused', [undefined, 'Bearer wrong']])
})

test('Bearer does not fetch another token when the scope is too small (RFC 6750 §3.1)', async () => {
  const session = openSession(bearerScheme, { peer, credentials: client })
  const [challenge] = parseChallenges(['Bearer error="insufficient_scope"'])
  assert.ok(challenge !== undefined)
  assert.equal((await session.begin().answer(challenge, page)).kind, 'refused')
})

test('Bearer does not open where somebody could read along (RFC 6750 §5.3)', () => {
  const rows: readonly (readonly [url: string, Credentials, opens: boolean])[] = [
    ['https://server.example/', fixed('t'), true],
    ['http://server.example/', fixed('t'), false],
    ['http://127.0.0.1:8080/', fixed('t'), true],
    ['http://[::1]/', fixed('t'), true],
    ['http://127.0.0.1.example/', fixed('t'), false],
    ['https://server.example/', client, true],
    ['https://server.example/', { ...client, tokenUrl: 'http://login.example/' }, false],
    ['https://server.example/', { ...client, tokenUrl: 'nowhere' }, false],
    ['https://server.example/', fixed('a b'), false],
    ['https://server.example/', fixed('a\r\nX: y'), false],
    ['https://server.example/', fixed(''), false],
  ]
  for (const [url, credentials, opens] of rows) {
    const opened = bearerScheme.open({
      target: 'server',
      peer: new URL(url),
      credentials,
      world: testWorld(),
    })
    assert.equal('begin' in opened, opens, url)
  }
})

test('Bearer fetches a token, uses it while it lasts, and fetches the next in the middle of a job', async () => {
  const { world, acceptor, elsewhere, detours, wait } = given(3600)
  const session = openSession(bearerScheme, { peer, credentials: client, world })
  const ask = async () => {
    const { kind, text, sent } = await converse(session.begin(), acceptor, page, { elsewhere })
    assert.deepEqual([kind, text], ['granted', 'lull client'])
    return sent.length
  }
  assert.equal(await ask(), 2)
  assert.equal(await ask(), 1)
  wait(3595)
  assert.equal(await ask(), 2, 'nearly over is over')
  assert.equal(await ask(), 1)
  assert.equal(detours.length, 2)
})

test('Bearer fetches another token when the server forgot the one before', async () => {
  const { world, acceptor, elsewhere, issuer } = given(3600)
  const session = openSession(bearerScheme, { peer, credentials: client, world })
  await converse(session.begin(), acceptor, page, { elsewhere })
  let refusals = 1
  const forgetful = bearerAcceptor('r', (token) =>
    refusals-- > 0 ? undefined : issuer.owner(token),
  )
  const { kind, sent } = await converse(session.begin(), forgetful, page, { elsewhere })
  assert.deepEqual([kind, sent.length], ['granted', 2])
})

test('Bearer gives up when a token that was just fetched is not accepted', async () => {
  const { world, elsewhere, detours } = given(3600)
  const session = openSession(bearerScheme, { peer, credentials: client, world })
  const { kind } = await converse(
    session.begin(),
    bearerAcceptor('r', () => undefined),
    page,
    { elsewhere },
  )
  assert.deepEqual([kind, detours.length], ['refused', 1])
})

test('Bearer takes the token that another request has fetched meanwhile', async () => {
  const { world, acceptor, elsewhere, detours } = given(3600)
  const session = openSession(bearerScheme, { peer, credentials: client, world })
  const late = session.begin()
  await converse(session.begin(), acceptor, page, { elsewhere })
  const [challenge] = parseChallenges(['Bearer realm="r"'])
  assert.ok(challenge !== undefined)
  assert.equal((await late.answer(challenge, page)).kind, 'send')
  assert.equal(detours.length, 1)
})

test('Bearer is refused when the token endpoint refuses, and unable when it makes no sense', async () => {
  const { world, acceptor } = given(3600)
  const rows = [
    [401, '{"error":"invalid_client"}', 'refused'],
    [400, '{"error":"something_else"}', 'unable'],
    [503, '<html>', 'unable'],
    [200, '{"access_token":"a b","token_type":"bearer"}', 'unable'],
    [200, '{"access_token":"a","token_type":"mac"}', 'unable'],
    [200, '[]', 'unable'],
  ] as const
  for (const [status, body, expected] of rows) {
    const session = openSession(bearerScheme, { peer, credentials: client, world })
    const elsewhere = async ({ url }: Detour) => ({
      url,
      status,
      fields: [],
      body: new TextEncoder().encode(body),
    })
    const { kind } = await converse(session.begin(), acceptor, page, { elsewhere })
    assert.equal(kind, expected, body)
  }
})

test('formatTokenRequest() writes what RFC 6749 §4.4.2 shows', () => {
  const example: ClientCredentials = {
    kind: 'client',
    clientId: 's6BhdRkqt3',
    clientSecret: Secret.fromText('gX1fBat3bV'),
    tokenUrl: 'https://server.example.com/token',
  }
  const { body, fields, ...line } = formatTokenRequest(example)
  assert.deepEqual(line, {
    kind: 'detour',
    method: 'POST',
    url: 'https://server.example.com/token',
  })
  assert.deepEqual(fields, [
    ['Authorization', 'Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW'],
    ['Accept', 'application/json'],
    ['Content-Type', 'application/x-www-form-urlencoded'],
  ])
  assert.equal(Buffer.from(body ?? []).toString(), 'grant_type=client_credentials')
  assert.equal(
    Buffer.from(formatTokenRequest(client).body ?? []).toString(),
    'grant_type=client_credentials&scope=read+write',
  )
})

test('parseTokenResponse() reads what RFC 6749 §4.4.3 shows', () => {
  const body = new TextEncoder().encode(
    '{"access_token":"2YotnFZFEjr1zCsicMWpAA","token_type":"example","expires_in":3600,"example_parameter":"example_value"}'.replace(
      '"example"',
      '"bearer"',
    ),
  )
  const said = parseTokenResponse({ url: '', status: 200, fields: [], body }, 1000)
  assert.ok(said.kind === 'token')
  assert.equal(said.expiresAt, 3_601_000)
  assert.equal(
    said.token.use((bytes) => Buffer.from(bytes).toString()),
    '2YotnFZFEjr1zCsicMWpAA',
  )
})

test('parseTokenResponse() fails on nothing', () => {
  const answer = record({
    access_token: option(oneof(string(), nat())),
    token_type: option(
      oneof(
        string(),
        string().map(() => 'Bearer'),
      ),
    ),
    expires_in: option(oneof(double(), string(), nat())),
    error: option(string()),
  }).map((value) => new TextEncoder().encode(JSON.stringify(value)))
  const text = json().map((value) => new TextEncoder().encode(value))
  check(
    property(oneof(answer, text, uint8Array()), nat(599), (body, status) => {
      const said = parseTokenResponse({ url: '', status, fields: [], body }, 0)
      if (said.kind === 'token') assert.ok(said.expiresAt === undefined || said.expiresAt >= 0)
    }),
    { numRuns: 500 },
  )
})

test('formEncode() writes what URLSearchParams writes', () => {
  check(
    property(string({ unit: 'grapheme' }), (text) => {
      const expected = new URLSearchParams({ k: text }).toString().slice(2)
      assert.equal(formEncode(new TextEncoder().encode(text)), expected)
    }),
  )
})
