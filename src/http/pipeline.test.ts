import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import fc from 'fast-check'
import { testWorld } from '../auth/world.suite.ts'
import { HttpClient } from './http.ts'
import { Identity } from './identity.ts'
import { PIPELINE_DEPTH, SMALL_BODY_BYTES } from './pipeline.ts'
import {
  fetchText,
  get,
  KeepingSink,
  makeClient,
  ok,
  serve,
  type Answer,
  type Peer,
  type RawServer,
} from './servers.suite.ts'

/** What proves a connection: a small response, and two that were asked for at once. */
const proofs = ['/prove', '/prove/1', '/prove/2'] as const

/** A client and a server to which one connection has proven itself; places of requests are counted from then on. */
async function prove(t: TestContext, answer: Answer): Promise<readonly [HttpClient, RawServer]> {
  const server = await serve(t, (peer, target, place) => {
    if (target.startsWith('/prove')) peer.say(ok('proven'))
    else answer(peer, target, peer.index === 0 ? place - proofs.length : place)
  })
  const client = makeClient(t)
  const [first, ...both] = proofs
  await fetchText(client, `${server.url}${first}`)
  await fetchAll(client, server, both)
  return [client, server]
}

/** Fetches several things at once over at most one connection. */
function fetchAll(
  client: HttpClient,
  { url }: RawServer,
  targets: readonly string[],
  signal = new AbortController().signal,
): Promise<readonly { readonly text: string }[]> {
  return Promise.all(
    targets.map((target) => fetchText(client, `${url}${target}`, { connections: 1, signal })),
  )
}

const names = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, number) => `/${number}`)

test('a proven connection takes several requests at once, as many as the depth', async (t) => {
  let waiting = 0
  let most = 0
  const [client, server] = await prove(t, (peer, target) => {
    most = Math.max(most, ++waiting)
    setImmediate(() => {
      waiting--
      peer.say(ok(target))
    })
  })
  const targets = names(3 * PIPELINE_DEPTH)
  const texts = await fetchAll(client, server, targets)
  assert.deepEqual(
    texts.map(({ text }) => text),
    targets,
  )
  assert.equal(server.peers.length, 1)
  assert.deepEqual(server.targets.slice(proofs.length), targets)
  assert.equal(most, PIPELINE_DEPTH)
})

test('a connection that has proven nothing takes one request at a time', async (t) => {
  let waiting = 0
  const server = await serve(t, (peer, target) => {
    assert.equal(++waiting, 1)
    setImmediate(() => {
      waiting--
      peer.say(`HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\n${target}`)
    })
  })
  await fetchAll(makeClient(t), server, ['/1', '/2', '/3', '/4'])
  assert.equal(server.peers.length, 1)
})

const unproven = [
  ['an intermediary answers', 'Via: 1.1 somebody\r\n', 'x'],
  ['the last body was large', '', 'x'.repeat(SMALL_BODY_BYTES + 1)],
] as const

for (const [why, fields, body] of unproven) {
  test(`requests wait for each other while ${why}`, async (t) => {
    let waiting = 0
    const server = await serve(t, (peer) => {
      assert.equal(++waiting, 1)
      setImmediate(() => {
        waiting--
        peer.say(ok(body, fields))
      })
    })
    await fetchAll(makeClient(t), server, names(5))
    assert.equal(server.peers.length, 1)
  })
}

test('POST waits until it is alone on its connection, and is not sent twice', async (t) => {
  const [client, server] = await prove(t, (peer, target) => {
    if (target === '/post') peer.hangUp()
    else setImmediate(() => peer.say(ok(target)))
  })
  const before = fetchText(client, `${server.url}/a`, { connections: 1 })
  const post = fetchText(client, `${server.url}/post`, { connections: 1, method: 'POST' })
  const refused = assert.rejects(post, { code: 'ERROR_WINHTTP_CONNECTION_ERROR' })
  assert.equal((await before).text, '/a')
  await refused
  assert.deepEqual(server.targets, [...proofs, '/a', '/post'])
})

test('what a closed connection had not answered is sent again on another', async (t) => {
  const [client, server] = await prove(t, (peer, target, place) => {
    if (peer.index === 0 && place === 2) peer.hangUp()
    else if (peer.index > 0 || place < 2) peer.say(ok(target))
  })
  const targets = names(10)
  const texts = await fetchAll(client, server, targets)
  assert.deepEqual(
    texts.map(({ text }) => text),
    targets,
  )
  assert.equal(server.peers.length, 2)
})

test('a response that was begun is not asked for again: its exchange fails', async (t) => {
  const [client, server] = await prove(t, (peer, target, place) => {
    if (peer.index > 0) return peer.say(ok(target))
    if (place === 0) {
      peer.say('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfive')
      peer.hangUp()
    }
  })
  const ends = await Promise.allSettled(
    names(3).map((target) => fetchText(client, `${server.url}${target}`, { connections: 1 })),
  )
  assert.deepEqual(
    ends.map(({ status }) => status),
    ['rejected', 'fulfilled', 'fulfilled'],
  )
})

test('a server that answers one request and closes is asked one at a time soon', async (t) => {
  const server = await serve(t, (peer, target, place) => {
    if (place === 0) peer.say(ok(target))
    else peer.hangUp()
  })
  const targets = names(20)
  const texts = await fetchAll(makeClient(t), server, targets)
  assert.deepEqual(
    texts.map(({ text }) => text),
    targets,
  )
  // Each connection answers one; only the first few were tried with more.
  const tried = server.peers.filter(({ requests }) => requests.length > 1)
  assert.ok(tried.length < 6, `${tried.length} connections were tried with more than one request`)
})

test('a server that closes with each response gets a connection for each request', async (t) => {
  const server = await serve(t, (peer, target) => {
    peer.say(ok(target, 'Connection: close\r\n'))
    peer.hangUp()
  })
  await fetchAll(makeClient(t), server, names(5))
  assert.equal(server.peers.length, 5)
})

test('a server that breaks under pipelining is not pipelined to any more', async (t) => {
  const server = await serve(t, (peer, target) => {
    setImmediate(() => {
      if (peer.socket.destroyed) return
      // Requests that came together are too much for it.
      if (peer.requests.length > answered(peer.index) + 1) return peer.reset()
      counts[peer.index] = answered(peer.index) + 1
      peer.say(ok(target))
    })
  })
  const counts: number[] = []
  const answered = (index: number): number => counts[index] ?? 0
  const targets = names(40)
  const texts = await fetchAll(makeClient(t), server, targets)
  assert.deepEqual(
    texts.map(({ text }) => text),
    targets,
  )
  assert.ok(server.peers.length <= 4, `${server.peers.length} connections`)
})

test('a server that throws away what it reads behind a request mixes nothing up', async (t) => {
  const busy = new Set<Peer>()
  const server = await serve(t, (peer, target) => {
    if (busy.has(peer)) return
    busy.add(peer)
    setImmediate(() => {
      busy.delete(peer)
      peer.say(ok(target))
    })
  })
  const client = makeClient(t)
  const targets = names(40)
  const texts = await Promise.all(
    targets.map((target) =>
      fetchText(client, `${server.url}${target}`, { connections: 3, stallTimeoutMs: 100 }),
    ),
  )
  assert.deepEqual(
    texts.map(({ text }) => text),
    targets,
  )
})

test('nothing follows two requests in one piece before both are answered', async (t) => {
  const held = Promise.withResolvers<void>()
  const server = await serve(t, (peer, target) => {
    void (target === '/2' ? held.promise : Promise.resolve()).then(() => peer.say(ok(target)))
  })
  const client = makeClient(t)
  const all = names(8).map((target) => fetchText(client, `${server.url}${target}`, { connections: 1 })) // prettier-ignore
  await all[1]
  // What was sent at once would have come before this.
  await fetchText(client, `${server.url}/other`, { party: 'other' })
  assert.deepEqual(server.targets, ['/0', '/1', '/2', '/other'])
  held.resolve()
  const texts = await Promise.all(all)
  assert.deepEqual(
    texts.map(({ text }) => text),
    names(8),
  )
})

test('what follows a response that was longer than promised is no answer to the next', async (t) => {
  const [client, server] = await prove(t, (peer, target) => {
    peer.say(ok(target))
    if (peer.index === 0) peer.say('and more')
  })
  const texts = await fetchAll(client, server, ['/1', '/2', '/3'])
  assert.deepEqual(
    texts.map(({ text }) => text),
    ['/1', '/2', '/3'],
  )
})

test('nobody waits behind a body that turns out to be large', async (t) => {
  const large = 'x'.repeat(2_000_000)
  const [client, server] = await prove(t, (peer, target) => {
    if (target !== '/large') return peer.say(ok(target))
    peer.say(`HTTP/1.1 200 OK\r\nContent-Length: ${large.length}\r\n\r\n`)
  })
  const first = fetchText(client, `${server.url}/large`, { connections: 2 })
  const one = fetchText(client, `${server.url}/1`, { connections: 1 })
  const two = fetchText(client, `${server.url}/2`, { connections: 2 })
  assert.equal((await two).text, '/2')
  server.peers[0]?.say(large)
  assert.equal((await first).text.length, large.length)
  assert.equal((await one).text, '/1')
  assert.equal(server.peers.length, 2)
})

test('an exchange that is given up costs its neighbours nothing', async (t) => {
  const held = Promise.withResolvers<void>()
  const [client, server] = await prove(t, (peer, target, place) => {
    if (place === 2) held.resolve()
    void held.promise.then(() => peer.say(ok(target)))
  })
  const abort = new AbortController()
  const first = fetchText(client, `${server.url}/1`, { connections: 1 })
  const given = fetchText(client, `${server.url}/2`, { connections: 1, signal: abort.signal })
  const last = fetchText(client, `${server.url}/3`, { connections: 1 })
  abort.abort(new Error('stopped'))
  await assert.rejects(given, /stopped/u)
  assert.deepEqual([(await first).text, (await last).text], ['/1', '/3'])
  assert.equal(server.peers.length, 1)
})

test('giving up the exchange that is due sends its neighbours again', async (t) => {
  const [client, server] = await prove(t, (peer, target, place) => {
    if (peer.index > 0) peer.say(ok(target))
    else if (place === 2) abort.abort(new Error('stopped'))
  })
  const abort = new AbortController()
  const given = fetchText(client, `${server.url}/1`, { connections: 1, signal: abort.signal })
  const others = fetchAll(client, server, ['/2', '/3'])
  await assert.rejects(given, /stopped/u)
  assert.deepEqual(
    (await others).map(({ text }) => text),
    ['/2', '/3'],
  )
  assert.equal(server.peers.length, 2)
})

test('a whole party that leaves opens no connection on its way out', async (t) => {
  const [client, server] = await prove(t, (_, __, place) => {
    if (place === PIPELINE_DEPTH - 1) abort.abort(new Error('stopped'))
  })
  const abort = new AbortController()
  const ends = await Promise.allSettled(
    names(50).map((target) =>
      fetchText(client, `${server.url}${target}`, { connections: 1, signal: abort.signal }),
    ),
  )
  assert.ok(ends.every(({ status }) => status === 'rejected'))
  await client.close()
  assert.equal(server.peers.length, 1)
})

test('parties do not share a connection at the same time, but one after the other', async (t) => {
  const [client, server] = await prove(t, (peer, target) =>
    setImmediate(() => peer.say(ok(target))),
  )
  await Promise.all(
    ['one', 'two', 'one', 'two'].map((party, place) =>
      fetchText(client, `${server.url}/${party}${place}`, { party, connections: 1 }),
    ),
  )
  assert.equal(server.peers.length, 2)
  for (const { requests } of server.peers) {
    const parties = new Set(requests.map((head) => /\/(one|two)/u.exec(head)?.[1]))
    parties.delete(undefined)
    assert.equal(parties.size, 1)
  }
  await fetchText(client, `${server.url}/three`, { party: 'three', connections: 1 })
  assert.equal(server.peers.length, 2)
})

test('identities never share a connection (A360)', async (t) => {
  const [client, server] = await prove(t, (peer, target) => peer.say(ok(target)))
  const wallet = { pairs: [] }
  const [a, b] = [0, 1].map(() => new Identity({ wallet, world: testWorld() }))
  assert(a !== undefined && b !== undefined)
  await fetchText(client, server.url, { identity: a })
  await fetchText(client, server.url, { identity: b })
  await fetchText(client, server.url, { identity: a })
  assert.equal(server.peers.length, 3)
})

test('a party gets as many connections as it may have', async (t) => {
  const server = await serve(t, ({ index }) => {
    // Nobody is answered before all are connected.
    if (index === 3) for (const each of server.peers) each.say(ok('all'))
  })
  const client = makeClient(t)
  await Promise.all(
    names(4).map((target) => fetchText(client, `${server.url}${target}`, { connections: 4 })),
  )
  assert.equal(server.peers.length, 4)
})

test('a server that bears few connections is served with those', async (t) => {
  const server = await serve(t, (peer, target) => {
    if (peer.index >= 2) peer.reset()
    else setImmediate(() => peer.say(ok(target)))
  })
  const client = makeClient(t)
  await Promise.all([
    fetchText(client, `${server.url}/a`, { connections: 2 }),
    fetchText(client, `${server.url}/b`, { connections: 2 }),
  ])
  const texts = await Promise.all(
    names(12).map((target) => fetchText(client, `${server.url}${target}`)),
  )
  assert.deepEqual(
    texts.map(({ text }) => text),
    names(12),
  )
})

test('whatever a server does, an exchange gets its own body or a failure to try again', async (t) => {
  let behaviour: readonly Behaviour[] = []
  const server = await serve(t, (peer, target, place) => {
    const kind = behaviour[(peer.index * 7 + place) % Math.max(1, behaviour.length)] ?? 'answer'
    // Later, so that requests gather.
    setImmediate(() => behave[kind](peer, target))
  })
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(...behaviours), { minLength: 1, maxLength: 12 }),
      fc.integer({ min: 1, max: 6 }),
      async (behaviours, connections) => {
        behaviour = behaviours
        const client = new HttpClient()
        const targets = names(30)
        const ends = await Promise.allSettled(
          targets.map((target) => fetchText(client, `${server.url}${target}`, { connections })),
        )
        for (const [place, end] of ends.entries()) {
          if (end.status === 'fulfilled') assert.equal(end.value.text, `body of ${targets[place]}`)
          else assert.equal(end.reason.code, 'ERROR_WINHTTP_CONNECTION_ERROR')
        }
        await client.close()
      },
    ),
    { numRuns: 40 },
  )
})

const behaviours = ['answer', 'answer', 'closeAfter', 'hangUpAfter', 'hangUp', 'reset', 'breakOff'] as const // prettier-ignore

type Behaviour = (typeof behaviours)[number]

const behave: Readonly<Record<Behaviour, (peer: Peer, target: string) => void>> = {
  answer: (peer, target) => peer.say(ok(`body of ${target}`)),
  closeAfter: (peer, target) => {
    peer.say(ok(`body of ${target}`, 'Connection: close\r\n'))
    peer.hangUp()
  },
  hangUpAfter: (peer, target) => {
    peer.say(ok(`body of ${target}`))
    peer.hangUp()
  },
  hangUp: (peer) => peer.hangUp(),
  reset: (peer) => peer.reset(),
  breakOff: (peer, target) => {
    peer.say(ok(`body of ${target}`).slice(0, -2))
    peer.hangUp()
  },
}

test('any bodies in any pieces arrive whole, in place and once', async (t) => {
  const [client, server] = await prove(t, (peer, target) => {
    const [, seed = '0', size = '0', kind] = target.split('/')
    const body = bodyOf(Number(seed), Number(size))
    const response = kind === 'chunked' ? chunked(body) : ok(body)
    for (const piece of cut(response, Number(seed))) peer.say(piece)
  })
  const body = fc.record({
    seed: fc.nat(1000),
    size: fc.oneof(fc.nat(100), fc.nat(100_000), fc.nat(1_500_000)),
    kind: fc.constantFrom('length', 'chunked'),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.array(body, { maxLength: 12 }),
      fc.integer({ min: 1, max: 4 }),
      async (bodies, connections) => {
        // prettier-ignore
        const texts = await Promise.all(
        bodies.map(async ({ seed, size, kind }) => {
          const sink = new KeepingSink()
          const url = `${server.url}/${seed}/${size}/${kind}`
          await client.exchange(get(url, { connections }), sink)
          return sink.text
        }),
      )
        const wrong = texts.findIndex((text, place) => {
          const { seed = 0, size = 0 } = bodies[place] ?? {}
          return text !== bodyOf(seed, size)
        })
        assert.equal(wrong, -1)
      },
    ),
    { numRuns: 10 },
  )
})

function bodyOf(seed: number, size: number): string {
  return Array.from({ length: Math.ceil(size / 16) }, (_, line) => `${seed}:${line}`.padEnd(16)).join('').slice(0, size) // prettier-ignore
}

function chunked(body: string): string {
  const chunks = [...cut(body, 7)].map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`)
  return `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunks.join('')}0\r\n\r\n`
}

function* cut(text: string, seed: number): Generator<string> {
  for (let at = 0, step = seed + 1; at < text.length; step = (step * 31 + 7) % 70_001) {
    yield text.slice(at, at + step + 1)
    at += step + 1
  }
}
