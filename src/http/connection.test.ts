import assert from 'node:assert/strict'
import { once } from 'node:events'
import { X509Certificate } from 'node:crypto'
import { createServer, type Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { describe, test, type TestContext } from 'node:test'
import { tlsServerEndPoint } from '../auth/spnego/end-point.ts'
import { Caller } from './caller.suite.ts'
import { Authority, needsOpenssl } from './certificates.suite.ts'
import { nodeHashes } from './node-hashes.ts'
import { closedPort, ok, serve } from './servers.suite.ts'
import { LARGE_SLAB_BYTES, SlabStore } from './slab.ts'
import { opening, serveConnect, tlsWith } from './tunnel/proxies.suite.ts'

/** A server that does what a test wants with each connection. */
async function accept(
  t: TestContext,
  serve: (socket: Socket) => void,
  host: string,
): Promise<number> {
  const server = createServer((socket) => {
    t.after(() => socket.destroy())
    serve(socket.on('error', () => undefined))
  })
  server.listen(0, host)
  await once(server, 'listening')
  t.after(() => server.close())
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  return address.port
}

const hosts = ['127.0.0.1', 'localhost', 'app.localhost'] as const

for (const host of hosts) {
  test(`a connection reaches ${host} where only IPv4 listens`, async (t) => {
    const port = await accept(t, (socket) => socket.end('hello'), '127.0.0.1')
    const caller = new Caller(t, { host, port })
    assert.equal((await caller.hear(5)).toString(), 'hello')
    assert.equal(caller.connection.isLimited, false)
    assert.ok(caller.progress > 0)
  })
}

test('a connection to where nobody listens says so of every address', async (t) => {
  const port = await closedPort()
  const error = await new Caller(t, { host: 'localhost', port }).over
  assert.ok(error instanceof AggregateError)
  assert.equal(Reflect.get(error.errors.at(-1) as object, 'code'), 'ECONNREFUSED')
  const single = await new Caller(t, { host: '127.0.0.1', port }).over
  assert.equal(Reflect.get(single ?? {}, 'code'), 'ECONNREFUSED')
})

test('a connection that is closed while it is made says nothing more than that it is over', async (t) => {
  const port = await accept(t, () => undefined, '127.0.0.1')
  for (const host of ['127.0.0.1', 'localhost', 'closed.invalid']) {
    const caller = new Caller(t, { host, port })
    caller.connection.close()
    assert.equal(await caller.over, undefined)
    assert.equal(caller.isConnected, false)
    caller.connection.close()
    await caller.connection.drained()
  }
})

test('a connection gives its slab back once, however it ends', async (t) => {
  const slabs = new SlabStore()
  const refused = new Caller(t, { host: '127.0.0.1', port: await closedPort() }, {}, slabs)
  await refused.over
  refused.connection.close()
  const port = await accept(t, (socket) => socket.end('x'), '127.0.0.1')
  const served = new Caller(t, { host: '127.0.0.1', port }, {}, slabs)
  await served.over
  const taken = [slabs.take(64 * 1024), slabs.take(64 * 1024)]
  assert.notEqual(taken[0]?.buffer, taken[1]?.buffer)
})

test('a connection that is asked for another slab while it is made leaves its attempts theirs', async (t) => {
  const slabs = new SlabStore()
  const port = await accept(t, (socket) => socket.write('hello'), '127.0.0.1')
  const caller = new Caller(t, { host: 'localhost', port }, {}, slabs)
  caller.connection.wantSlab(LARGE_SLAB_BYTES)
  await caller.settled
  const other = slabs.take(64 * 1024)
  other.fill(0)
  assert.equal((await caller.hear(5)).toString(), 'hello')
  assert.deepEqual([...other.subarray(0, 5)], [0, 0, 0, 0, 0])
})

test('drained() waits until the socket has taken what was sent', async (t) => {
  const { promise, resolve } = Promise.withResolvers<Socket>()
  const port = await accept(t, (socket) => resolve(socket.pause()), '127.0.0.1')
  const caller = new Caller(t, { host: '127.0.0.1', port })
  const body = Buffer.alloc(32 * 1024 * 1024, 'x')
  caller.connection.send(body)
  let isDrained = false
  const drained = caller.connection.drained().then(() => {
    isDrained = true
  })
  const socket = await promise
  assert.equal(isDrained, false)
  let count = 0
  socket.on('data', (bytes) => {
    count += bytes.length
  })
  socket.resume()
  await drained
  caller.connection.close()
  await once(socket, 'close')
  assert.ok(count > 0)
})

test('drained() does not wait for a connection that has broken', async (t) => {
  const port = await accept(t, (socket) => socket.pause(), '127.0.0.1')
  const caller = new Caller(t, { host: '127.0.0.1', port })
  await caller.settled
  caller.connection.send(Buffer.alloc(32 * 1024 * 1024))
  const drained = caller.connection.drained()
  caller.connection.close()
  await drained
  await caller.connection.drained()
})

describe('a server that wants a certificate and gets none', { skip: needsOpenssl }, () => {
  for (const way of ['straight', 'in a tunnel'] as const) {
    test(`has not ended the connection for no reason: ${way}`, async (t) => {
      const authority = new Authority(t)
      const wanting = { requestCert: true, rejectUnauthorized: true, ca: authority.pem }
      const server = await serve(t, () => undefined, { ...authority.issue(), ...wanting })
      const tls = tlsWith(authority.file)
      const { proxy } = await serveConnect(t)
      const caller = new Caller(
        t,
        { host: 'localhost', port: server.port },
        way === 'straight' ? { tls } : { tls, through: { proxy } },
      )
      const error = await caller.over
      assert.equal(Reflect.get(error ?? {}, 'code'), 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED')
      assert.equal(caller.hasEnded, false)
    })
  }
})

describe('channelBinding', { skip: needsOpenssl }, () => {
  for (const way of ['straight', 'in a tunnel'] as const) {
    test(`is of the server’s certificate, also of a session that was resumed: ${way} (A403)`, async (t) => {
      const authority = new Authority(t)
      const identity = authority.issue()
      const server = await serve(t, (peer, target) => peer.say(ok(target)), identity)
      const { proxy } = await serveConnect(t, opening, authority.issue())
      const sessions: Buffer[] = []
      const through = { proxy, tls: tlsWith(authority.file) }
      const is = tlsServerEndPoint(new X509Certificate(identity.cert).raw, nodeHashes)
      for (const time of ['first', 'second']) {
        const tls = tlsWith(authority.file, sessions)
        const caller = new Caller(
          t,
          { host: 'localhost', port: server.port },
          way === 'straight' ? { tls } : { tls, through },
        )
        assert.equal(caller.connection.channelBinding, undefined)
        caller.say('GET / HTTP/1.1\r\n\r\n')
        await caller.hear(ok('/').length)
        assert.deepEqual(caller.connection.channelBinding, is, time)
        const socket = server.peers.at(-1)?.socket
        assert.ok(socket instanceof TLSSocket)
        assert.equal(socket.isSessionReused(), time === 'second')
      }
    })
  }

  test('is of a proxy that is asked for whole URLs over TLS, and of nobody in clear text', async (t) => {
    const authority = new Authority(t)
    const identity = authority.issue()
    const server = await serve(t, (peer, target) => peer.say(ok(target)), identity)
    const proxy = { scheme: 'https', host: 'localhost', port: server.port } as const
    const through = { proxy, tls: tlsWith(authority.file) }
    const caller = new Caller(t, { host: 'server.example', port: 80 }, { through })
    caller.say('GET http://server.example/x HTTP/1.1\r\n\r\n')
    const answer = ok('http://server.example/x')
    assert.equal((await caller.hear(answer.length)).toString(), answer)
    const is = tlsServerEndPoint(new X509Certificate(identity.cert).raw, nodeHashes)
    assert.deepEqual(caller.connection.channelBinding, is)
    const clear = await serve(t, (peer, target) => peer.say(ok(target)))
    const plain = new Caller(t, { host: '127.0.0.1', port: clear.port })
    await plain.settled
    assert.equal(plain.connection.channelBinding, undefined)
  })
})
