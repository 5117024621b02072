import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { TurnedClock } from '../testing/turned-clock.ts'
import { IDLE_TIMEOUT_MS, STARVED_MS } from './origin.ts'
import { LOOK_EVERY_MS } from './pool.ts'
import { fetchText, get, KeepingSink, makeClient, ok, serve, type Peer } from './servers.suite.ts'

const stallTimeoutMs = 4_000

/** How much longer than its limit a stall may last before it is noticed. */
const slackMs = 2 * LOOK_EVERY_MS

test('a server that does not answer is given up after the stall timeout', async (t) => {
  const clock = new TurnedClock()
  const server = await serve(t, () => clock.turn(stallTimeoutMs + slackMs))
  await assert.rejects(fetchText(makeClient(t, clock), server.url, { stallTimeoutMs }), {
    code: 'ERROR_WINHTTP_TIMEOUT',
    message: `Cannot go on with ${server.url}/: no byte came for 4 s`,
  })
})

test('a server that does not finish connecting is given up after the stall timeout', async (t) => {
  const clock = new TurnedClock()
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => clock.turn(stallTimeoutMs + slackMs))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  const url = `https://127.0.0.1:${address.port}/`
  await assert.rejects(fetchText(makeClient(t, clock), url, { stallTimeoutMs }), {
    code: 'ERROR_WINHTTP_TIMEOUT',
    message: `Cannot connect to 127.0.0.1 port ${address.port}: no answer within 4 s`,
  })
})

test('a server that sends a byte now and then is not given up', async (t) => {
  const clock = new TurnedClock()
  let told = 0
  const body = 'x'.repeat(20)
  const server = await serve(t, (peer) =>
    peer.say(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`),
  )
  const sink = new KeepingSink()
  const next = (): void => {
    clock.turn(stallTimeoutMs - slackMs)
    if (told++ < body.length) server.peers[0]?.say('x')
  }
  const head = sink.head.bind(sink)
  sink.head = (response) => {
    setImmediate(next)
    return head(response)
  }
  const write = sink.write.bind(sink)
  sink.write = (bytes) => {
    write(bytes)
    setImmediate(next)
  }
  await makeClient(t, clock).exchange(get(server.url, { stallTimeoutMs }), sink)
  assert.equal(sink.text, body)
})

test('what came is flushed before the next bytes are there', async (t) => {
  const clock = new TurnedClock()
  const server = await serve(t, (peer) =>
    peer.say('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst'),
  )
  const sink = new KeepingSink()
  const write = sink.write.bind(sink)
  sink.write = (bytes) => {
    write(bytes)
    setImmediate(() => {
      if (sink.text !== '') return
      clock.turn(LOOK_EVERY_MS)
      assert.equal(sink.text, 'first')
      server.peers[0]?.say('later')
    })
  }
  await makeClient(t, clock).exchange(get(server.url), sink)
  assert.equal(sink.text, 'firstlater')
})

test('a body that is held back does not stall', async (t) => {
  const clock = new TurnedClock()
  const body = 'x'.repeat(3_000_000)
  const server = await serve(t, (peer) => peer.say(ok(body)))
  const sink = new KeepingSink()
  const head = sink.head.bind(sink)
  sink.head = (response) => {
    response.flow.pause()
    setImmediate(() => {
      clock.turn(10 * stallTimeoutMs)
      response.flow.resume()
    })
    return head(response)
  }
  await makeClient(t, clock).exchange(get(server.url, { stallTimeoutMs }), sink)
  assert.equal(sink.text.length, body.length)
})

test('an exchange that waits for a connection does not stall', async (t) => {
  const clock = new TurnedClock()
  const server = await serve(t, (peer, target) => {
    if (target === '/second') return peer.say(ok('second'))
    // In steps: the first one is answered a little at a time.
    peer.say('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n')
  })
  const client = makeClient(t, clock)
  const sink = new KeepingSink()
  const step = (): void => {
    clock.turn(stallTimeoutMs - slackMs)
    server.peers[0]?.say('x')
  }
  const head = sink.head.bind(sink)
  sink.head = (response) => {
    setImmediate(step)
    return head(response)
  }
  sink.write = () => setImmediate(step)
  const more = { connections: 1, stallTimeoutMs }
  const first = client.exchange(get(`${server.url}/first`, more), sink)
  const second = fetchText(client, `${server.url}/second`, more)
  await first
  assert.equal((await second).text, 'second')
})

test('a server that serves one connection after the other is asked over one', async (t) => {
  const clock = new TurnedClock()
  const body = 'x'.repeat(9)
  const server = await serve(t, (peer, target) => {
    // Others were taken by the system, and nobody reads what they say.
    if (peer !== server.peers[0]) return
    if (target === '/second') return peer.say(ok('second'))
    peer.say(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`)
  })
  const client = makeClient(t, clock)
  const sink = new KeepingSink()
  const step = (): void => {
    clock.turn(stallTimeoutMs - slackMs)
    server.peers[0]?.say('x')
  }
  const begun = Promise.withResolvers<void>()
  const head = sink.head.bind(sink)
  sink.head = (response) => {
    begun.resolve()
    return head(response)
  }
  const write = sink.write.bind(sink)
  let told = 1
  sink.write = (bytes) => {
    write(bytes)
    if (told++ < body.length) setImmediate(step)
  }
  const more = { connections: 2, stallTimeoutMs }
  const first = client.exchange(get(`${server.url}/first`, more), sink)
  await begun.promise
  const second = fetchText(client, `${server.url}/second`, more)
  while (server.peers.length < 2) await new Promise((resolve) => setImmediate(resolve))
  step()
  await first
  assert.equal(sink.text, body)
  assert.equal((await second).text, 'second')
  assert.equal(server.peers.length, 2)
})

test('idle connections are closed where a server serves others only then', async (t) => {
  const clock = new TurnedClock()
  const served = Promise.withResolvers<Peer>()
  const heard = Promise.withResolvers<void>()
  const server = await serve(t, (peer, target) => {
    if (target !== '/second') {
      peer.say(ok(target))
      return served.resolve(peer)
    }
    void served.promise.then(({ socket }) => {
      socket.once('close', () => peer.say(ok(target)))
      heard.resolve()
    })
  })
  const client = makeClient(t, clock)
  const more = { connections: 2, stallTimeoutMs: 10 * STARVED_MS }
  const first = fetchText(client, `${server.url}/first`, more)
  const second = fetchText(client, `${server.url}/second`, more)
  await Promise.all([first, heard.promise])
  clock.turn(STARVED_MS + slackMs)
  assert.equal((await second).text, '/second')
})

test('requests that a server ignores behind others are asked one at a time', async (t) => {
  const clock = new TurnedClock()
  const server = await serve(t, (peer, target, place) => {
    // Of those that come together it answers the first only.
    if (place <= 1 || peer.index > 0) peer.say(ok(target))
  })
  const client = makeClient(t, clock)
  const fetch = (target: string): ReturnType<typeof fetchText> =>
    fetchText(client, `${server.url}${target}`, { connections: 1, stallTimeoutMs })
  await fetch('/0')
  const first = fetch('/1')
  const ignored = [fetch('/2'), fetch('/3'), fetch('/4')]
  assert.equal((await first).text, '/1')
  clock.turn(stallTimeoutMs + slackMs)
  const texts = await Promise.all(ignored)
  assert.deepEqual(
    texts.map(({ text }) => text),
    ['/2', '/3', '/4'],
  )
  assert.equal(server.peers.length, 2)
})

test('an idle connection is closed in time, and the clock is left alone then', async (t) => {
  const clock = new TurnedClock()
  const server = await serve(t, (peer) => peer.say(ok('')))
  const client = makeClient(t, clock)
  await fetchText(client, server.url)
  clock.turn(IDLE_TIMEOUT_MS - LOOK_EVERY_MS)
  await fetchText(client, server.url)
  const [peer] = server.peers
  assert.equal(server.peers.length, 1)
  assert.ok(peer !== undefined)
  const closed = once(peer.socket, 'close')
  clock.turn(IDLE_TIMEOUT_MS + slackMs)
  await closed
  await client.close()
  assert.equal(clock.alarms, 0)
})
