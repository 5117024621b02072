import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { SchemeName } from '../auth/auth.ts'
import { Authority, needsOpenssl } from './certificates.suite.ts'
import { DistrustError } from './failure.ts'
import { guarded, guards, identityWith, pair, user, type Guard } from './guarded.suite.ts'
import type { RequestBody } from './http.ts'
import { fetchText, KeepingSink, get, makeClient, ok, serve } from './servers.suite.ts'

/** Schemes that need nothing but us. */
const schemes: readonly (readonly [SchemeName, () => Guard, binds: boolean])[] = [
  ['basic', guards.basic, false],
  ['digest', guards.digest, false],
  ['ntlm', guards.ntlm, true],
]

/** A body that counts how often it is read. */
function bodyOf(text: string): RequestBody & { readonly reads: () => number } {
  let reads = 0
  const bytes = Buffer.from(text)
  return {
    length: bytes.length,
    async *read() {
      reads++
      for (let at = 0; at < bytes.length; at += 10_000) yield bytes.subarray(at, at + 10_000)
    },
    reads: () => reads,
  }
}

for (const [scheme, guard, binds] of schemes) {
  describe(scheme, () => {
    test('the right password opens, and opens again without being asked', async (t) => {
      const server = await guarded(t, [guard()])
      const client = makeClient(t)
      const identity = identityWith(t, [pair(scheme)])
      for (const path of ['/a', '/b', '/c']) {
        const { text } = await fetchText(client, server.url + path, { identity })
        assert.equal(text, path)
      }
      const refusals = server.log.filter(({ status }) => status === 401).length
      assert.equal(refusals, binds ? 2 : 1)
      assert.equal(server.connections(), 1)
    })

    test('the wrong password is tried once, and the answer is a 401 that says so (A133)', async (t) => {
      const server = await guarded(t, [guard()])
      const client = makeClient(t)
      const identity = identityWith(t, [pair(scheme, 'server', 'wrong')])
      const { response } = await fetchText(client, `${server.url}/a`, { identity })
      assert.equal(response.status, 401)
      assert.match(response.refusal ?? '', /refused the credentials/u)
      const tries = server.log.filter(({ credentials }) => credentials !== undefined).length
      assert.equal(tries, binds ? 2 : 1)
      const before = server.log.length
      await fetchText(client, `${server.url}/a`, { identity })
      assert.equal(
        server.log.slice(before).filter(({ credentials }) => credentials !== undefined).length,
        0,
      )
    })

    test('nobody in particular gets the 401', async (t) => {
      const server = await guarded(t, [guard()])
      const client = makeClient(t)
      const { response } = await fetchText(client, `${server.url}/a`)
      assert.equal(response.status, 401)
      assert.equal(server.log.length, 1)
    })

    test('somebody without credentials for it is told why', async (t) => {
      const server = await guarded(t, [guard()])
      const identity = identityWith(t, [])
      const { response } = await fetchText(makeClient(t), `${server.url}/a`, { identity })
      assert.match(response.refusal ?? '', /cannot give/u)
    })

    test('a server that closes behind each 401 is answered on the next connection (A361)', async (t) => {
      const server = await guarded(t, [guard()], {
        closes: (request) => request.headers.authorization === undefined,
      })
      const client = makeClient(t)
      const identity = identityWith(t, [pair(scheme)])
      const { text } = await fetchText(client, `${server.url}/a`, { identity })
      assert.equal(text, '/a')
    })

    test('many requests at once are one attempt until it has succeeded (A135)', async (t) => {
      const server = await guarded(t, [guard()])
      const client = makeClient(t)
      const identity = identityWith(t, [pair(scheme, 'server', 'wrong')])
      const paths = Array.from({ length: 20 }, (_, place) => `/${place}`)
      const all = await Promise.all(
        paths.map((path) => fetchText(client, server.url + path, { identity })),
      )
      assert(all.every(({ response }) => response.status === 401))
      const tries = server.log.filter(({ credentials }) => credentials !== undefined).length
      assert.equal(tries, binds ? 2 : 1)
    })

    test('many requests at once all succeed', async (t) => {
      const server = await guarded(t, [guard()])
      const client = makeClient(t)
      const identity = identityWith(t, [pair(scheme)])
      for (const connections of [1, 2, 6]) {
        const paths = Array.from({ length: 60 }, (_, place) => `/${connections}/${place}`)
        const all = await Promise.all(
          paths.map((path) => fetchText(client, server.url + path, { identity, connections })),
        )
        assert.deepEqual(
          all.map(({ text }) => text),
          paths,
        )
      }
    })

    test('large bodies do not keep others from being proven', async (t) => {
      const server = await guarded(t, [guard()], {
        serve: (request, response) => void response.end(Buffer.alloc(3_000_000, request.url)),
      })
      const client = makeClient(t)
      const identity = identityWith(t, [pair(scheme)])
      const paths = Array.from({ length: 12 }, (_, place) => `/${place}`)
      const all = await Promise.all(
        paths.map((path) => fetchText(client, server.url + path, { identity, connections: 3 })),
      )
      assert(all.every(({ text }) => text.length === 3_000_000))
    })

    test('a body is sent once, with the proof (A420)', async (t) => {
      const text = 'x'.repeat(100_000)
      const server = await guarded(t, [guard()], {
        serve: (request, response) => void response.end(request.method),
      })
      const client = makeClient(t)
      const identity = identityWith(t, [pair(scheme)])
      for (const path of ['/first', '/second']) {
        const body = bodyOf(text)
        const sink = new KeepingSink()
        const { response } = await client.exchange(
          { ...get(server.url + path), method: 'PUT', body, identity },
          sink,
        )
        assert.equal(response.status, 200)
        assert.equal(body.reads(), 1)
        const received = server.log.filter(({ path: seen }) => seen === path)
        assert.deepEqual(
          received.filter(({ bytes }) => bytes > 0).map(({ status, bytes }) => [status, bytes]),
          [[200, text.length]],
        )
      }
    })

    test('a connection that is lost between two requests costs a new proof and nothing else', async (t) => {
      const server = await guarded(t, [guard()], {
        serve: (request, response) => {
          response.setHeader('Connection', 'close')
          response.end(request.url)
        },
      })
      const client = makeClient(t)
      const identity = identityWith(t, [pair(scheme)])
      for (const path of ['/a', '/b', '/c']) {
        assert.equal((await fetchText(client, server.url + path, { identity })).text, path)
      }
    })

    test('public and private files mix on a few connections', async (t) => {
      const server = await guarded(t, [guard()], { isPublic: (path) => path.endsWith('public') })
      const client = makeClient(t)
      const identity = identityWith(t, [pair(scheme)])
      const paths = Array.from({ length: 90 }, (_, place) =>
        place % 3 === 0 ? `/${place}` : `/${place}/public`,
      )
      const all = await Promise.all(
        paths.map((path) => fetchText(client, server.url + path, { identity, connections: 3 })),
      )
      assert.deepEqual(
        all.map(({ text }) => text),
        paths,
      )
    })

    test('a 401 with megabytes is not read to its end (A361)', async (t) => {
      const server = await guarded(t, [guard()], { refusal: 'no'.repeat(2_000_000) })
      const client = makeClient(t)
      const identity = identityWith(t, [pair(scheme)])
      const { response, text } = await fetchText(client, `${server.url}/a`, { identity })
      assert.equal(response.status, binds ? 401 : 200)
      if (!binds) assert.equal(text, '/a')
    })

    test('whoever leaves in the middle lets the others go on', async (t) => {
      const server = await guarded(t, [guard()])
      const client = makeClient(t)
      const identity = identityWith(t, [pair(scheme)])
      const leaving = new AbortController()
      const gone = fetchText(client, `${server.url}/gone`, { identity, signal: leaving.signal })
      const stays = fetchText(client, `${server.url}/stays`, { identity })
      leaving.abort(new Error('left'))
      await assert.rejects(gone, /left/u)
      assert.equal((await stays).text, '/stays')
    })
  })
}

test('credentials do not follow a redirect to another origin (A380)', async (t) => {
  const other = await guarded(t, [guards.basic()])
  const server = await guarded(t, [guards.basic()], {
    serve: (_request, response) => {
      response.writeHead(302, { Location: `${other.url}/elsewhere` }).end()
    },
  })
  const identity = identityWith(t, [pair('basic')])
  const { response } = await fetchText(makeClient(t), `${server.url}/a`, { identity })
  assert.equal(response.status, 401)
  assert(other.log.every(({ credentials }) => credentials === undefined))
})

test('a 407 of a server is not answered (A177)', async (t) => {
  const server = await serve(t, (peer) =>
    peer.say(
      'HTTP/1.1 407 Give\r\nProxy-Authenticate: Basic realm="x"\r\nContent-Length: 0\r\n\r\n',
    ),
  )
  const identity = identityWith(t, [pair('basic', 'proxy'), pair('basic')])
  const { response } = await fetchText(makeClient(t), server.url, { identity })
  assert.equal(response.status, 407)
  assert.equal(server.targets.length, 1)
})

test('a server that asks for proof for ever is left (A440)', async (t) => {
  const server = await serve(t, (peer, _target, place) =>
    peer.say(
      `HTTP/1.1 401 No\r\nWWW-Authenticate: Digest realm="r", nonce="n${place}", qop="auth", stale=true\r\n` +
        'Content-Length: 0\r\n\r\n',
    ),
  )
  const identity = identityWith(t, [pair('digest')])
  const { response } = await fetchText(makeClient(t), server.url, { identity })
  assert.equal(response.status, 401)
  assert(server.targets.length < 25)
})

test('a Digest server that cannot prove itself is not trusted (A222)', async (t) => {
  const server = await serve(t, (peer) => {
    const said = peer.requests.at(-1) ?? ''
    if (!said.includes('Authorization: Digest')) {
      peer.say(
        'HTTP/1.1 401 No\r\nWWW-Authenticate: Digest realm="r", nonce="n", qop="auth"\r\n' +
          'Content-Length: 0\r\n\r\n',
      )
    } else peer.say(ok('forged', `Authentication-Info: rspauth="${'0'.repeat(32)}"\r\n`))
  })
  const identity = identityWith(t, [pair('digest')])
  await assert.rejects(fetchText(makeClient(t), server.url, { identity }), DistrustError)
})

test('a stronger scheme is preferred, and Basic is not sent where it was not set (A22, A181)', async (t) => {
  const server = await guarded(t, [guards.basic(), guards.digest(), guards.ntlm()])
  const client = makeClient(t)
  const strong = identityWith(t, [pair('basic'), pair('digest'), pair('ntlm')])
  await fetchText(client, `${server.url}/a`, { identity: strong })
  assert.match(server.log.at(-1)?.credentials ?? '', /^NTLM /u)
  const only = identityWith(t, [pair('digest')])
  await fetchText(client, `${server.url}/b`, { identity: only })
  assert.match(server.log.at(-1)?.credentials ?? '', /^Digest /u)
})

test('a name and password never show up in what is thrown or answered', async (t) => {
  const server = await guarded(t, [guards.basic()])
  const identity = identityWith(t, [pair('basic', 'server', 'not this one')])
  const { response } = await fetchText(makeClient(t), `${server.url}/a`, { identity })
  assert(!JSON.stringify(response).includes('not this one'))
  assert(!(response.refusal ?? '').includes(user.name))
})

test(
  'NTLM over TLS is bound to the channel where the server wants that (A400)',
  { skip: needsOpenssl },
  async (t) => {
    const authority = new Authority(t)
    const server = await guarded(t, [guards.ntlm('require')], { certificate: authority.issue() })
    const client = makeClient(t)
    const identity = identityWith(t, [pair('ntlm')])
    for (const path of ['/a', '/b']) {
      const { text } = await fetchText(client, server.url + path, {
        identity,
        caFile: authority.file,
      })
      assert.equal(text, path)
    }
  },
)
