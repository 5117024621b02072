import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultAuthSettings } from '../auth/settings.ts'
import { Authority, needsOpenssl } from './certificates.suite.ts'
import { guardedProxy } from './guarded-proxy.suite.ts'
import { guards, pair, realWorld } from './guarded.suite.ts'
import { answer, hostile } from './hostile.suite.ts'
import { Identity } from './identity.ts'
import { fetchText, makeClient, serve } from './servers.suite.ts'

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
