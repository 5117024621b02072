import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import * as fc from 'fast-check'
import type { CredentialPair } from '../auth/credentials.ts'
import { Secret } from '../auth/secret.ts'
import type { Routes } from '../job/route.ts'
import { FailureError } from '../job/failure.ts'
import { TurnedClock } from '../testing/turned-clock.ts'
import { realWorld } from './guarded.suite.ts'
import { answer, hostile, type Heard, type Move } from './hostile.suite.ts'
import { HttpClient, type RequestBody } from './http.ts'
import { Identity } from './identity.ts'
import { get, KeepingSink } from './servers.suite.ts'
import { hostClock, type SteadyClock } from './steady-clock.ts'

const serverPassword = 'Pas-of-server'
const proxyPassword = 'Pas-of-proxy'

function set(
  target: CredentialPair['target'],
  scheme: CredentialPair['scheme'],
  userName: string,
  password: string,
): CredentialPair {
  const credentials = { kind: 'password', userName, password: Secret.fromText(password) } as const
  return { target, scheme, credentials }
}

/** Everything that passwords answer, for both. */
function allPairs(): readonly CredentialPair[] {
  const schemes = ['negotiate', 'ntlm', 'passport', 'digest', 'basic'] as const
  return schemes.flatMap((scheme) => [
    set('server', scheme, 'LAB\\ann', serverPassword),
    set('proxy', scheme, 'LAB\\bob', proxyPassword),
  ])
}

/** An NTLM CHALLENGE_MESSAGE without anything in it that a client may not do without. */
const ntlmChallenge = Buffer.concat([
  Buffer.from('NTLMSSP\0\x02\0\0\0', 'latin1'),
  Buffer.from([0, 0, 0, 0, 56, 0, 0, 0]),
  Buffer.from([0x05, 0x82, 0x8a, 0xa2]),
  Buffer.alloc(16, 7),
  Buffer.from([4, 0, 4, 0, 56, 0, 0, 0]),
  Buffer.alloc(8),
  Buffer.from([0, 0, 0, 0]),
]).toString('base64')

const challenge = fc.oneof(
  fc.constantFrom(
    'Basic realm="r"',
    'Basic',
    'Basic realm=r2, charset="UTF-8"',
    'NTLM',
    'Negotiate',
  ),
  fc.constantFrom(`NTLM ${ntlmChallenge}`, `Negotiate ${ntlmChallenge}`, 'NTLM !!', 'NTLM AAAA'),
  fc.constantFrom('Negotiate oYH//w==', `Negotiate ${'YIL/'.repeat(2000)}`, 'Foo a=b', '', ',,,'),
  fc.constantFrom('Passport1.4 ct=1,x', 'Passport1.4', `Digest ${'a=b,'.repeat(100)}`),
  fc.constantFrom(Array.from({ length: 80 }, (_, place) => `S${place}`).join(', ')),
  fc
    .record({ realm: fc.constantFrom('r', 's', 't'), nonce: fc.nat(5), stale: fc.boolean() })
    .map(
      ({ realm, nonce, stale }) =>
        `Digest realm="${realm}", nonce="n${nonce}", qop="auth"${stale ? ', stale=true' : ''}`,
    ),
)

const framing = fc.constantFrom<(status: string, fields: string) => string>(
  (status, fields) => `HTTP/1.1 ${status}\r\n${fields}Content-Length: 0\r\n\r\n`,
  (status, fields) => `HTTP/1.1 ${status}\r\n${fields}Content-Length: 2\r\n\r\nno`,
  (status, fields) =>
    `HTTP/1.1 ${status}\r\n${fields}Transfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n`,
  (status, fields) =>
    `HTTP/1.1 ${status}\r\n${fields}Connection: close\r\nContent-Length: 2\r\n\r\nno`,
  (status, fields) => `HTTP/1.0 ${status}\r\n${fields}Content-Length: 2\r\n\r\nno`,
  (status, fields) => `HTTP/1.1 ${status}\r\n${fields}\r\nno`,
  (status, fields) => `HTTP/1.1 ${status}\r\n${fields}Content-Length: 9\r\n\r\nno`,
  (status, fields) =>
    `HTTP/1.1 ${status}\r\n${fields}Content-Length: 99999\r\n\r\n${'n'.repeat(99_999)}`,
  (status, fields) =>
    `HTTP/1.1 102 Wait\r\n\r\nHTTP/1.1 100 Go\r\n\r\nHTTP/1.1 ${status}\r\n${fields}Content-Length: 0\r\n\r\n`,
  (status, fields) =>
    `HTTP/1.1 ${status}\r\n${fields}Content-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged`,
)

const asking = fc
  .tuple(
    framing,
    fc.constantFrom(
      ['401 No', 'WWW-Authenticate'] as const,
      ['407 No', 'Proxy-Authenticate'] as const,
      ['302 No\r\nLocation: /next', 'WWW-Authenticate'] as const,
    ),
    fc.array(challenge, { maxLength: 4 }),
  )
  .map(([frame, [status, name], challenges]) =>
    frame(status, challenges.map((value) => `${name}: ${value}\r\n`).join('')),
  )

const letting = fc
  .tuple(
    framing,
    fc.constantFrom('200 OK', '204 Nothing', '404 No', '500 Oh', '503 Later', '206 Part'),
    fc.constantFrom(
      '',
      `Authentication-Info: rspauth="${'0'.repeat(32)}"\r\n`,
      'WWW-Authenticate: Negotiate AAAA\r\n',
      'Persistent-Auth: false\r\n',
      'Authentication-Info: nextnonce="next"\r\nSet-Cookie: a=b\r\n',
    ),
  )
  .map(([frame, status, fields]) => frame(status, fields))

/** What the server does about a request; `FOREIGN` stands for another origin. */
const move: fc.Arbitrary<Move> = fc.record({
  say: fc.oneof(
    { weight: 8, arbitrary: asking },
    { weight: 4, arbitrary: letting },
    {
      weight: 2,
      arbitrary: fc.constantFrom(
        '',
        'garbage\r\n\r\n',
        'HTTP/1.1 401',
        `HTTP/1.1 401 No\r\nX: ${'x'.repeat(70_000)}\r\n\r\n`,
        'HTTP/1.1 100 Go\r\n\r\n'.repeat(40),
        'HTTP/1.1 302 Go\r\nLocation: FOREIGN\r\nContent-Length: 0\r\n\r\n',
        'HTTP/1.1 302 Go\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n',
      ),
    },
  ),
  end: fc.constantFrom(undefined, undefined, undefined, undefined, 'close', 'reset'),
})

function bodyOf(text: string): RequestBody {
  const bytes = Buffer.from(text)
  return {
    length: bytes.length,
    async *read() {
      yield bytes
    },
  }
}

/** A minute is over in less than a second: a proxy that never answers CONNECT is given up by then (N98). */
const hasty: SteadyClock = {
  monotonic: () => hostClock.monotonic(),
  alarm: (ms, ring) => hostClock.alarm(Math.min(ms, 600), ring),
}

/** More requests than any exchange of this test may need: 20 answers to the server, as many for each redirect. */
const MOST_REQUESTS = 150

test(
  'whatever a server answers, exchanges end, and tell nobody what is not for them',
  { timeout: 90_000 },
  async (t) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(move, { maxLength: 24 }),
        fc.array(move, { maxLength: 6 }),
        fc.record({
          count: fc.integer({ min: 1, max: 4 }),
          connections: fc.integer({ min: 1, max: 2 }),
          isProxied: fc.boolean(),
          isUpload: fc.boolean(),
          isCyclic: fc.boolean(),
          leavesAt: fc.option(fc.nat(10), { nil: undefined }),
        }),
        async (
          moves,
          foreignMoves,
          { count, connections, isProxied, isUpload, isCyclic, leavesAt },
        ) => {
          const leaving = new AbortController()
          const decide =
            (list: readonly Move[]) =>
            (_heard: Heard): Move => {
              const place = places++
              if (place === leavesAt) leaving.abort(new Error('left'))
              const chosen = list[isCyclic && list.length > 0 ? place % list.length : place]
              const { say, end } = chosen ?? { say: answer(200, [], 'end') }
              return { say: say.replace('FOREIGN', `${foreign.url}/x`), end }
            }
          let places = 0
          await using foreign = await hostile(t, decide(foreignMoves))
          await using server = await hostile(t, decide(moves))
          const identity = new Identity({ wallet: { pairs: allPairs() }, world: realWorld })
          const client = new HttpClient({ clock: hasty })
          const hop = isProxied
            ? ({ scheme: 'http', host: '127.0.0.1', port: server.port } as const)
            : 'direct'
          const routes: Routes = { find: () => [hop], failed: () => undefined }
          const ask = async (place: number): Promise<unknown> => {
            const sink = new KeepingSink()
            const request = get(`${server.url}/${place}`, {
              identity,
              routes,
              connections,
              stallTimeoutMs: 80,
              ...(isUpload ? { method: 'PUT', body: bodyOf('the body') } : {}),
              ...(place === 0 ? { signal: leaving.signal } : {}),
            })
            try {
              return await client.exchange(request, sink)
            } catch (error) {
              assert(
                error instanceof FailureError || error === leaving.signal.reason,
                `it ends with a failure: ${inspect(error)}`,
              )
              return error
            }
          }
          const outcomes = await Promise.all(
            Array.from({ length: count }, (_, place) => ask(place)),
          )
          identity.close()
          await client.close()

          assert(server.heard.length <= MOST_REQUESTS * count, `${server.heard.length} requests`)
          assert.deepEqual(server.nonsense, [])
          assert.deepEqual(foreign.nonsense, [])
          const told = inspect(outcomes, { depth: 9, showHidden: true })
          for (const secret of secretsOf(serverPassword, proxyPassword)) {
            assert(!told.includes(secret), 'no outcome tells a secret')
          }
          for (const { fields } of foreign.heard) {
            assert.equal(fields.get('authorization'), undefined)
            assert.equal(fields.get('cookie'), undefined)
            assert.equal(fields.get('proxy-authorization'), undefined)
          }
          for (const { fields, line } of server.heard) {
            const [, url = ''] = line.split(' ')
            const forProxy = fields.get('proxy-authorization') ?? ''
            const forServer = fields.get('authorization') ?? ''
            if (!isProxied) assert.equal(forProxy, '')
            if (url.startsWith(foreign.url)) assert.equal(forServer, '')
            assert(!decoded(forProxy).includes(serverPassword))
            assert(!decoded(forServer).includes(proxyPassword))
          }
        },
      ),
      { numRuns: 150, endOnFailure: true },
    )
  },
)

test(
  'whatever a proxy answers to CONNECT, exchanges end, and it hears nothing that is for the server',
  { timeout: 90_000 },
  async (t) => {
    await fc.assert(
      fc.asyncProperty(fc.array(move, { maxLength: 24 }), fc.boolean(), async (moves, isCyclic) => {
        let place = 0
        await using proxy = await hostile(t, () => {
          const at = place++
          const { say, end } = moves[isCyclic && moves.length > 0 ? at % moves.length : at] ?? {
            say: answer(403),
          }
          // Whoever gets a tunnel speaks TLS in it.
          return { say, end: / 2\d\d /u.test(say) ? 'close' : end }
        })
        const identity = new Identity({ wallet: { pairs: allPairs() }, world: realWorld })
        const clock = new TurnedClock()
        const client = new HttpClient({ clock })
        // Time flies: who never answers is given up after a minute (N98).
        const flying = setInterval(() => clock.turn(10_000), 10)
        const routes: Routes = {
          find: () => [{ scheme: 'http', host: '127.0.0.1', port: proxy.port }],
          failed: () => undefined,
        }
        const exchange = client.exchange(
          get('https://host.test/a', { identity, routes, headers: [['X-Own', 'mine']] }),
          new KeepingSink(),
        )
        await assert.rejects(exchange)
        clearInterval(flying)
        identity.close()
        await client.close()
        assert(proxy.heard.length <= MOST_REQUESTS)
        for (const { line, fields } of proxy.heard) {
          if (!line.startsWith('CONNECT ')) continue
          assert.equal(line, 'CONNECT host.test:443 HTTP/1.1')
          assert(!fields.has('authorization') && !fields.has('x-own') && !fields.has('cookie'))
          assert(!decoded(fields.get('proxy-authorization') ?? '').includes(serverPassword))
        }
      }),
      { numRuns: 150, endOnFailure: true },
    )
  },
)

function decoded(credentials: string): string {
  return Buffer.from(credentials.replace(/^\S+ /u, ''), 'base64').toString('latin1')
}

function secretsOf(...passwords: readonly string[]): readonly string[] {
  return passwords.flatMap((password) => [
    password,
    Buffer.from(password).toString('base64').slice(0, 8),
  ])
}
