import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultAuthSettings } from '../auth/settings.ts'
import { directRoute, type Hop, type Route } from '../job/route.ts'
import { Authority, needsOpenssl } from './certificates.suite.ts'
import { guardedProxy } from './guarded-proxy.suite.ts'
import { guards, pair, realWorld } from './guarded.suite.ts'
import { answer, hostile } from './hostile.suite.ts'
import { isProxyUnreachable } from './failure.ts'
import { Identity } from './identity.ts'
import { closedPort, fetchText, makeClient, serve } from './servers.suite.ts'

for (const isProxied of [false, true]) {
  const name = isProxied ? 'behind a proxy' : 'straight'
  test(
    `a Passport ticket for TLS is not shown in clear text, ${name} (A340)`,
    { skip: needsOpenssl },
    async (t) => {
      const authority = new Authority(t)
      const certificate = authority.issue()
      const secure = await serve(t, (peer) => peer.say(answer(200, [], 'in')), certificate)
      const info = `da-status=success,from-PP='secret ticket',ru=${secure.url}/page`
      const signIn = await serve(
        t,
        (peer) => peer.say(answer(200, [`Authentication-Info: Passport1.4 ${info}`])),
        certificate,
      )
      const partner = await hostile(t, () => ({
        say: answer(401, ['WWW-Authenticate: Passport1.4 x=1']),
      }))
      const passport = {
        nexusUrl: signIn.url,
        signIn: { realm: 'Lab', url: `${signIn.url}/login` },
      }
      const identity = new Identity({
        wallet: { pairs: [pair('passport'), pair('basic', 'proxy')] },
        world: { ...realWorld, settings: { ...defaultAuthSettings, passport } },
      })
      t.after(() => identity.close())
      const proxy = isProxied ? await guardedProxy(t, guards.basic()) : undefined
      const { text } = await fetchText(makeClient(t), `http://localhost:${partner.port}/a`, {
        identity,
        caFile: authority.file,
        ...(proxy === undefined ? {} : { routes: proxy.routes }),
      })
      assert.equal(text, 'in')
      assert.match(secure.peers[0]?.requests[0] ?? '', /^GET \/page [^]*from-PP='secret ticket'/u)
      assert.doesNotMatch(secure.peers[0]?.requests[0] ?? '', /proxy-authorization/iu)
      for (const { fields } of partner.heard) assert(!fields.has('authorization'))
      for (const { authorization } of proxy?.log ?? []) assert.equal(authorization, undefined)
    },
  )
}

test(
  'Passport goes on over the next way to another origin where a proxy cannot be reached (A340, N75)',
  { skip: needsOpenssl },
  async (t) => {
    const authority = new Authority(t)
    const certificate = authority.issue()
    const secure = await serve(t, (peer) => peer.say(answer(200, [], 'in')), certificate)
    const info = `da-status=success,from-PP='ticket',ru=${secure.url}/page`
    const signIn = await serve(
      t,
      (peer) => peer.say(answer(200, [`Authentication-Info: Passport1.4 ${info}`])),
      certificate,
    )
    const partner = await hostile(t, () => ({
      say: answer(401, ['WWW-Authenticate: Passport1.4 x=1']),
    }))
    const passport = {
      nexusUrl: signIn.url,
      signIn: { realm: 'Lab', url: `${signIn.url}/login` },
    }
    const identity = new Identity({
      wallet: { pairs: [pair('passport')] },
      world: { ...realWorld, settings: { ...defaultAuthSettings, passport } },
    })
    t.after(() => identity.close())
    const gone = [await closedPort(), await closedPort()].map(
      (port) => ({ scheme: 'http', host: '127.0.0.1', port }) as const,
    )
    const failed: unknown[] = []
    const fetch = (last: readonly ['direct'] | readonly []): ReturnType<typeof fetchText> =>
      fetchText(makeClient(t), `http://localhost:${partner.port}/a`, {
        identity,
        caFile: authority.file,
        routes: {
          find: ({ href }) =>
            href.startsWith(`${secure.url}/page`) ? asRoute([...gone, ...last]) : directRoute,
          failed: (proxy) => failed.push(proxy),
        },
      })
    assert.equal((await fetch(['direct'])).text, 'in')
    assert.deepEqual(failed, gone)
    // Where none is left, that is the end, and not the way to where it began.
    const asked = partner.heard.length
    await assert.rejects(fetch([]), isProxyUnreachable)
    assert.deepEqual(failed, [...gone, ...gone])
    assert.equal(partner.heard.length, asked + 1)
  },
)

function asRoute([first, ...others]: readonly Hop[]): Route {
  assert(first !== undefined)
  return [first, ...others]
}
