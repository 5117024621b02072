import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { test } from 'node:test'
import { MechanismError } from '../auth/error.ts'
import type { Mechanisms } from '../auth/mechanism.ts'
import { Secret } from '../auth/secret.ts'
import type { Routes } from '../job/route.ts'
import { DistrustError } from './failure.ts'
import { guarded, guards, identityWith, pair, realWorld } from './guarded.suite.ts'
import { answer, hostile } from './hostile.suite.ts'
import { Identity } from './identity.ts'
import { fetchText, get, KeepingSink, makeClient } from './servers.suite.ts'

function bodyOf(text: string) {
  return {
    length: Buffer.byteLength(text),
    async *read() {
      yield Buffer.from(text)
    },
  }
}

test('what a redirect leads to at another origin is not asked over a connection that was proven (A380)', async (t) => {
  const client = makeClient(t)
  const identity = identityWith(t, [pair('ntlm')])
  const other = await guarded(t, [guards.ntlm()])
  const first = await hostile(t, () => ({
    say: answer(302, [`Location: ${other.url}/taken`]),
  }))
  assert.equal((await fetchText(client, `${other.url}/own`, { identity })).text, '/own')
  const { response } = await fetchText(client, `${first.url}/a`, { identity })
  assert.equal(response.status, 401)
})

test('a body goes out where the first leg of a proof turned out not to be wanted (A420)', async (t) => {
  const server = await guarded(t, [guards.ntlm()], {
    isPublic: (path) => path.startsWith('/public'),
    closes: () => false,
    serve: (request, response) => {
      response.setHeader('Connection', 'close')
      response.end(request.url)
    },
  })
  const client = makeClient(t)
  const identity = identityWith(t, [pair('ntlm')])
  await fetchText(client, `${server.url}/a`, { identity })
  for (const method of ['PUT', 'POST']) {
    const request = { ...get(`${server.url}/public/${method}`), method, identity }
    await client.exchange({ ...request, body: bodyOf('whole') }, new KeepingSink())
    const last = server.log.filter(({ path }) => path === `/public/${method}`).at(-1)
    assert.equal(last?.bytes, 5)
  }
})

test('a server that does not prove itself is not trusted either when its body breaks off (A222)', async (t) => {
  const server = await hostile(t, ({ fields }) =>
    fields.has('authorization')
      ? {
          say: `HTTP/1.1 200 OK\r\nAuthentication-Info: rspauth="${'0'.repeat(32)}"\r\nContent-Length: 99\r\n\r\nforged`,
          end: 'reset',
        }
      : { say: answer(401, ['WWW-Authenticate: Digest realm="r", nonce="n", qop="auth"']) },
  )
  const identity = identityWith(t, [pair('digest')])
  await assert.rejects(fetchText(makeClient(t), server.url, { identity }), DistrustError)
})

test('a server that does not prove itself is left at once, not when its body is over', async (t) => {
  const server = await hostile(t, ({ fields }) =>
    fields.has('authorization')
      ? {
          say: `HTTP/1.1 200 OK\r\nAuthentication-Info: rspauth="${'0'.repeat(32)}"\r\nContent-Length: 99\r\n\r\nforged`,
        }
      : { say: answer(401, ['WWW-Authenticate: Digest realm="r", nonce="n", qop="auth"']) },
  )
  const identity = identityWith(t, [pair('digest')])
  await assert.rejects(
    fetchText(makeClient(t), server.url, { identity, stallTimeoutMs: 3000 }),
    DistrustError,
  )
})

test('a password that is refused after it was taken is not sent in every other folder', async (t) => {
  let isOpen = true
  const server = await hostile(t, ({ fields }) =>
    isOpen && fields.has('authorization')
      ? { say: answer(200, [], 'in') }
      : { say: answer(401, ['WWW-Authenticate: Basic realm="r"']) },
  )
  const client = makeClient(t)
  const identity = identityWith(t, [pair('basic')])
  const folders = ['/a/', '/b/', '/c/', '/d/']
  for (const folder of folders) await fetchText(client, `${server.url}${folder}x`, { identity })
  isOpen = false
  const before = server.heard.length
  for (const folder of folders) await fetchText(client, `${server.url}${folder}x`, { identity })
  const tries = server.heard.slice(before).filter(({ fields }) => fields.has('authorization'))
  assert.equal(tries.length, 1)
})

for (const [name, allowClearText, count] of [
  ['a wrong password is told to a SOCKS proxy once, however many connections there are', true, 1],
  ['no password is told to a SOCKS proxy where it may not go in clear text (A183)', false, 0],
] as const) {
  test(name, async (t) => {
    let logins = 0
    const server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.on('data', ([version = 0, methods = 0]) => {
        const isGreeting = version === 5
        if (isGreeting) socket.write(Buffer.from([5, methods === 2 ? 2 : 0xff]))
        else {
          logins++
          socket.end(Buffer.from([1, 1]))
        }
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => server.close())
    const { port } = server.address() as AddressInfo // A TCP server's address is of this kind.
    const settings = { ...realWorld.settings, allowClearText }
    const pairs = [pair('basic', 'proxy', 'wrong')]
    const identity = new Identity({ wallet: { pairs }, world: { ...realWorld, settings } })
    t.after(() => identity.close())
    const routes: Routes = {
      find: () => [{ scheme: 'socks5', host: '127.0.0.1', port }],
      failed: () => undefined,
    }
    const client = makeClient(t)
    const ask = (): Promise<void> =>
      assert.rejects(fetchText(client, 'http://host.test/', { identity, routes }), {
        code: 'BG_E_HTTP_ERROR_407',
      })
    await Promise.all(Array.from({ length: 6 }, ask))
    await ask()
    assert.equal(logins, count)
  })
}

for (const [name, body] of [
  ['with a word of OAuth', '{"error":"invalid_client"}'],
  ['without a word', ''],
] as const) {
  test(`a token endpoint that refuses a client ${name} is asked once`, async (t) => {
    const json = 'Content-Type: application/json'
    const endpoint = await hostile(t, () => ({
      say: answer(401, [json, 'WWW-Authenticate: Basic realm="tokens"'], body),
    }))
    const server = await hostile(t, () => ({ say: answer(401, ['WWW-Authenticate: Bearer']) }))
    const credentials = {
      kind: 'client',
      clientId: 'lull',
      clientSecret: Secret.fromText('wrong'),
      tokenUrl: `${endpoint.url}/token`,
    } as const
    const identity = identityWith(t, [{ target: 'server', scheme: 'bearer', credentials }])
    const client = makeClient(t)
    const ask = () => fetchText(client, `${server.url}/a`, { identity })
    const all = [...(await Promise.all([ask(), ask(), ask()])), await ask()]
    for (const { response } of all) assert.match(response.refusal ?? '', /refused/u)
    assert.equal(endpoint.heard.length, 1)
  })
}

test('a connection that closes while a ticket is fetched for it costs another connection and nothing else', async (t) => {
  let opened = 0
  const slow = Promise.withResolvers<void>()
  const mechanisms: Mechanisms = {
    unavailable: (mechanism) => (mechanism === 'kerberos' ? undefined : 'it is not there'),
    open: async () => {
      if (++opened === 2) await slow.promise
      return {
        step: () => Promise.resolve({ token: Buffer.from('ticket'), complete: true }),
        sign: () => Promise.resolve(Buffer.alloc(0)),
        verify: () => Promise.resolve(true),
        close: () => undefined,
      }
    },
  }
  const server = await hostile(t, ({ fields }) =>
    fields.has('authorization')
      ? { say: answer(200, ['Connection: close'], 'in'), end: 'close' }
      : { say: answer(401, ['WWW-Authenticate: Negotiate']) },
  )
  const credentials = { kind: 'keytab', principal: 'ann', keytab: '/ann.keytab' } as const
  const pairs = [{ target: 'server', scheme: 'negotiate', credentials }] as const
  const identity = new Identity({ wallet: { pairs }, world: { ...realWorld, mechanisms } })
  t.after(() => identity.close())
  const client = makeClient(t)
  assert.equal((await fetchText(client, `${server.url}/a`, { identity })).text, 'in')
  const came = server.connection()
  const second = fetchText(client, `${server.url}/b`, { identity })
  const closing = await came
  const another = server.connection()
  closing.end()
  await another
  slow.resolve()
  assert.equal((await second).text, 'in')
})

test('whoever has left while another tried the credentials tries nothing', async (t) => {
  const slow = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  let opened = 0
  const mechanisms: Mechanisms = {
    unavailable: (mechanism) => (mechanism === 'kerberos' ? undefined : 'it is not there'),
    open: async () => {
      opened++
      begun.resolve()
      await slow.promise
      throw new MechanismError('ERR_GSS', 'No ticket', { reason: 'unable' })
    },
  }
  const count = 6
  let asked = 0
  const all = Promise.withResolvers<void>()
  const server = await hostile(t, () => {
    if (++asked === count) all.resolve()
    return { say: answer(401, ['WWW-Authenticate: Negotiate']) }
  })
  const credentials = { kind: 'keytab', principal: 'ann', keytab: '/ann.keytab' } as const
  const pairs = [{ target: 'server', scheme: 'negotiate', credentials }] as const
  const identity = new Identity({ wallet: { pairs }, world: { ...realWorld, mechanisms } })
  t.after(() => identity.close())
  const client = makeClient(t)
  const leaving = new AbortController()
  const { signal } = leaving
  const exchanges = Array.from({ length: count }, () =>
    fetchText(client, server.url, { identity, signal }),
  )
  await Promise.all([begun.promise, all.promise])
  leaving.abort(new Error('left'))
  slow.resolve()
  for (const exchange of exchanges) await assert.rejects(exchange, /left/u)
  assert.equal(opened, 1)
  await client.close()
})
