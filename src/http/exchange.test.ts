import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { FailureError } from '../job/failure.ts'
import { DRAIN_BYTES } from './pipeline.ts'
import {
  closedPort,
  droppingSink,
  fetchText,
  get,
  KeepingSink,
  makeClient,
  ok,
  serve,
} from './servers.suite.ts'

test('exchange() gives the head and then the body to the sink', async (t) => {
  const server = await serve(t, (peer) => peer.say(ok('hello', 'ETag: "v1"\r\n')))
  const sink = new KeepingSink()
  const { response, trailers } = await makeClient(t).exchange(get(`${server.url}/x?y`), sink)
  assert.equal(sink.text, 'hello')
  assert.equal(response, sink.response)
  assert.equal(response.status, 200)
  assert.equal(response.length, 5)
  assert.equal(response.url, `${server.url}/x?y`)
  assert.equal(response.isRedirected, false)
  const { field } = response
  assert.equal(field('etag'), '"v1"')
  assert.equal(trailers.size, 0)
})

const bodies = [
  { what: 'with a length', head: '', body: 'hello', is: 'hello', length: 5 },
  {
    what: 'in chunks',
    head: 'Transfer-Encoding: chunked\r\n',
    body: '2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n',
    is: 'hello',
    length: undefined,
  },
  { what: 'of no bytes', head: '', body: '', is: '', length: 0 },
] as const

for (const { what, head, body, is, length } of bodies) {
  test(`exchange() takes a body ${what}, and uses the connection again`, async (t) => {
    const framing = head === '' ? `Content-Length: ${body.length}\r\n` : head
    const server = await serve(t, (peer) => peer.say(`HTTP/1.1 200 OK\r\n${framing}\r\n${body}`))
    const client = makeClient(t)
    for (const time of ['first', 'second']) {
      const { text, response } = await fetchText(client, server.url)
      assert.equal(text, is, time)
      assert.equal(response.length, length)
    }
    assert.equal(server.peers.length, 1)
  })
}

test('exchange() hands over the trailers of a chunked body', async (t) => {
  const server = await serve(t, (peer) =>
    peer.say(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nDigest: md5=\r\n\r\n',
    ),
  )
  const { trailers } = await fetchText(makeClient(t), server.url)
  assert.equal(trailers.get('digest'), 'md5=')
})

test('exchange() takes a body up to the end of a connection that closes cleanly', async (t) => {
  const server = await serve(t, (peer) => {
    peer.say('HTTP/1.0 200 OK\r\n\r\nall of it')
    peer.hangUp()
  })
  const { text, response } = await fetchText(makeClient(t), server.url)
  assert.equal(text, 'all of it')
  assert.equal(response.length, undefined)
})

test('exchange() passes over interim responses', async (t) => {
  const server = await serve(t, (peer) =>
    peer.say(`HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n${ok('late')}`),
  )
  assert.equal((await fetchText(makeClient(t), server.url)).text, 'late')
})

test('exchange() knows that HEAD is answered without a body', async (t) => {
  const server = await serve(t, (peer, target) =>
    peer.say(target === '/head' ? 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n' : ok('next')),
  )
  const client = makeClient(t)
  const sink = new KeepingSink()
  const { response } = await client.exchange(get(`${server.url}/head`, { method: 'HEAD' }), sink)
  assert.equal(response.field('content-length'), '9')
  assert.equal(sink.text, '')
  assert.equal((await fetchText(client, server.url)).text, 'next')
})

test('exchange() gives statuses that are no success to the sink, too', async (t) => {
  const server = await serve(t, (peer) =>
    peer.say('HTTP/1.1 503 Busy\r\nRetry-After: 5\r\nContent-Length: 2\r\n\r\nno'),
  )
  const { response } = await fetchText(makeClient(t), server.url)
  assert.equal(response.status, 503)
  assert.equal(response.field('retry-after'), '5')
})

test('exchange() brings large bodies in adjacent views of a slab', async (t) => {
  const bytes = Buffer.alloc(5_000_000)
  for (let at = 0; at < bytes.length; at += 4) bytes.writeUInt32LE(at, at)
  const server = await serve(t, (peer) => {
    peer.say(`HTTP/1.1 200 OK\r\nContent-Length: ${bytes.length}\r\n\r\n`)
    peer.socket.write(bytes)
  })
  const sink = new KeepingSink()
  await makeClient(t).exchange(get(server.url), sink)
  assert.ok(sink.body.equals(bytes))
})

test('exchange() speaks with Node’s own server', async (t) => {
  const server = createServer((request, response) => {
    response.setHeader('X-Host', request.headers.host ?? '')
    response.write('one ')
    response.end('two')
  })
  server.listen(0, '::1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo // A TCP server's address is of this kind.
  const client = makeClient(t)
  const { text, response } = await fetchText(client, `http://[::1]:${port}/`)
  assert.equal(text, 'one two')
  assert.equal(response.field('x-host'), `[::1]:${port}`)
  await client.close()
})

test('exchange() follows redirects on the same connection and says where it ended', async (t) => {
  const server = await serve(t, (peer, target) => {
    const location = { '/a': '/b', '/b': 'c' }[target]
    peer.say(
      location === undefined
        ? ok('here')
        : `HTTP/1.1 302 Found\r\nLocation: ${location}\r\nContent-Length: 4\r\n\r\nbody`,
    )
  })
  const { text, response } = await fetchText(makeClient(t), `${server.url}/a`)
  assert.equal(text, 'here')
  assert.equal(response.url, `${server.url}/c`)
  assert.equal(response.isRedirected, true)
  assert.deepEqual(server.targets, ['/a', '/b', '/c'])
  assert.equal(server.peers.length, 1)
})

test('exchange() asks for the same part wherever it is sent on to', async (t) => {
  const there = await serve(t, (peer) => peer.say(ok('rest')))
  const here = await serve(t, (peer) =>
    peer.say(
      `HTTP/1.1 307 Temporary Redirect\r\nLocation: ${there.url}/\r\nContent-Length: 0\r\n\r\n`,
    ),
  )
  const headers = [
    ['Authorization', 'Bearer x'],
    ['X-Kept', '1'],
  ] as const
  await fetchText(makeClient(t), here.url, { headers, range: 'bytes=4-', ifRange: '"v"' })
  const [asked = ''] = there.peers[0]?.requests ?? []
  assert.match(asked, /\r\nRange: bytes=4-\r\nIf-Range: "v"\r\n/u)
  assert.match(asked, /\r\nX-Kept: 1\r\n/u)
  assert.doesNotMatch(asked, /Authorization/u)
})

test('exchange() drains a small body that nobody wants, and closes on a large one', async (t) => {
  const server = await serve(t, (peer, target) => {
    const size = target === '/small' ? DRAIN_BYTES : DRAIN_BYTES + 1
    peer.say(ok('x'.repeat(size)))
  })
  const client = makeClient(t)
  await client.exchange(get(`${server.url}/small`), droppingSink)
  await client.exchange(get(`${server.url}/large`), droppingSink)
  assert.equal(server.peers.length, 1)
  await client.exchange(get(`${server.url}/small`), droppingSink)
  assert.equal(server.peers.length, 2)
})

test('exchange() stops draining a body of unknown length in time', async (t) => {
  const server = await serve(t, (peer) => {
    const chunk = `1000\r\n${'x'.repeat(4096)}\r\n`
    peer.say(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk.repeat(17)}`)
  })
  const { response } = await makeClient(t).exchange(get(server.url), droppingSink)
  assert.equal(response.status, 200)
})

for (const place of ['head', 'write', 'flush'] as const) {
  test(`exchange() rejects with what the sink throws in ${place}(), and closes`, async (t) => {
    const server = await serve(t, (peer) => peer.say(ok('hello')))
    const client = makeClient(t)
    const sink = new KeepingSink()
    const reason = new Error('no room')
    sink[place] = () => {
      throw reason
    }
    await assert.rejects(client.exchange(get(server.url), sink), reason)
    assert.equal((await fetchText(client, server.url)).text, 'hello')
    assert.equal(server.peers.length, 2)
  })
}

test('exchange() sends nothing when the signal has aborted before', async (t) => {
  const server = await serve(t, (peer) => peer.say(ok('')))
  const reason = new Error('stopped')
  const signal = AbortSignal.abort(reason)
  await assert.rejects(fetchText(makeClient(t), server.url, { signal }), reason)
  assert.equal(server.peers.length, 0)
})

test('exchange() rejects with the signal’s reason in the midst of a body, and closes', async (t) => {
  const server = await serve(t, (peer) =>
    peer.say('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfive…'.slice(0, -1)),
  )
  const abort = new AbortController()
  const sink = new KeepingSink()
  sink.write = () => abort.abort(new Error('stopped'))
  const exchange = makeClient(t).exchange(get(server.url, { signal: abort.signal }), sink)
  await assert.rejects(exchange, /stopped/u)
  const [peer] = server.peers
  if (peer?.socket.closed === false) await once(peer.socket, 'close')
})

test('exchange() can be held back and let go on', async (t) => {
  const body = 'x'.repeat(6_000_000)
  const server = await serve(t, (peer) => peer.say(ok(body)))
  const client = makeClient(t)
  const sink = new KeepingSink()
  const write = sink.write.bind(sink)
  let pauses = 0
  sink.write = (bytes) => {
    write(bytes)
    pauses++
    sink.response?.flow.pause()
    setImmediate(() => sink.response?.flow.resume())
  }
  await client.exchange(get(server.url), sink)
  assert.ok(sink.text === body)
  assert.ok(pauses > 1)
  const { text } = await fetchText(client, server.url)
  assert.equal(text.length, body.length)
})

const faults = [
  ['a short body', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfive', 'ERROR_WINHTTP_CONNECTION_ERROR', 'transient'], // prettier-ignore
  ['no answer', '', 'ERROR_WINHTTP_CONNECTION_ERROR', 'transient'],
  ['half a head', 'HTTP/1.1 200 OK\r\nConte', 'ERROR_WINHTTP_CONNECTION_ERROR', 'transient'],
  ['chunks without an end', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n', 'ERROR_WINHTTP_CONNECTION_ERROR', 'transient'], // prettier-ignore
  ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx', 'BG_E_INVALID_SERVER_RESPONSE', 'fatal'], // prettier-ignore
  ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n', 'BG_E_INVALID_SERVER_RESPONSE', 'fatal'],
  ['a NUL in a head', 'HTTP/1.1 200 OK\r\nX: \0\r\n\r\n', 'BG_E_INVALID_SERVER_RESPONSE', 'fatal'],
  ['a flood of fields', `HTTP/1.1 200 OK\r\n${'A: b\r\n'.repeat(1000)}\r\n`, 'ERROR_WINHTTP_HEADER_COUNT_EXCEEDED', 'fatal'], // prettier-ignore
  ['an endless field', `HTTP/1.1 200 OK\r\nA: ${'b'.repeat(100_000)}\r\n\r\n`, 'ERROR_WINHTTP_HEADER_SIZE_OVERFLOW', 'fatal'], // prettier-ignore
  ['a circle', 'HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n', 'ERROR_WINHTTP_REDIRECT_FAILED', 'fatal'], // prettier-ignore
] as const

for (const [what, response, symbol, severity] of faults) {
  test(`exchange() makes ${symbol} of ${what}`, async (t) => {
    const server = await serve(t, (peer) => {
      peer.say(response)
      peer.hangUp()
    })
    await assert.rejects(
      fetchText(makeClient(t), `${server.url}/?secret`),
      (error) =>
        error instanceof FailureError &&
        error.failure.symbol === symbol &&
        error.failure.severity === severity &&
        !error.message.includes('secret'),
    )
  })
}

test('exchange() makes ERROR_WINHTTP_CONNECTION_ERROR of a reset in a body', async (t) => {
  const server = await serve(t, (peer) => {
    peer.socket.write('HTTP/1.0 200 OK\r\n\r\nsome of it', () => peer.reset())
  })
  await assert.rejects(fetchText(makeClient(t), server.url), {
    code: 'ERROR_WINHTTP_CONNECTION_ERROR',
  })
})

test('exchange() says who refuses a connection', async (t) => {
  const port = await closedPort()
  await assert.rejects(fetchText(makeClient(t), `http://127.0.0.1:${port}/`), {
    code: 'ERROR_WINHTTP_CANNOT_CONNECT',
    message: `Cannot connect to 127.0.0.1 port ${port}: connection refused`,
  })
})

test('exchange() connects to a name with several addresses of which one answers', async (t) => {
  const server = await serve(t, (peer) => peer.say(ok('found')))
  const { text } = await fetchText(makeClient(t), `http://localhost:${server.port}/`)
  assert.equal(text, 'found')
})

test('close() breaks off what is under way, and leaves nothing', async (t) => {
  const server = await serve(t, () => undefined)
  const client = makeClient(t)
  const exchanges = Array.from({ length: 10 }, () => fetchText(client, server.url))
  const ends = Promise.allSettled(exchanges)
  await client.close()
  for (const end of await ends) {
    assert.equal(end.status, 'rejected')
    assert.equal(end.reason.code, 'ERR_HTTP_CLOSED')
  }
  await assert.rejects(fetchText(client, server.url), { code: 'ERR_HTTP_CLOSED' })
  await client.close()
})
