import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { SchemeName } from '../auth/auth.ts'
import type { CredentialPair } from '../auth/credentials.ts'
import { defaultAuthSettings } from '../auth/settings.ts'
import { FailureError } from '../job/failure.ts'
import { directRoute } from '../job/route.ts'
import { Authority, needsOpenssl } from './certificates.suite.ts'
import { guardedProxy } from './guarded-proxy.suite.ts'
import { guarded, guards, identityWith, pair, realWorld, type Guard } from './guarded.suite.ts'
import { Identity } from './identity.ts'
import { closedPort, fetchText, makeClient, ok, serve } from './servers.suite.ts'

const kinds: readonly (readonly [SchemeName | 'nothing', () => Guard | undefined])[] = [
  ['nothing', () => undefined],
  ['basic', guards.basic],
  ['digest', guards.digest],
  ['ntlm', guards.ntlm],
]

const needsAuthority: string | false = needsOpenssl

describe('a server behind a proxy, each with its own proof (A120 to A128)', () => {
  for (const [asProxy, proxyGuard] of kinds) {
    for (const [asServer, serverGuard] of kinds) {
      for (const scheme of ['http', 'https'] as const) {
        const skip = scheme === 'https' && needsAuthority
        const name = `${asServer} over ${scheme} behind ${asProxy}`
        test(name, { skip }, async (t) => {
          const authority = scheme === 'https' ? new Authority(t) : undefined
          const guard = serverGuard()
          const server = await guarded(
            t,
            guard === undefined ? [] : [guard],
            authority === undefined ? {} : { certificate: authority.issue() },
          )
          const proxy = await guardedProxy(t, proxyGuard())
          const pairs: CredentialPair[] = []
          if (asProxy !== 'nothing') pairs.push(pair(asProxy, 'proxy'))
          if (asServer !== 'nothing') pairs.push(pair(asServer))
          const identity = identityWith(t, pairs)
          const client = makeClient(t)
          const { routes } = proxy
          const caFile = authority === undefined ? {} : { caFile: authority.file }
          const paths = Array.from({ length: 12 }, (_, place) => `/${place}`)
          const all = await Promise.all(
            paths.map((path) =>
              fetchText(client, server.url + path, { identity, routes, connections: 3, ...caFile }),
            ),
          )
          assert.deepEqual(
            all.map(({ text }) => text),
            paths,
          )
          for (const seen of proxy.log) {
            assert.equal(seen.method === 'CONNECT', scheme === 'https')
            if (scheme === 'https') assert.equal(seen.authorization, undefined)
          }
          // What is for the proxy never arrives at the server: neither passed on nor inside a tunnel.
          assert(server.log.every(({ forProxy }) => forProxy === undefined))
        })
      }
    }
  }
})

test('a wrong password for the proxy is tried once, and the answer is 407 (A133)', async (t) => {
  const server = await guarded(t, [])
  const proxy = await guardedProxy(t, guards.digest())
  const identity = identityWith(t, [pair('digest', 'proxy', 'wrong')])
  const { routes } = proxy
  const { response } = await fetchText(makeClient(t), `${server.url}/a`, { identity, routes })
  assert.equal(response.status, 407)
  assert.match(response.refusal ?? '', /proxy refused/u)
  assert.equal(proxy.log.filter(({ credentials }) => credentials !== undefined).length, 1)
  assert.equal(server.log.length, 0)
})

for (const scheme of ['http', 'https'] as const) {
  const skip = scheme === 'https' && needsOpenssl
  const name = `a service account is not told to a proxy on this machine that is asked for ${scheme}, whatever it is called (N96)`
  test(name, { skip }, async (t) => {
    const authority = scheme === 'https' ? new Authority(t) : undefined
    const certificate = authority === undefined ? {} : { certificate: authority.issue() }
    const server = await guarded(t, [], certificate)
    const { routes } = await guardedProxy(t, guards.ntlm())
    const reasonWith = async (implicitHosts: readonly string[]): Promise<string> => {
      const pairs = [
        { target: 'proxy', scheme: 'ntlm', credentials: { kind: 'implicit' } },
      ] as const
      const reasons: string[] = []
      const identity = new Identity({
        wallet: { pairs, isServiceAccount: true },
        world: { ...realWorld, settings: { ...defaultAuthSettings, implicitHosts } },
        witness: ({ schemes }) => reasons.push(...schemes.map(({ reason }) => reason)),
      })
      t.after(() => identity.close())
      const more = authority === undefined ? {} : { caFile: authority.file }
      await fetchText(makeClient(t), `${server.url}/a`, { identity, routes, ...more }).catch(
        (error: unknown) => assert.equal(codeOf(error), 'BG_E_HTTP_ERROR_407'),
      )
      return reasons.join()
    }
    const [hop] = await routes.find(new URL(server.url))
    assert(hop !== 'direct')
    assert.match(await reasonWith(['*']), /no service account is told/u)
    // Allowed, but nobody is logged on here.
    assert.match(await reasonWith([hop.host]), /^No library for ntlm/u)
  })
}

function codeOf(error: unknown): string | undefined {
  return error instanceof FailureError ? error.failure.symbol : undefined
}

test('credentials of the server are not shown to a proxy that asks (A120)', async (t) => {
  const server = await guarded(t, [])
  const proxy = await guardedProxy(t, guards.basic())
  const identity = identityWith(t, [pair('basic', 'server')])
  const { routes } = proxy
  const { response } = await fetchText(makeClient(t), `${server.url}/a`, { identity, routes })
  assert.equal(response.status, 407)
  assert(proxy.log.every(({ credentials }) => credentials === undefined))
})

test('a 407 inside a tunnel is refused (A177)', { skip: needsAuthority }, async (t) => {
  const authority = new Authority(t)
  const server = await serve(
    t,
    (peer) =>
      peer.say(
        'HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm="x"\r\nContent-Length: 0\r\n\r\n',
      ),
    authority.issue(),
  )
  const { routes } = await guardedProxy(t, undefined)
  const identity = identityWith(t, [pair('basic', 'proxy')])
  const caFile = authority.file
  const { response } = await fetchText(makeClient(t), server.url, { identity, routes, caFile })
  assert.equal(response.status, 407)
  assert.equal(server.targets.length, 1)
})

test('where a proxy cannot be reached, the next way is taken and the proxy is told of (N75)', async (t) => {
  const server = await serve(t, (peer) => peer.say(ok('here')))
  const dead = { scheme: 'http', host: '127.0.0.1', port: await closedPort() } as const
  const failed: unknown[] = []
  const routes = {
    find: () => [dead, ...directRoute] as const,
    failed: (proxy: unknown) => failed.push(proxy),
  }
  const { text } = await fetchText(makeClient(t), server.url, { routes })
  assert.equal(text, 'here')
  assert.deepEqual(failed, [dead])
})

test('the way is asked for again for each redirect (N6, A124)', async (t) => {
  const end = await serve(t, (peer) => peer.say(ok('end')))
  const start = await serve(t, (peer) =>
    peer.say(`HTTP/1.1 302 Go\r\nLocation: ${end.url}/x\r\nContent-Length: 0\r\n\r\n`),
  )
  const asked: string[] = []
  const { text } = await fetchText(makeClient(t), `${start.url}/a`, {
    routes: {
      find: (url) => {
        asked.push(url.href)
        return Promise.resolve(directRoute)
      },
      failed: () => undefined,
    },
  })
  assert.equal(text, 'end')
  assert.deepEqual(asked, [`${start.url}/a`, `${end.url}/x`])
})
