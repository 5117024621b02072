import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test, type TestContext } from 'node:test'
import { Secret } from '../../auth/secret.ts'
import type { PasswordCredentials } from '../../auth/credentials.ts'
import { FailureError } from '../../job/failure.ts'
import { TurnedClock } from '../../testing/turned-clock.ts'
import { Caller } from '../caller.suite.ts'
import { Authority, needsOpenssl } from '../certificates.suite.ts'
import { isProxyUnreachable } from '../failure.ts'
import { ok, serve } from '../servers.suite.ts'
import { PROXY_ANSWER_MS } from './limits.ts'
import { serveSocks, tlsWith, type ProxyServer } from './proxies.suite.ts'

const login: PasswordCredentials = {
  kind: 'password',
  userName: 'ann',
  password: Secret.fromText('pässword'),
}

function go(
  t: TestContext,
  { proxy }: Pick<ProxyServer, 'proxy'>,
  port: number,
  more = {},
): Caller {
  return new Caller(t, { host: 'localhost', port }, { through: { proxy, ...more } })
}

async function assertArrives(caller: Caller): Promise<void> {
  caller.say('GET /hello HTTP/1.1\r\nHost: x\r\n\r\n')
  const text = (await caller.hear(ok('/hello').length)).toString('latin1')
  assert.equal(text, ok('/hello'), String(caller.isConnected ? '' : await caller.over))
}

async function failureOf(caller: Caller): Promise<FailureError> {
  const error = await caller.over
  assert.ok(error instanceof FailureError, String(error))
  assert.equal(caller.isConnected, false)
  return error
}

const ways = [
  ['socks5', {}, {}, '5.1 localhost:PORT 0 '],
  ['socks5', {}, { login }, '5.1 localhost:PORT 0,2 '],
  ['socks5', { login: 'ann:pässword' }, { login }, '5.1 localhost:PORT 0,2 ann:pässword'],
  ['socks5', { bound: [3, 3, 97, 98, 99, 0, 0] }, {}, '5.1 localhost:PORT 0 '],
  ['socks5', { bound: [4, ...Array.from({ length: 18 }, () => 7)] }, {}, '5.1 localhost:PORT 0 '],
  ['socks4', {}, {}, '4.1 localhost:PORT '],
  // Version 4 knows no password.
  ['socks4', {}, { login }, '4.1 localhost:PORT ann'],
] as const

for (const [scheme, options, more, heard] of ways) {
  const what = `${scheme} ${JSON.stringify(options)}${'login' in more ? ' with credentials' : ''}`
  test(`a tunnel leads through ${what} to a server in clear text`, async (t) => {
    const server = await serve(t, (peer, target) => peer.say(ok(target)))
    const socks = await serveSocks(t, scheme, options)
    const caller = go(t, socks, server.port, more)
    await assertArrives(caller)
    assert.equal(caller.connection.channelBinding, undefined)
    assert.deepEqual(socks.heard, [heard.replace('PORT', String(server.port))])
  })
}

for (const scheme of ['socks4', 'socks5'] as const) {
  test(
    `a tunnel leads through ${scheme} to a server with TLS`,
    { skip: needsOpenssl },
    async (t) => {
      const authority = new Authority(t)
      const server = await serve(t, (peer, target) => peer.say(ok(target)), authority.issue())
      const caller = new Caller(
        t,
        { host: 'localhost', port: server.port },
        { tls: tlsWith(authority.file), through: await serveSocks(t, scheme) },
      )
      await assertArrives(caller)
    },
  )

  test(`a tunnel through ${scheme} hands over what came with the reply`, async (t) => {
    const server = await serve(t, () => undefined)
    const caller = go(t, await serveSocks(t, scheme, { said: 'early words' }), server.port)
    assert.equal((await caller.hear(11)).toString(), 'early words')
  })

  test(`a tunnel through ${scheme} takes addresses as such`, async (t) => {
    const server = await serve(t, (peer, target) => peer.say(ok(target)))
    const { proxy, heard } = await serveSocks(t, scheme)
    const hosts = scheme === 'socks5' ? ['127.0.0.1', '::1'] : ['127.0.0.1']
    for (const host of hosts) {
      await assertArrives(new Caller(t, { host, port: server.port }, { through: { proxy } }))
    }
    const octets = ['127.0.0.1', `${'0'.repeat(31)}1`].slice(0, hosts.length)
    assert.deepEqual(
      heard.map((line) => line.split(' ')[1]),
      octets.map((host) => `${host}:${server.port}`),
    )
  })
}

const replies = [
  ['socks5', 1, 'ERROR_WINHTTP_CANNOT_CONNECT', 'transient'],
  ['socks5', 2, 'ERROR_WINHTTP_CANNOT_CONNECT', 'fatal'],
  ['socks5', 3, 'ERROR_WINHTTP_CANNOT_CONNECT', 'transient'],
  ['socks5', 4, 'ERROR_WINHTTP_CANNOT_CONNECT', 'transient'],
  ['socks5', 5, 'ERROR_WINHTTP_CANNOT_CONNECT', 'transient'],
  ['socks5', 6, 'ERROR_WINHTTP_TIMEOUT', 'transient'],
  ['socks5', 7, 'ERROR_WINHTTP_CANNOT_CONNECT', 'fatal'],
  ['socks5', 8, 'ERROR_WINHTTP_CANNOT_CONNECT', 'fatal'],
  ['socks5', 200, 'ERROR_WINHTTP_CANNOT_CONNECT', 'transient'],
  ['socks4', 0x5b, 'ERROR_WINHTTP_CANNOT_CONNECT', 'transient'],
  ['socks4', 0x5c, 'BG_E_HTTP_ERROR_407', 'fatal'],
  ['socks4', 0x5d, 'BG_E_HTTP_ERROR_407', 'fatal'],
] as const

for (const [scheme, reply, symbol, severity] of replies) {
  test(`reply ${reply} of ${scheme} is ${symbol}, ${severity}`, async (t) => {
    const error = await failureOf(go(t, await serveSocks(t, scheme, { reply }), 1))
    assert.deepEqual([error.failure.symbol, error.failure.severity], [symbol, severity])
    assert.equal(isProxyUnreachable(error), false)
  })
}

const long = { ...login, userName: 'x'.repeat(256) }
const blank = { ...login, password: Secret.fromText('') }
const refused = [
  ['credentials that it does not take', { login: 'ann:other' }, { login }],
  ['no credentials', { login: 'ann:other' }, {}],
  ['a name that is too long', { login: 'ann:other' }, { login: long }],
  ['a blank password, which cannot be sent', { login: 'ann:' }, { login: blank }],
] as const

for (const [what, options, more] of refused) {
  test(`SOCKS 5 with ${what} is BG_E_HTTP_ERROR_407 (N102)`, async (t) => {
    const error = await failureOf(go(t, await serveSocks(t, 'socks5', options), 1, more))
    assert.equal(error.code, 'BG_E_HTTP_ERROR_407')
    assert.equal(error.message.includes('pässword'), false)
  })
}

test('a user whose name cannot be told to SOCKS 4 is refused before it is asked', async (t) => {
  const socks = await serveSocks(t, 'socks4')
  const error = await failureOf(go(t, socks, 1, { login: { ...login, userName: 'a\0b' } }))
  assert.equal(error.code, 'BG_E_HTTP_ERROR_407')
  assert.equal(socks.seats.length, 0)
})

/** Somebody who says one thing to whatever comes first, and perhaps leaves; and hears what comes next. */
async function serveWords(
  t: TestContext,
  words: readonly number[],
  heard: () => void = () => undefined,
  leaves = false,
): Promise<number> {
  const server = createServer((socket) => {
    t.after(() => socket.destroy())
    socket.on('error', () => undefined)
    socket.once('data', () => {
      socket.write(Uint8Array.from(words))
      if (leaves) socket.end()
      socket.once('data', heard)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  return address.port
}

const greetings = [
  ['HTTP', [...Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')]],
  ['nothing', []],
  ['half a greeting', [5]],
] as const

for (const [what, words] of greetings) {
  test(`who answers SOCKS 5 with ${what} is no proxy (N75)`, async (t) => {
    const port = await serveWords(t, words, undefined, true)
    const error = await failureOf(
      go(t, { proxy: { scheme: 'socks5', host: '127.0.0.1', port } }, 1),
    )
    assert.ok(isProxyUnreachable(error), error.message)
    assert.equal(error.failure.severity, 'transient')
  })
}

const brokenReplies = [
  ['socks5', [5, 0, 4, 0, 0, 1, 0], 'BG_E_INVALID_SERVER_RESPONSE'],
  ['socks5', [5, 0, 5, 0, 0, 9, 0], 'BG_E_INVALID_SERVER_RESPONSE'],
  ['socks5', [5, 0, 5, 0], 'ERROR_WINHTTP_CONNECTION_ERROR'],
  ['socks4', [72, 84, 84, 80, 47, 49, 46, 49], 'BG_E_INVALID_SERVER_RESPONSE'],
  ['socks4', [0, 0x5a], 'ERROR_WINHTTP_CONNECTION_ERROR'],
] as const

for (const [scheme, words, code] of brokenReplies) {
  test(`a reply of ${scheme} that is ${words.join(' ')} is ${code}`, async (t) => {
    const port = await serveWords(t, words, undefined, true)
    const error = await failureOf(go(t, { proxy: { scheme, host: '127.0.0.1', port } }, 1))
    assert.equal(error.code, code)
  })
}

test('a SOCKS proxy that greets and says no more is given up after 60 s (N98)', async (t) => {
  const clock = new TurnedClock()
  const port = await serveWords(t, [5, 0], () => clock.turn(PROXY_ANSWER_MS))
  const proxy = { scheme: 'socks5', host: '127.0.0.1', port } as const
  const error = await failureOf(
    new Caller(t, { host: 'server.example', port: 80 }, { clock, through: { proxy } }),
  )
  assert.equal(error.code, 'ERROR_WINHTTP_TIMEOUT')
  assert.equal(isProxyUnreachable(error), false)
})
