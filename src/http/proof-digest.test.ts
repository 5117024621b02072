/** Digest as it goes over connections: what Apache cannot do is done by the acceptor of the room `auth`. */

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import type { DigestAcceptorOptions } from '../auth/digest/digest-server.ts'
import { digestResponse, userKey } from '../auth/digest/response.ts'
import { DistrustError } from './failure.ts'
import { guarded, guards, identityWith, pair, user, type LoggedRequest } from './guarded.suite.ts'
import type { RequestBody } from './http.ts'
import { nodeHashes } from './node-hashes.ts'
import { fetchText, get, KeepingSink, makeClient, ok, serve } from './servers.suite.ts'

const text = 'a body that is signed'

const signed: RequestBody = {
  length: text.length,
  async *read() {
    yield Buffer.from(text)
  },
  hash: (algorithm) => createHash(algorithm.replace('sha-', 'sha')).update(text).digest(),
}

/** What a header said, by name. */
function said({ credentials = '' }: LoggedRequest): ReadonlyMap<string, string> {
  const parts = credentials.matchAll(/([\w*]+)=(?:"([^"]*)"|([^\s,]+))/gu)
  return new Map([...parts].map(([, name = '', quoted, bare]) => [name, quoted ?? bare ?? '']))
}

const rows: readonly (readonly [
  name: string,
  options: Partial<DigestAcceptorOptions>,
  statuses: readonly number[],
  says: Readonly<Record<string, RegExp | undefined>>,
])[] = [
  ['MD5 (A211)', { algorithms: ['MD5'] }, [401, 200, 200, 200], { algorithm: /^MD5$/u }],
  ['no algorithm (A210, A226)', { algorithms: [undefined] }, [401, 200, 200, 200], { algorithm: undefined }],
  ['SHA-256 before MD5 (A182)', { algorithms: ['MD5', 'SHA-256'] }, [401, 200, 200, 200], { algorithm: /^SHA-256$/u }],
  ['SHA-512/256 (A211)', { algorithms: ['SHA-512-256'] }, [401, 200, 200, 200], { response: /^[\da-f]{64}$/u }],
  ['sessions (A212, A216)', { algorithms: ['SHA-256-sess'] }, [401, 200, 200, 200], { cnonce: /^[\w+/]{44}$/u }],
  ['the form of RFC 2069 (A214)', { qops: [] }, [401, 200, 200, 200], { qop: undefined, nc: undefined, cnonce: undefined }],
  ['auth where both are offered (A219)', { qops: ['auth-int', 'auth'] }, [401, 200, 200, 200], { qop: /^auth$/u }],
  ['auth-int where nothing else is (A213, A219)', { qops: ['auth-int'] }, [401, 200, 200, 200], { qop: /^auth-int$/u }],
  ['a hashed name (A218)', { userhash: true }, [401, 200, 200, 200], { userhash: /^true$/u, username: /^[\da-f]{64}$/u }],
  ['an opaque text (A210)', { opaque: 'as it came' }, [401, 200, 200, 200], { opaque: /^as it came$/u }],
  ['a stale nonce (A221)', { nonceUses: 1 }, [401, 200, 401, 200, 401, 200], { nc: /^00000001$/u }],
  ['nextnonce (A222)', { nextNonceAfter: 1 }, [401, 200, 200, 200], { nc: /^00000001$/u }],
  ['a place of its own (A224)', { domain: '/a' }, [401, 200, 200, 200], { nc: /^00000003$/u }],
] // prettier-ignore

for (const [name, options, statuses, says] of rows) {
  test(`Digest answers servers with ${name}`, async (t) => {
    const server = await guarded(t, [guards.digest(options)])
    const client = makeClient(t)
    const identity = identityWith(t, [pair('digest')])
    for (const path of ['/a/1', '/a/2?x=%20y', '/a/3']) {
      assert.equal((await fetchText(client, server.url + path, { identity })).text, path)
    }
    assert.deepEqual(
      server.log.map(({ status }) => status),
      statuses,
    )
    const last = server.log.at(-1)
    assert(last !== undefined)
    const parameters = said(last)
    for (const [parameter, expected] of Object.entries(says)) {
      const value = parameters.get(parameter)
      if (expected === undefined) assert.equal(value, undefined, parameter)
      else assert.match(value ?? '', expected, parameter)
    }
    if (options.userhash === true) assert(!(last.credentials ?? '').includes(user.name))
  })
}

test('Digest signs a body that is sent (A213, A220)', async (t) => {
  const server = await guarded(t, [guards.digest({ qops: ['auth-int'] })])
  const client = makeClient(t)
  const identity = identityWith(t, [pair('digest')])
  for (const path of ['/1', '/2']) {
    const request = { ...get(server.url + path), method: 'PUT', body: signed, identity }
    const { response } = await client.exchange(request, new KeepingSink())
    assert.equal(response.status, 200)
  }
  const granted = server.log.filter(({ status }) => status === 200)
  assert.deepEqual(
    granted.map(({ bytes }) => bytes),
    [text.length, text.length],
  )
  // What is signed is not what is sent: the server notices.
  const other = { ...signed, hash: () => new Uint8Array(32) }
  const forged = { ...get(`${server.url}/3`), method: 'PUT', body: other, identity }
  const { response } = await client.exchange(forged, new KeepingSink())
  assert.equal(response.status, 401)
})

test('Digest counts on with one nonce on other connections (A215, A225)', async (t) => {
  const server = await guarded(t, [guards.digest()], {
    serve: (_request, response) => {
      response.setHeader('Connection', 'close')
      response.end('x')
    },
  })
  const client = makeClient(t)
  const identity = identityWith(t, [pair('digest')])
  for (const path of ['/1', '/2', '/3']) await fetchText(client, server.url + path, { identity })
  const proofs = server.log.filter(({ status }) => status === 200)
  assert.equal(new Set(proofs.map(({ connection }) => connection)).size, 3)
  assert.equal(new Set(proofs.map((each) => said(each).get('nonce'))).size, 1)
  assert.deepEqual(
    proofs.map((each) => said(each).get('nc')),
    ['00000001', '00000002', '00000003'],
  )
})

test('Digest names a target as the request line does, byte for byte (A223)', async (t) => {
  const server = await guarded(t, [guards.digest()])
  const identity = identityWith(t, [pair('digest')])
  const path = '/%7Euser/a%2Fb;c=d?q=%C3%A9&r="'
  await fetchText(makeClient(t), server.url + path, { identity })
  const [first, last] = [server.log[0], server.log.at(-1)]
  assert(last !== undefined)
  assert.equal(said(last).get('uri'), first?.path)
  assert.equal(last.status, 200)
})

test('Digest reads a challenge as IIS writes it (A227)', async (t) => {
  const server = await serve(t, (peer) => {
    const proof = peer.requests.at(-1) ?? ''
    if (proof.includes('Authorization: Digest')) return peer.say(ok('in'))
    peer.say(
      'HTTP/1.1 401 No\r\nWWW-Authenticate: Digest qop="auth",algorithm=MD5-sess,nonce="+Upgraded+v1",charset=utf-8,realm="Digest"\r\nContent-Length: 0\r\n\r\n',
    )
  })
  const identity = identityWith(t, [pair('digest')])
  assert.equal((await fetchText(makeClient(t), `${server.url}/`, { identity })).text, 'in')
  const proof = server.peers[0]?.requests.at(-1) ?? ''
  assert.match(proof, /algorithm=MD5-sess/u)
  assert.match(proof, /realm="Digest"/u)
})

for (const isGenuine of [true, false]) {
  test(`Digest hears behind the body that the server is ${isGenuine ? '' : 'not '}who knows the password (A222)`, async (t) => {
    const server = await guarded(t, [guards.digest({ nextNonceAfter: 1 })], {
      serve: (request, response) => {
        const info = String(response.getHeader('Authentication-Info'))
        response.removeHeader('Authentication-Info')
        response.setHeader('Trailer', 'X-Other, authentication-info')
        response.write(request.url)
        const said = isGenuine ? info : info.replace(/rspauth="./u, 'rspauth="x')
        response.addTrailers({ 'Authentication-Info': said })
        response.end()
      },
    })
    const client = makeClient(t)
    const identity = identityWith(t, [pair('digest')])
    const ask = (path: string) => fetchText(client, server.url + path, { identity })
    if (!isGenuine) {
      await assert.rejects(ask('/1'), DistrustError)
      return
    }
    for (const path of ['/1', '/2', '/3']) assert.equal((await ask(path)).text, path)
    // Each answer brought the next nonce, so that nobody had to ask again.
    assert.deepEqual(
      server.log.map(({ status }) => status),
      [401, 200, 200, 200],
    )
  })
}

for (const [what, sent, isRight] of [
  ['is as the server signed it', 'the very same', true],
  ['is another than the server signed', 'something else', false],
  ['is empty', '', true],
] as const) {
  test(`Digest notices that the body of an answer ${what} (A213, A222)`, async (t) => {
    const signedBody = isRight ? sent : 'the very same'
    const server = await guarded(
      t,
      [guards.digest({ qops: ['auth-int'], algorithms: ['SHA-256'] })],
      {
        serve: (request, response) => {
          const last = server.log.at(-1)
          assert(last !== undefined)
          const parameters = said(last)
          const [nonce = '', nc = '', cnonce = ''] = ['nonce', 'nc', 'cnonce'].map((name) =>
            parameters.get(name),
          )
          const password = Buffer.from(user.password)
          const key = userKey(nodeHashes, 'sha-256', Buffer.from(user.name), 'r', password)
          const rspauth = digestResponse(nodeHashes, key, {
            algorithm: { hash: 'sha-256', isSession: false },
            nonce,
            quality: { qop: 'auth-int', nc, cnonce },
            method: '',
            uri: request.url ?? '',
            bodyHash: () => createHash('sha256').update(signedBody).digest(),
          })
          const info = `rspauth="${rspauth}", qop=auth-int, nc=${nc}, cnonce="${cnonce}"`
          response.setHeader('Authentication-Info', info)
          response.end(sent)
        },
      },
    )
    const identity = identityWith(t, [pair('digest')])
    const asked = fetchText(makeClient(t), `${server.url}/signed`, { identity })
    if (isRight) assert.equal((await asked).text, sent)
    else await assert.rejects(asked, DistrustError)
  })
}
