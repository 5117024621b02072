import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import type { Hop } from '../job/route.ts'
import { droppingSink, fetchText, get, makeClient, ok, serve } from './servers.suite.ts'

/** How many connections are taken; then nobody listens any more. */
const taken = 2

/** A server that answers on the connections it takes. @returns its port */
async function serveFew(t: TestContext): Promise<number> {
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket.on('error', () => undefined))
    if (sockets.length === taken) server.close()
    socket.on('data', (bytes) => {
      for (const [, target = ''] of bytes.toString('latin1').matchAll(/^GET (\S+) /gm)) {
        setImmediate(() => socket.write(ok(target.replace('http://few.example', ''))))
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  return address.port
}

const ways = [
  ['at a name with several addresses', (port: number) => [`http://localhost:${port}`, 'direct']],
  [
    'through a proxy',
    (port: number) => ['http://few.example', { scheme: 'http', host: '127.0.0.1', port }],
  ],
] as const satisfies readonly (readonly [string, (port: number) => readonly [string, Hop]])[]

for (const [what, way] of ways) {
  test(`who takes few connections is asked over those: ${what}`, async (t) => {
    const [origin, hop] = way(await serveFew(t))
    const client = makeClient(t)
    const routes = { find: () => [hop] as const, failed: () => assert.fail('it was reached') }
    const get = async (name: string, connections: number): Promise<string> =>
      (await fetchText(client, `${origin}${name}`, { connections, routes })).text
    assert.deepEqual(await Promise.all(['/a', '/b'].map((name) => get(name, 2))), ['/a', '/b'])
    const names = Array.from({ length: 12 }, (_, place) => `/${place}`)
    assert.deepEqual(await Promise.all(names.map((name) => get(name, 6))), names)
  })
}

test('who gets no answer does not ask again because another party has a connection', async (t) => {
  const server = await serve(t, (peer, target) => {
    if (target === '/refused' && peer.index < 9) peer.reset()
    else peer.say('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n1')
  })
  const client = makeClient(t)
  const begun = Promise.withResolvers<void>()
  const endless = client.exchange(get(`${server.url}/endless`, { party: 'another' }), {
    ...droppingSink,
    head: () => 'take',
    write: () => begun.resolve(),
    flush: () => undefined,
  })
  endless.catch(() => undefined)
  await begun.promise
  await assert.rejects(fetchText(client, `${server.url}/refused`), {
    code: 'ERROR_WINHTTP_CONNECTION_ERROR',
  })
  assert.deepEqual(server.targets, ['/endless', '/refused'])
})
