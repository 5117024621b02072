import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fieldValues, type Field } from '../auth/auth.ts'
import { PassportService } from '../auth/passport/passport-server.ts'
import { Secret } from '../auth/secret.ts'
import { defaultAuthSettings } from '../auth/settings.ts'
import { FailureError } from '../job/failure.ts'
import { Authority, needsOpenssl } from './certificates.suite.ts'
import { makeDetour, type Run } from './detour.ts'
import { guardedProxy } from './guarded-proxy.suite.ts'
import { guards, pair, realWorld, user } from './guarded.suite.ts'
import type { HttpRequest } from './http.ts'
import { Identity } from './identity.ts'
import { fetchText, get, makeClient, ok, serve, type RawServer } from './servers.suite.ts'

/** The fields of a request head. */
function fieldsOf(head: string): readonly Field[] {
  return head
    .split('\r\n')
    .slice(1, -2)
    .map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon), line.slice(colon + 1).trim()] as const
    })
}

function response(status: number, fields: readonly Field[], body = ''): string {
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return `HTTP/1.1 ${status} X\r\n${lines}Content-Length: ${body.length}\r\n\r\n${body}`
}

for (const [isProxied, name] of [
  [false, 'Passport signs in elsewhere and comes back (A123)'],
  [true, 'Passport works behind a proxy that asks for proof (A120 U1)'],
] as const) {
  test(name, { skip: needsOpenssl }, async (t) => {
    const authority = new Authority(t)
    const certificate = authority.issue()
    const passport: { service?: PassportService } = {}
    const elsewhere: RawServer = await serve(
      t,
      (peer, target) => {
        const fields = fieldsOf(peer.requests.at(-1) ?? '')
        const url = `${elsewhere.url}${target}`
        void passport.service
          ?.answer({ kind: 'detour', method: 'GET', url, fields })
          .then(({ status, fields }) => peer.say(response(status, fields)))
      },
      certificate,
    )
    const nexusUrl = `${elsewhere.url}/nexus`
    const service = new PassportService({
      realm: 'Lab',
      nexusUrl,
      login: `localhost:${elsewhere.port}/login`,
      version: 1,
      users: new Map([[user.name, Secret.fromText(user.password)]]),
    })
    passport.service = service
    const partner = service.partner('x=1')
    const server = await serve(
      t,
      (peer, target) => {
        const fields = fieldsOf(peer.requests.at(-1) ?? '')
        const [credentials] = fieldValues(fields, 'authorization')
        const [cookie] = fieldValues(fields, 'cookie')
        const more = cookie === undefined ? {} : { cookie }
        const asked = { method: 'GET', requestTarget: target, ...more }
        void partner.receive(credentials, asked).then((reception) => {
          if (reception.kind === 'granted') peer.say(response(200, reception.fields, target))
          else {
            const fields = reception.challenges.map((value) => ['WWW-Authenticate', value] as const)
            peer.say(response(302, [...fields, ['Location', elsewhere.url]]))
          }
        })
      },
      certificate,
    )
    const proxy = isProxied ? await guardedProxy(t, guards.ntlm()) : undefined
    const settings = { ...defaultAuthSettings, passport: { nexusUrl } }
    const identity = new Identity({
      wallet: { pairs: [pair('passport'), pair('ntlm', 'proxy')] },
      world: { ...realWorld, settings },
    })
    t.after(() => identity.close())
    const client = makeClient(t)
    for (const path of ['/one', '/two']) {
      const { text } = await fetchText(client, server.url + path, {
        identity,
        caFile: authority.file,
        ...(proxy === undefined ? {} : { routes: proxy.routes }),
      })
      assert.equal(text, path)
    }
    for (const { authorization } of proxy?.log ?? []) assert.equal(authorization, undefined)
  })
}

test(
  'makeDetour() says nothing to a server that the job would not ask (A84)',
  { skip: needsOpenssl },
  async (t) => {
    const authority = new Authority(t)
    const server = await serve(t, (peer) => peer.say(ok('token')), authority.issue())
    const client = makeClient(t)
    const run: Run = (request, sink) => client.exchange(request, sink)
    const detour = {
      kind: 'detour',
      method: 'GET',
      fields: [['Authorization', 'Basic eA==']],
    } as const
    const pinnedKeys = [`sha256//${'A'.repeat(43)}=`]
    const rows: [Partial<HttpRequest>, boolean, string | undefined][] = [
      [{}, true, undefined],
      [{ pinnedKeys }, true, 'ERROR_WINHTTP_SECURE_INVALID_CERT'],
      [{ pinnedKeys }, false, undefined],
      [{ accepted: [] }, true, 'BG_E_SERVER_CERT_VALIDATION_INTERFACE_REQUIRED'],
      [{ accepted: [] }, false, 'BG_E_SERVER_CERT_VALIDATION_INTERFACE_REQUIRED'],
    ]
    for (const [checks, isOwn, refusal] of rows) {
      const asked = server.targets.length
      const url = isOwn ? `${server.url}/file` : 'https://files.test/file'
      const request = get(url, { caFile: authority.file, ...checks })
      const made = makeDetour(run, request, { ...detour, url: `${server.url}/token` })
      if (refusal === undefined) assert.equal((await made).status, 200)
      else
        await assert.rejects(
          made,
          (error) => error instanceof FailureError && error.failure.symbol === refusal,
        )
      assert.equal(server.targets.length, asked + (refusal === undefined ? 1 : 0))
    }
  },
)
