/** What holds for every proof over HTTP besides the legs: who can read it, who gets it again, where it must not stay. */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createProxy, request as makeRequest, Agent, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { TLSSocket } from 'node:tls'
import type { Witnessed } from '../auth/exchange.ts'
import { FailureError } from '../job/failure.ts'
import type { Routes } from '../job/route.ts'
import { TurnedClock } from '../testing/turned-clock.ts'
import { Authority, needsOpenssl } from './certificates.suite.ts'
import { guarded, guards, identityWith, pair, user } from './guarded.suite.ts'
import type { RequestBody } from './http.ts'
import { fetchText, get, KeepingSink, makeClient, ok, serve } from './servers.suite.ts'

const basic = `Basic ${Buffer.from(`${user.name}:${user.password}`).toString('base64')}`

function bodyOf(text: string): RequestBody {
  return {
    length: text.length,
    async *read() {
      yield Buffer.from(text)
    },
  }
}

test('whoever answers in clear text is believed and can read the password: that is what https is for (A21, A41)', async (t) => {
  const warnings: unknown[] = []
  const server = await serve(t, (peer, _target, place) =>
    peer.say(
      place === 0
        ? 'HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm="r"\r\nContent-Length: 0\r\n\r\n'
        : ok('anything'),
    ),
  )
  const identity = identityWith(t, [pair('basic')], { warn: (each) => warnings.push(each) })
  const { text } = await fetchText(makeClient(t), server.url, { identity })
  assert.equal(text, 'anything')
  assert(server.peers[0]?.requests[1]?.includes(`Authorization: ${basic}`))
  assert.deepEqual(warnings, [{ target: 'server', peer: server.url, scheme: 'Basic' }])
})

test(
  'no request and no proof goes to a server before its certificate was verified (A21, A84)',
  { skip: needsOpenssl },
  async (t) => {
    const [known, unknown] = [new Authority(t), new Authority(t)]
    const server = await serve(t, (peer) => peer.say(ok('stolen')), unknown.issue())
    const identity = identityWith(t, [pair('basic')], { isUnasked: true })
    const caFile = known.file
    await assert.rejects(
      fetchText(makeClient(t), server.url, { identity, caFile }),
      (error) =>
        error instanceof FailureError && error.failure.symbol === 'ERROR_WINHTTP_SECURE_INVALID_CA',
    )
    assert.deepEqual(server.targets, [])
  },
)

/** A proxy that sends every request on over whichever of its connections is next, whoever it is from. */
async function sharing(t: TestContext, fields: Readonly<Record<string, string>>) {
  const agents = [
    new Agent({ keepAlive: true, maxSockets: 1 }),
    new Agent({ keepAlive: true, maxSockets: 1 }),
  ]
  let count = 0
  const server: Server = createProxy((request, response) => {
    const agent = agents[count++ % agents.length]
    const { method, headers, url = '' } = request
    const onward = makeRequest(url, { agent, method, headers })
    onward.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, { ...answer.headers, ...fields })
      answer.pipe(response)
    })
    request.pipe(onward)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(async () => {
    for (const agent of agents) agent.destroy()
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })
  const { port } = server.address() as AddressInfo // A TCP server's address is of this kind.
  const routes: Routes = {
    find: () => [{ scheme: 'http', host: '127.0.0.1', port }],
    failed: () => undefined,
  }
  return { routes, count: () => count }
}

for (const fields of [{}, { 'Proxy-Support': 'Session-Based-Authentication' }]) {
  const says = 'Proxy-Support' in fields ? 'though it says otherwise' : 'and does not say so'
  test(`a proxy that shares its connections to the server, ${says}, makes NTLM fail and not go round (A127, A277)`, async (t) => {
    const server = await guarded(t, [guards.ntlm()])
    const proxy = await sharing(t, fields)
    const identity = identityWith(t, [pair('ntlm')])
    const { routes } = proxy
    const { response } = await fetchText(makeClient(t), `${server.url}/a`, { identity, routes })
    assert.equal(response.status, 401)
    assert(proxy.count() <= 6, `${proxy.count()} requests`)
  })
}

test('what proves somebody stays in nothing that is kept: not in errors, refusals, warnings or findings (A141, A388)', async (t) => {
  // A server that says back whatever it hears, in every place there is.
  const server = await serve(t, (peer) => {
    const said = /^Authorization: (.*)\r$/m.exec(peer.requests.at(-1) ?? '')?.[1] ?? 'nothing'
    peer.say(
      `HTTP/1.1 401 ${said}\r\nWWW-Authenticate: Basic realm="${said}"\r\n` +
        `X-Echo: ${said}\r\nContent-Length: ${said.length}\r\n\r\n${said}`,
    )
  })
  const kept: unknown[] = []
  const identity = identityWith(t, [pair('basic')], {
    witness: (witnessed: Witnessed) => kept.push(witnessed),
    warn: (readable) => kept.push(readable),
  })
  const { response, text } = await fetchText(makeClient(t), `${server.url}/a`, { identity })
  assert(server.peers.some(({ requests }) => requests.some((each) => each.includes(basic))))
  kept.push(response.refusal, response.url)
  const secrets = [basic, basic.slice('Basic '.length), user.password]
  const all = JSON.stringify(kept)
  for (const secret of secrets) assert(!all.includes(secret), all)
  assert.equal(text, '', 'the page of the error is dropped')
})

test('each of several connections is proven once, by a handshake of its own, and there are no more than were allowed (A360, A367)', async (t) => {
  const server = await guarded(t, [guards.ntlm()])
  const identity = identityWith(t, [pair('ntlm')])
  const client = makeClient(t)
  await fetchText(client, `${server.url}/first`, { identity })
  const paths = Array.from({ length: 30 }, (_, place) => `/${place}`)
  await Promise.all(
    paths.map((path) => fetchText(client, server.url + path, { identity, connections: 3 })),
  )
  const proofs = new Map<number, number>()
  for (const { connection, credentials } of server.log) {
    // AUTHENTICATE, the third message.
    const isProof = credentials?.startsWith('NTLM TlRMTVNTUAAD') === true
    proofs.set(connection, (proofs.get(connection) ?? 0) + Number(isProof))
  }
  assert(proofs.size <= 3)
  assert.deepEqual([...new Set(proofs.values())], [1])
})

test(
  'no session of TLS is resumed by somebody who may have to bind a proof to its certificate (A406)',
  { skip: needsOpenssl },
  async (t) => {
    const authority = new Authority(t)
    for (const [identity, expected] of [
      [undefined, 1],
      [identityWith(t, [pair('basic')]), -1],
    ] as const) {
      const server = await serve(
        t,
        (peer, target) => peer.say(ok(target, 'Connection: close\r\n')),
        authority.issue(),
      )
      const client = makeClient(t)
      const more = { caFile: authority.file, ...(identity === undefined ? {} : { identity }) }
      for (const path of ['/1', '/2']) await fetchText(client, server.url + path, more)
      const resumed = server.peers.findIndex(
        ({ socket }) => socket instanceof TLSSocket && socket.isSessionReused(),
      )
      assert.deepEqual([server.peers.length, resumed], [2, expected])
    }
  },
)

test('a body that was refused is sent again once, with the proof, and a second refusal is the end (A422)', async (t) => {
  for (const [password, status, proofs] of [
    [user.password, 200, [undefined, 'Basic']],
    ['wrong', 401, [undefined, 'Basic']],
  ] as const) {
    const server = await guarded(t, [guards.basic()], {
      serve: (_request, response) => void response.end(),
    })
    const identity = identityWith(t, [pair('basic', 'server', password)])
    const request = { ...get(`${server.url}/fragment`), body: bodyOf('bytes'), identity }
    const put = { ...request, method: 'PUT' }
    const { response } = await makeClient(t).exchange(put, new KeepingSink())
    assert.equal(response.status, status)
    assert.deepEqual(
      server.log.map(({ credentials }) => credentials?.split(' ')[0]),
      proofs,
    )
  }
})

test('a body waits for 100, is not sent behind a 401, and waits for a second and no longer (A423)', async (t) => {
  const clock = new TurnedClock()
  const { promise: asked, resolve: isAsked } = Promise.withResolvers<void>()
  const heard: string[] = []
  const server = await serve(t, (peer, target) => {
    if (target === '/refused') {
      const fields = 'WWW-Authenticate: Hoba\r\nContent-Length: 0\r\n'
      peer.say(`HTTP/1.1 401 No\r\n${fields}\r\n`)
      return
    }
    peer.socket.on('data', (bytes) => {
      heard.push(bytes.toString('latin1'))
      peer.say(ok('stored'))
    })
    isAsked()
  })
  const identity = identityWith(t, [pair('basic')])
  const client = makeClient(t, clock)
  const put = (path: string) =>
    client.exchange(
      { ...get(server.url + path), method: 'PUT', body: bodyOf('the body'), identity },
      new KeepingSink(),
    )
  assert.equal((await put('/refused')).response.status, 401)
  const pending = put('/silent')
  await asked
  for (const { requests } of server.peers) {
    for (const head of requests) assert.match(head, /^Expect: 100-continue\r$/mu)
  }
  clock.turn(500)
  clock.turn(400)
  assert.deepEqual(heard, [])
  clock.turn(1_000)
  clock.turn(1_000)
  assert.equal((await pending).response.status, 200)
  assert.deepEqual(heard, ['the body'])
})
