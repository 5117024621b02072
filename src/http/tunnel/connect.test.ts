import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import { FailureError } from '../../job/failure.ts'
import type { Proxy } from '../../job/route.ts'
import { TurnedClock } from '../../testing/turned-clock.ts'
import type { CredentialPair } from '../../auth/credentials.ts'
import { Caller } from '../caller.suite.ts'
import { Authority, needsOpenssl } from '../certificates.suite.ts'
import type { ConnectionOptions } from '../connection.ts'
import { isProxyUnreachable } from '../failure.ts'
import { guards, pair } from '../guarded.suite.ts'
import { closedPort, ok, serve } from '../servers.suite.ts'
import { MAX_REFUSAL_BYTES, tunnelAuthority } from './connect.ts'
import { PROXY_ANSWER_MS, PROXY_CONNECT_MS } from './limits.ts'
import {
  authenticatorFor,
  opening,
  serveConnect,
  serveGuarded,
  tlsWith,
  type ProxyServer,
} from './proxies.suite.ts'

const authorities = [
  ['example.org', 443, 'example.org:443'],
  ['192.0.2.1', 8443, '192.0.2.1:8443'],
  ['2001:db8::1', 443, '[2001:db8::1]:443'],
] as const

for (const [host, port, authority] of authorities) {
  test(`tunnelAuthority() writes ${authority}: the port always, IPv6 in brackets (N90)`, () => {
    assert.equal(tunnelAuthority({ host, port }), authority)
  })
}

/** A server with TLS behind proxies, and who goes there. */
class Scene {
  readonly authority: Authority
  readonly #t: TestContext
  readonly #port: number

  static async begin(t: TestContext): Promise<Scene> {
    const authority = new Authority(t)
    const server = await serve(t, (peer, target) => peer.say(ok(target)), authority.issue())
    return new Scene(t, authority, server.port)
  }

  private constructor(t: TestContext, authority: Authority, port: number) {
    this.#t = t
    this.authority = authority
    this.#port = port
  }

  go(
    proxy: Proxy,
    pairs: readonly CredentialPair[] = [],
    options: Partial<ConnectionOptions> = {},
  ): Caller {
    return this.goWith(proxy, authenticatorFor(this.#t, proxy, pairs), options)
  }

  goWith(
    proxy: Proxy,
    authenticator: ReturnType<typeof authenticatorFor>,
    options: Partial<ConnectionOptions> = {},
  ): Caller {
    const tls = proxy.scheme === 'https' ? tlsWith(this.authority.file) : undefined
    return new Caller(
      this.#t,
      { host: 'localhost', port: this.#port },
      { tls: tlsWith(this.authority.file), through: { proxy, tls, authenticator }, ...options },
    )
  }

  get target(): string {
    return `localhost:${this.#port}`
  }
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

/** The schemes of the proofs that a proxy was sent; `-` for none. */
function proofs({ heard }: ProxyServer): readonly string[] {
  return heard.map((head) => /^Proxy-Authorization: (\w+)/im.exec(head)?.[1] ?? '-')
}

describe('a tunnel', { skip: needsOpenssl }, () => {
  for (const kind of ['http', 'https'] as const) {
    test(`leads through an ${kind} proxy, which hears nothing of the request, with TLS inside (N90, N92, N97)`, async (t) => {
      const scene = await Scene.begin(t)
      const identity = kind === 'https' ? scene.authority.issue() : undefined
      const { proxy, heard } = await serveConnect(t, opening, identity)
      const caller = scene.go(proxy)
      await assertArrives(caller)
      const [head = ''] = heard
      const [line, ...fields] = head.trimEnd().split('\r\n')
      assert.equal(line, `CONNECT ${scene.target} HTTP/1.1`)
      assert.deepEqual(
        fields.map((field) => field.replace(/\/.*/, '')),
        [`Host: ${scene.target}`, 'User-Agent: Lull'],
      )
    })
  }

  test('ignores the framing of the 2xx that opens it (N90)', async (t) => {
    const scene = await Scene.begin(t)
    const { proxy } = await serveConnect(t, (seat, { port }) =>
      seat.open(
        port,
        'HTTP/1.1 299 Fine\r\nContent-Length: 1000\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n',
      ),
    )
    await assertArrives(scene.go(proxy))
  })

  test('opens behind interim answers', async (t) => {
    const scene = await Scene.begin(t)
    const { proxy } = await serveConnect(t, (seat, { port }) =>
      seat.open(port, 'HTTP/1.1 103 Hints\r\nLink: </x>\r\n\r\nHTTP/1.0 200 OK\r\n\r\n'),
    )
    await assertArrives(scene.go(proxy))
  })

  test('carries a body that comes in small pieces whole and in order', async (t) => {
    const authority = new Authority(t)
    const body = Buffer.alloc(3_000_000)
    for (let at = 0; at < body.length; at += 4) body.writeUInt32LE(at, at)
    const server = await serve(t, (peer) => peer.socket.write(body), authority.issue())
    const { proxy } = await serveConnect(t, opening)
    const caller = new Caller(
      t,
      { host: 'localhost', port: server.port },
      { tls: tlsWith(authority.file), through: { proxy } },
    )
    caller.say('GET / HTTP/1.1\r\n\r\n')
    await caller.settled
    caller.connection.pause()
    caller.connection.resume()
    assert.ok((await caller.hear(body.length)).equals(body))
  })

  test('refuses what a server says in it before it is spoken to', async (t) => {
    const scene = await Scene.begin(t)
    const { proxy } = await serveConnect(t, (seat) =>
      seat.say('HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'),
    )
    const { code, failure } = await failureOf(scene.go(proxy))
    assert.equal(code, 'ERROR_WINHTTP_SECURE_CHANNEL_ERROR')
    assert.equal(failure.severity, 'fatal')
  })

  test('is not one before the server in it has proved itself', async (t) => {
    const scene = await Scene.begin(t)
    const { proxy } = await serveConnect(t)
    const stranger = tlsWith(new Authority(t).file)
    const caller = scene.go(proxy, [], { tls: stranger })
    assert.equal(Reflect.get((await caller.over) ?? {}, 'code'), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE')
    assert.equal(caller.isConnected, false)
  })
})

const schemes = ['basic', 'digest', 'ntlm'] as const

describe('CONNECT', { skip: needsOpenssl }, () => {
  const wanted = {
    basic: ['-', 'Basic', 'Basic'],
    // The second tunnel goes on with the nonce of the first.
    digest: ['-', 'Digest', 'Digest'],
    // Each tunnel authenticates anew (A363), beginning with the first leg.
    ntlm: ['-', 'NTLM', 'NTLM', 'NTLM', 'NTLM'],
  }
  for (const scheme of schemes) {
    for (const kind of ['http', 'https'] as const) {
      test(`proves with ${scheme} at an ${kind} proxy, and at once the second time (N93, A363, A364)`, async (t) => {
        const scene = await Scene.begin(t)
        const guard =
          scheme === 'ntlm'
            ? guards.ntlm(kind === 'https' ? 'require' : 'ignore')
            : guards[scheme]()
        const server = await serveGuarded(
          t,
          guard,
          kind === 'https' ? { identity: scene.authority.issue() } : {},
        )
        const authenticator = authenticatorFor(t, server.proxy, [pair(scheme, 'proxy')])
        await assertArrives(scene.goWith(server.proxy, authenticator))
        await assertArrives(scene.goWith(server.proxy, authenticator))
        assert.deepEqual(proofs(server), wanted[scheme])
        assert.equal(server.seats.length, 2)
      })
    }
  }

  test('is counted by Digest, each with what was asked of the proxy (N93, A126)', async (t) => {
    const scene = await Scene.begin(t)
    const server = await serveGuarded(t, guards.digest())
    const authenticator = authenticatorFor(t, server.proxy, [pair('digest', 'proxy')])
    for (let tunnel = 0; tunnel < 3; tunnel++) {
      await assertArrives(scene.goWith(server.proxy, authenticator))
    }
    const told = server.heard.slice(1).map((head) => {
      const [, uri] = /\buri="([^"]*)"/u.exec(head) ?? []
      const [, count] = /\bnc=(\w+)/u.exec(head) ?? []
      return [uri, count]
    })
    const counts = ['00000001', '00000002', '00000003']
    assert.deepEqual(
      told,
      counts.map((count) => [scene.target, count]),
    )
  })

  test('is answered with the strongest scheme that the proxy offers, wherever it stands (N95, A181)', async (t) => {
    const scene = await Scene.begin(t)
    const digest = 'Digest realm="x", nonce="n", qop="auth", algorithm=SHA-256'
    for (const challenges of [
      ['Basic realm="x"', digest],
      [digest, 'Basic realm="x"'],
    ]) {
      const lines = challenges.map((value) => `Proxy-Authenticate: ${value}\r\n`).join('')
      const server = await serveConnect(t, (seat, { head, port }) => {
        if (/^Proxy-Authorization/imu.test(head)) seat.open(port, 'HTTP/1.1 200 OK\r\n\r\n')
        else seat.say(`HTTP/1.1 407 Proof\r\n${lines}Content-Length: 0\r\n\r\n`)
      })
      const pairs = [pair('basic', 'proxy'), pair('digest', 'proxy')]
      await assertArrives(scene.go(server.proxy, pairs))
      assert.deepEqual(proofs(server), ['-', 'Digest'])
    }
  })

  const refusals = [
    ['with a length', 'Content-Length: 2\r\n\r\nno', 1],
    ['in chunks', 'Transfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n', 1],
    ['without a body', 'Content-Length: 0\r\n\r\n', 1],
    ['just short enough', longBody(MAX_REFUSAL_BYTES), 1],
    ['too long to be drained', longBody(MAX_REFUSAL_BYTES + 1), 2],
    ['with Connection: close', 'Connection: close\r\nContent-Length: 2\r\n\r\nno', 2],
    ['with Proxy-Connection: close', 'Proxy-Connection: close\r\nContent-Length: 0\r\n\r\n', 2],
    ['that goes up to the end of the connection', '\r\nno and no and no', 2],
  ] as const

  for (const [what, refusal, seats] of refusals) {
    test(`takes a 407 ${what}, on ${seats} connections (A363, A364)`, async (t) => {
      const scene = await Scene.begin(t)
      const server = await serveGuarded(t, guards.basic(), { refusal })
      await assertArrives(scene.go(server.proxy, [pair('basic', 'proxy')]))
      assert.deepEqual(proofs(server), ['-', 'Basic'])
      assert.equal(server.seats.length, seats)
    })
  }

  const closing = [
    ['basic', [0], ['-', 'Basic']],
    ['digest', [0], ['-', 'Digest']],
    // N94: the first leg goes out at once on the fresh connection.
    ['ntlm', [0], ['-', 'NTLM', 'NTLM']],
    // A362, A135: between the legs of one challenge it may happen once.
    ['ntlm', [1], ['-', 'NTLM', 'NTLM', 'NTLM']],
  ] as const

  for (const [scheme, places, sent] of closing) {
    for (const how of ['said', 'unsaid'] as const) {
      test(`bears a proxy that closes behind 407 number ${places[0]} and has ${how} so, with ${scheme}`, async (t) => {
        const scene = await Scene.begin(t)
        const server = await serveGuarded(t, guards[scheme](), {
          closes: (count) => places.some((place) => place === count) && how,
        })
        await assertArrives(scene.go(server.proxy, [pair(scheme, 'proxy')]))
        assert.equal(server.seats.length, 2)
        // What was sent into a connection that was closing is sent once more.
        if (how === 'said') assert.deepEqual(proofs(server), sent)
      })
    }
  }

  for (const how of ['said', 'unsaid'] as const) {
    test(`gives up NTLM at a proxy that closes behind each 407 and has ${how} so (N94)`, async (t) => {
      const scene = await Scene.begin(t)
      const server = await serveGuarded(t, guards.ntlm(), { closes: () => how })
      const { code, failure } = await failureOf(scene.go(server.proxy, [pair('ntlm', 'proxy')]))
      assert.equal(code, 'BG_E_HTTP_ERROR_407')
      assert.equal(failure.context, 'REMOTE_FILE')
      assert.ok(server.seats.length <= 4, `${server.seats.length} connections`)
    })
  }
})

describe('a tunnel that is not made', { skip: needsOpenssl }, () => {
  const answers = [
    ['HTTP/1.1 403 No\r\n\r\n', 'BG_E_HTTP_ERROR_403', 'REMOTE_FILE', 'fatal'],
    ['HTTP/1.1 502 Bad\r\n\r\n', 'BG_E_HTTP_ERROR_502', 'REMOTE_FILE', 'transient'],
    [
      'HTTP/1.1 302 Found\r\nLocation: http://x/\r\n\r\n',
      'BG_E_HTTP_ERROR_302',
      'REMOTE_FILE',
      'fatal',
    ],
    // Never the server's, whatever it says (N91).
    [
      'HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm="x"\r\n\r\n',
      'BG_E_HTTP_ERROR_401',
      'REMOTE_FILE',
      'fatal',
    ],
    ['HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n', 'BG_E_HTTP_ERROR_407', 'REMOTE_FILE', 'fatal'],
    [
      'HTTP/1.1 407 No\r\nProxy-Authenticate: Passport1.4\r\nContent-Length: 0\r\n\r\n',
      'BG_E_HTTP_ERROR_407',
      'REMOTE_FILE',
      'fatal',
    ],
    [
      'HTTP/1.1 101 Other\r\nUpgrade: x\r\n\r\n',
      'BG_E_INVALID_SERVER_RESPONSE',
      'GENERAL_TRANSPORT',
      'fatal',
    ],
    ['SSH-2.0-Server\r\n', 'BG_E_INVALID_SERVER_RESPONSE', 'REMOTE_FILE', 'fatal'],
    [
      `HTTP/1.1 200 ${'x'.repeat(100_000)}`,
      'ERROR_WINHTTP_HEADER_SIZE_OVERFLOW',
      'REMOTE_FILE',
      'fatal',
    ],
    ['', 'ERROR_WINHTTP_CONNECTION_ERROR', 'GENERAL_TRANSPORT', 'transient'],
    ['HTTP/1.1 2', 'ERROR_WINHTTP_CONNECTION_ERROR', 'GENERAL_TRANSPORT', 'transient'],
  ] as const

  for (const [answer, ...is] of answers) {
    test(`because the proxy answers ${JSON.stringify(answer.slice(0, 40))} is ${is[0]} (N91)`, async (t) => {
      const scene = await Scene.begin(t)
      const server = await serveConnect(t, (seat) => {
        seat.say(answer)
        seat.socket.end()
      })
      const error = await failureOf(scene.go(server.proxy, [pair('passport', 'proxy')]))
      const { symbol, context, severity } = error.failure
      assert.deepEqual([symbol, context, severity], is, error.message)
      assert.equal(isProxyUnreachable(error), false)
      assert.equal(server.heard.length, 1)
    })
  }

  test('tells when the proxy wants to be asked again', async (t) => {
    const scene = await Scene.begin(t)
    const { proxy } = await serveConnect(t, (seat) =>
      seat.say('HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n'),
    )
    assert.equal((await failureOf(scene.go(proxy))).failure.retryAfterMs, 7_000)
  })

  for (const scheme of schemes) {
    test(`for want of the right password is one attempt with ${scheme}, and none the next time`, async (t) => {
      const scene = await Scene.begin(t)
      const server = await serveGuarded(t, guards[scheme]())
      const wrong = authenticatorFor(t, server.proxy, [pair(scheme, 'proxy', 'wrong')])
      for (const time of ['first', 'second']) {
        const { code, message } = await failureOf(scene.goWith(server.proxy, wrong))
        assert.equal(code, 'BG_E_HTTP_ERROR_407', time)
        assert.equal(
          message,
          `Cannot go through the proxy http://localhost:${server.port}: the proxy refused the credentials`,
        )
      }
      const legs = scheme === 'ntlm' ? ['NTLM', 'NTLM'] : [scheme === 'basic' ? 'Basic' : 'Digest']
      assert.deepEqual(proofs(server), ['-', ...legs, '-'])
    })
  }

  test('by one of many at the same time leaves one failed logon', async (t) => {
    const scene = await Scene.begin(t)
    const server = await serveGuarded(t, guards.basic())
    const wrong = authenticatorFor(t, server.proxy, [pair('basic', 'proxy', 'wrong')])
    const callers = Array.from({ length: 5 }, () => scene.goWith(server.proxy, wrong))
    for (const caller of callers) {
      assert.equal((await failureOf(caller)).code, 'BG_E_HTTP_ERROR_407')
    }
    assert.equal(proofs(server).filter((proof) => proof === 'Basic').length, 1)
  })

  test('is refused when nobody answers for the job', async (t) => {
    const scene = await Scene.begin(t)
    const server = await serveGuarded(t, guards.basic())
    const caller = new Caller(
      t,
      { host: 'localhost', port: 1 },
      { tls: tlsWith(scene.authority.file), through: { proxy: server.proxy } },
    )
    assert.equal((await failureOf(caller)).code, 'BG_E_HTTP_ERROR_407')
    assert.deepEqual(proofs(server), ['-'])
  })

  test('is given up when every connection closes behind a nonce that went stale', async (t) => {
    const scene = await Scene.begin(t)
    const server = await serveConnect(t, (seat) => {
      const challenge = `Digest realm="r", qop="auth", nonce="${seat.index}", stale=true`
      seat.say(`HTTP/1.1 407 No\r\nProxy-Authenticate: ${challenge}\r\nConnection: close\r\n\r\n`)
    })
    const { code } = await failureOf(scene.go(server.proxy, [pair('digest', 'proxy')]))
    assert.equal(code, 'BG_E_HTTP_ERROR_407')
    assert.ok(server.seats.length <= 6, `${server.seats.length} connections`)
  })
})

describe('a proxy that cannot be reached', { skip: needsOpenssl }, () => {
  test('because nobody listens there', async (t) => {
    const scene = await Scene.begin(t)
    const port = await closedPort()
    for (const scheme of ['http', 'https', 'socks4', 'socks5'] as const) {
      const error = await failureOf(scene.go({ scheme, host: '127.0.0.1', port }))
      assert.equal(error.code, 'ERROR_WINHTTP_CANNOT_CONNECT')
      assert.equal(
        error.message,
        `Cannot connect to the proxy 127.0.0.1 port ${port}: connection refused`,
      )
      assert.ok(isProxyUnreachable(error))
    }
  })

  test('because its name does not resolve has a code of its own (N2)', async (t) => {
    const scene = await Scene.begin(t)
    const proxy = { scheme: 'http', host: 'proxy.invalid', port: 3128 } as const
    const error = await failureOf(scene.go(proxy))
    assert.ok(isProxyUnreachable(error))
    // Without a network at all it is nobody's fault.
    const codes = ['BG_E_PROXY_NAME_RESOLUTION_FAILURE', 'BG_E_NETWORK_DISCONNECTED']
    assert.ok(codes.includes(error.code), error.code)
    assert.equal(error.failure.severity, 'transient')
  })

  test('because it proves to be somebody else gets no CONNECT', async (t) => {
    const scene = await Scene.begin(t)
    const strangers = [
      new Authority(t).issue(),
      scene.authority.issue({ names: ['DNS:other.example'] }),
    ]
    for (const identity of strangers) {
      const server = await serveConnect(t, opening, identity)
      const error = await failureOf(scene.go(server.proxy))
      assert.equal(error.code, 'ERROR_WINHTTP_SECURE_FAILURE_PROXY')
      assert.match(error.message, /^Cannot trust the proxy localhost: its certificate /)
      assert.ok(isProxyUnreachable(error))
      assert.deepEqual(server.heard, [])
    }
  })

  test('because it does not speak TLS', async (t) => {
    const scene = await Scene.begin(t)
    const { port } = await serveConnect(t, (seat) => seat.say('HTTP/1.1 400 What\r\n\r\n'))
    const silent = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.once('data', () => socket.end('what?'))
    })
    silent.listen(0, '127.0.0.1')
    await once(silent, 'listening')
    t.after(() => silent.close())
    const address = silent.address()
    assert.ok(typeof address === 'object' && address !== null && address.port !== port)
    const proxy = { scheme: 'https', host: 'localhost', port: address.port } as const
    const error = await failureOf(scene.go(proxy))
    assert.equal(error.code, 'ERROR_WINHTTP_SECURE_FAILURE_PROXY')
    assert.ok(isProxyUnreachable(error))
  })

  test('without a certificate of ours says so (N92)', async (t) => {
    const scene = await Scene.begin(t)
    const ca = scene.authority.pem
    const wanting = { requestCert: true, rejectUnauthorized: true, ca }
    const server = await serveConnect(t, opening, { ...scene.authority.issue(), ...wanting })
    const { code } = await failureOf(scene.go(server.proxy))
    assert.equal(code, 'ERROR_WINHTTP_CLIENT_AUTH_CERT_NEEDED_PROXY')
    // The same of a connection that leads there and no further.
    const through = { proxy: server.proxy, tls: tlsWith(scene.authority.file) }
    const caller = new Caller(t, { host: 'server.example', port: 80 }, { through })
    const error = await caller.over
    assert.ok(error instanceof FailureError)
    assert.equal(error.code, 'ERROR_WINHTTP_CLIENT_AUTH_CERT_NEEDED_PROXY')
    assert.equal(caller.hasEnded, false)
  })
})

describe('a proxy that takes its time', { skip: needsOpenssl }, () => {
  test('has 60 s for its answer, and silence is no stall meanwhile (N98)', async (t) => {
    const scene = await Scene.begin(t)
    const clock = new TurnedClock()
    const limited: boolean[] = []
    const server = await serveConnect(t, (seat, request) => {
      clock.turn(PROXY_ANSWER_MS - 1)
      limited.push(caller.connection.isLimited)
      opening(seat, request)
    })
    const caller = scene.go(server.proxy, [], { clock })
    await assertArrives(caller)
    assert.deepEqual(limited, [true])
    assert.equal(caller.connection.isLimited, false)
    assert.equal(clock.alarms, 0)
  })

  test('and does not answer is given up, though it can be reached', async (t) => {
    const scene = await Scene.begin(t)
    const clock = new TurnedClock()
    const server = await serveConnect(t, () => clock.turn(PROXY_ANSWER_MS))
    const error = await failureOf(scene.go(server.proxy, [], { clock }))
    assert.equal(error.code, 'ERROR_WINHTTP_TIMEOUT')
    assert.equal(
      error.message,
      `Cannot go through the proxy http://localhost:${server.port}: no answer within 60 s`,
    )
    assert.equal(isProxyUnreachable(error), false)
  })

  test('and does not end a 407 is given up', async (t) => {
    const scene = await Scene.begin(t)
    const clock = new TurnedClock()
    const server = await serveConnect(t, (seat) => {
      seat.say('HTTP/1.1 407 No\r\nContent-Length: 9\r\n\r\nno')
      setImmediate(() => clock.turn(PROXY_ANSWER_MS))
    })
    const caller = scene.go(server.proxy, [pair('basic', 'proxy')], { clock })
    assert.equal((await failureOf(caller)).code, 'ERROR_WINHTTP_TIMEOUT')
  })

  for (const scheme of ['https', 'socks5'] as const) {
    test(`and accepts a connection but says nothing is unreachable after 30 s, as ${scheme}`, async (t) => {
      const scene = await Scene.begin(t)
      const clock = new TurnedClock()
      const mute = createServer((socket) => {
        socket.on('error', () => undefined)
        socket.once('data', () => clock.turn(PROXY_CONNECT_MS))
      })
      mute.listen(0, '127.0.0.1')
      await once(mute, 'listening')
      t.after(() => mute.close())
      const address = mute.address()
      assert.ok(typeof address === 'object' && address !== null)
      const proxy = { scheme, host: '127.0.0.1', port: address.port }
      const error = await failureOf(scene.go(proxy, [], { clock }))
      assert.equal(error.code, 'ERROR_WINHTTP_TIMEOUT')
      assert.ok(isProxyUnreachable(error))
      assert.equal(clock.alarms, 0)
    })
  }

  test('is left at once by who does not want to go there any more', async (t) => {
    const scene = await Scene.begin(t)
    const { promise, resolve } = Promise.withResolvers<void>()
    const server = await serveConnect(t, () => resolve())
    const caller = scene.go(server.proxy)
    await promise
    const [seat] = server.seats
    assert.ok(seat !== undefined)
    const left = once(seat.socket, 'close')
    caller.connection.close()
    assert.equal(await caller.over, undefined)
    await left
  })
})

function longBody(bytes: number): string {
  return `Content-Length: ${bytes}\r\n\r\n${'x'.repeat(bytes)}`
}
