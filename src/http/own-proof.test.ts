/** Applications that prove themselves, with headers of their own: each to the party it is for, and to no other (A46). */

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { Authority, needsOpenssl } from './certificates.suite.ts'
import { FailureError } from '../job/failure.ts'
import type { Routes } from '../job/route.ts'
import type { Field } from '../wire/fields.ts'
import { guardedProxy } from './guarded-proxy.suite.ts'
import { guarded, guards, identityWith, pair, user } from './guarded.suite.ts'
import { fetchText, makeClient } from './servers.suite.ts'

const basic = `Basic ${Buffer.from(`${user.name}:${user.password}`).toString('base64')}`
const both: readonly Field[] = [
  ['Authorization', 'Bearer mine'],
  ['Proxy-Authorization', basic],
]

/** A server with TLS that asks for nothing. */
async function sealed(t: TestContext) {
  const authority = new Authority(t)
  const server = await guarded(t, [], { certificate: authority.issue() })
  return { server, caFile: authority.file }
}

test('Authorization of the caller goes out as it is until a 401 is answered in its place (A46)', async (t) => {
  const server = await guarded(t, [guards.basic()])
  const headers: readonly Field[] = [['Authorization', 'Bearer mine']]
  const client = makeClient(t)
  for (const isUnasked of [false, true]) {
    const before = server.log.length
    const identity = identityWith(t, [pair('basic')], { isUnasked })
    const { text } = await fetchText(client, `${server.url}/a`, { identity, headers })
    assert.equal(text, '/a')
    const said = server.log.slice(before).map(({ credentials }) => credentials)
    assert.deepEqual(said, ['Bearer mine', basic])
  }
})

test('a 401 is final where the caller proves itself and nothing is set for the server (A46)', async (t) => {
  const server = await guarded(t, [guards.basic(), guards.ntlm()])
  const headers: readonly Field[] = [['Authorization', 'Bearer mine']]
  for (const identity of [undefined, identityWith(t, [pair('basic', 'proxy')])]) {
    const before = server.log.length
    const options = identity === undefined ? { headers } : { headers, identity }
    const { response } = await fetchText(makeClient(t), `${server.url}/a`, options)
    assert.equal(response.status, 401)
    const said = server.log.slice(before).map(({ credentials }) => credentials)
    assert.deepEqual(said, ['Bearer mine'])
  }
})

test('Authorization of the caller does not follow a redirect to another origin, and nor does Proxy-Authorization (A46, A380)', async (t) => {
  const other = await guarded(t, [])
  const server = await guarded(t, [], {
    serve: (_request, response) =>
      void response.writeHead(302, { Location: `${other.url}/there` }).end(),
  })
  const proxy = await guardedProxy(t, undefined)
  const { routes } = proxy
  await fetchText(makeClient(t), `${server.url}/a`, { headers: both, routes })
  assert.deepEqual(
    proxy.log.map(({ authorization, credentials }) => [authorization, credentials]),
    [
      ['Bearer mine', basic],
      [undefined, undefined],
    ],
  )
})

test(
  'Proxy-Authorization of the caller is for CONNECT alone, and Authorization for inside of the tunnel (A46)',
  { skip: needsOpenssl },
  async (t) => {
    const { server, caFile } = await sealed(t)
    const proxy = await guardedProxy(t, guards.basic())
    const { routes } = proxy
    const { text } = await fetchText(makeClient(t), `${server.url}/a`, {
      headers: both,
      routes,
      caFile,
    })
    assert.equal(text, '/a')
    const [connect, ...more] = proxy.log
    assert.deepEqual(more, [])
    assert.deepEqual(
      [connect?.method, connect?.credentials, connect?.authorization],
      ['CONNECT', basic, undefined],
    )
    const [asked] = server.log
    assert.deepEqual([asked?.credentials, asked?.forProxy], ['Bearer mine', undefined])
  },
)

test(
  'a 407 for CONNECT is answered in the place of the header where something is set, and final otherwise (A46)',
  { skip: needsOpenssl },
  async (t) => {
    const { server, caFile } = await sealed(t)
    const proxy = await guardedProxy(t, guards.basic())
    const { routes } = proxy
    const headers: readonly Field[] = [['Proxy-Authorization', 'Bearer mine']]
    const answered = identityWith(t, [pair('basic', 'proxy')])
    const options = { headers, routes, caFile }
    const client = makeClient(t)
    await fetchText(client, `${server.url}/a`, { ...options, identity: answered })
    const said = proxy.log.map(({ credentials }) => credentials)
    assert.deepEqual(said, ['Bearer mine', basic])
    await assert.rejects(
      fetchText(client, `${server.url}/b`, options),
      (error) => error instanceof FailureError && error.failure.symbol === 'BG_E_HTTP_ERROR_407',
    )
  },
)

test(
  'nobody else goes through a tunnel, or over a connection, on which the caller proved itself (A46, A360)',
  { skip: needsOpenssl },
  async (t) => {
    const { server, caFile } = await sealed(t)
    const proxy = await guardedProxy(t, guards.basic())
    const client = makeClient(t)
    const ask = (headers: readonly Field[], routes?: Routes) =>
      fetchText(client, `${server.url}/a`, {
        headers,
        caFile,
        ...(routes === undefined ? {} : { routes }),
      })
    await ask([['Proxy-Authorization', basic]], proxy.routes)
    await assert.rejects(ask([], proxy.routes), FailureError)
    assert.equal(server.log.length, 1)
    await ask([['Authorization', 'Negotiate a']])
    await ask([['Authorization', 'Negotiate b']])
    await ask([])
    await ask([['Authorization', 'Negotiate a']])
    const [, first, second, nobody, again] = server.log.map(({ connection }) => connection)
    assert.equal(new Set([first, second, nobody]).size, 3)
    assert.equal(again, first)
  },
)
