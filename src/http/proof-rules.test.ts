/** What holds for every proof over HTTP, whoever asks for it: rules that a server can see kept or broken. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import type { SchemeName } from '../auth/auth.ts'
import { Secret } from '../auth/secret.ts'
import { basicAcceptor } from '../auth/basic-server.ts'
import { ntlmAcceptor } from '../auth/ntlm/ntlm-server.ts'
import { computeNtHash } from '../auth/ntlm/password-keys.ts'
import { Authority, needsOpenssl } from './certificates.suite.ts'
import {
  guarded,
  guards,
  identityWith,
  pair,
  realWorld,
  user,
  type Guard,
} from './guarded.suite.ts'
import type { RequestBody } from './http.ts'
import { fetchText, get, KeepingSink, makeClient, serve } from './servers.suite.ts'

const body: RequestBody = {
  length: 5,
  async *read() {
    yield Buffer.from('bytes')
  },
}

const every = ['basic', 'digest', 'ntlm', 'negotiate'] as const

/** Says no with these fields. */
function refusal(status: number, ...fields: readonly string[]): string {
  const lines = fields.map((field) => `${field}\r\n`).join('')
  return `HTTP/1.1 ${status} No\r\n${lines}Content-Length: 0\r\n\r\n`
}

test('credentials are given to nobody who has not asked (A10)', async (t) => {
  const server = await guarded(t, [guards.basic()], { isPublic: () => true })
  const identity = identityWith(t, every.map((scheme) => pair(scheme))) // prettier-ignore
  const client = makeClient(t)
  for (const path of ['/1', '/2', '/3']) await fetchText(client, server.url + path, { identity })
  assert.deepEqual(
    server.log.map(({ credentials }) => credentials),
    [undefined, undefined, undefined],
  )
})

test('a 403 or a 404 is no question, whatever stands in it (A86, A138)', async (t) => {
  for (const status of [403, 404, 500]) {
    const server = await serve(t, (peer) =>
      peer.say(refusal(status, 'WWW-Authenticate: Basic realm="r"', 'WWW-Authenticate: NTLM')),
    )
    const identity = identityWith(t, every.map((scheme) => pair(scheme))) // prettier-ignore
    const { response } = await fetchText(makeClient(t), server.url, { identity })
    assert.equal(response.status, status)
    assert.equal(server.targets.length, 1)
  }
})

test('a 403 or 404 without a question says that nothing that is set was used (A85, A86)', async (t) => {
  for (const status of [403, 404, 500]) {
    const server = await guarded(t, [guards.basic()], {
      isPublic: (path) => path !== '/asked',
      serve: ({ url }, response) => {
        const fields = url === '/question' ? { 'WWW-Authenticate': 'Basic realm="r"' } : {}
        response.writeHead(status, fields).end()
      },
    })
    const client = makeClient(t)
    const refusalOf = async (path: string, ...schemes: readonly SchemeName[]) => {
      const identity = identityWith(t, schemes.map((scheme) => pair(scheme))) // prettier-ignore
      const { response } = await fetchText(client, server.url + path, { identity })
      assert.equal(response.status, status)
      return response.refusal
    }
    const said = await refusalOf('/public', 'basic')
    if (status === 500) assert.equal(said, undefined)
    else assert.match(said ?? '', /what is set for it was not used; preemptive authentication/u)
    assert.equal(await refusalOf('/asked', 'basic'), undefined)
    assert.equal(await refusalOf('/public'), undefined)
    assert.equal(await refusalOf('/question', 'basic'), undefined)
  }
})

test('a job that says so proves itself in the first request of all, to its own servers (A86, A386, A387)', async (t) => {
  // Lets everybody in, and shows the file to one person only.
  const knows = `Basic ${Buffer.from(`${user.name}:${user.password}`).toString('base64')}`
  const server = await guarded(t, [guards.basic()], {
    isPublic: () => true,
    serve: ({ headers, url }, response) => {
      const isKnown = headers.authorization === knows
      const elsewhere = { Location: `${elsewhereUrl}/there` }
      if (url === '/away') response.writeHead(302, elsewhere).end()
      else response.writeHead(isKnown ? 200 : 403).end('file')
    },
  })
  const other = await guarded(t, [guards.basic()])
  const elsewhereUrl = other.url
  const client = makeClient(t)
  const pairs = [pair('digest'), pair('ntlm'), pair('basic')]
  const identity = identityWith(t, pairs, { isUnasked: true })
  const { text } = await fetchText(client, `${server.url}/file`, { identity })
  assert.equal(text, 'file')
  assert.equal(server.log.length, 1, 'schemes that cannot begin unasked are not begun')
  const away = await fetchText(client, `${server.url}/away`, { identity })
  assert.equal(away.response.status, 401)
  assert.deepEqual(
    other.log.map(({ credentials }) => credentials),
    [undefined],
  )
  const patient = identityWith(t, pairs)
  assert.equal((await fetchText(client, `${server.url}/file`, { identity: patient })).text, 'file')
  assert.equal(server.log.at(-1)?.credentials, undefined)
})

test('a wrong password that goes out unasked is one refusal (A86, A133)', async (t) => {
  const server = await guarded(t, [guards.basic()])
  const wrong = [pair('basic', 'server', 'wrong')]
  const identity = identityWith(t, wrong, { isUnasked: true })
  const client = makeClient(t)
  for (const path of ['/a', '/b']) {
    const { response } = await fetchText(client, server.url + path, { identity })
    assert.equal(response.status, 401)
  }
  assert.equal(server.log.filter(({ credentials }) => credentials !== undefined).length, 1)
})

test('one wrong password is one failed logon, whichever schemes its paths ask for at once (A133, A136)', async (t) => {
  const schemes = [
    'Basic realm="r"',
    'Digest realm="r", nonce="n", qop="auth"',
    'NTLM',
    'Negotiate',
  ]
  let logons = 0
  const server = await serve(t, (peer, target) => {
    const head = peer.requests.at(-1) ?? ''
    // The first leg of NTLM says nothing of the password.
    if (/^Authorization: (?!\S+ TlRMTVNTUAAB)/mu.test(head)) logons++
    const challenge = schemes[Number(target.slice(1)) % schemes.length]
    peer.say(refusal(401, `WWW-Authenticate: ${challenge}`))
  })
  const pairs = every.map((scheme) => pair(scheme, 'server', 'wrong'))
  const identity = identityWith(t, pairs)
  const client = makeClient(t)
  const all = await Promise.all(
    Array.from({ length: 12 }, (_, place) =>
      fetchText(client, `${server.url}/${place}`, { identity, connections: 6 }),
    ),
  )
  assert(all.every(({ response }) => response.status === 401))
  assert.equal(logons, 1)
})

test('one wrong password is one failed logon at all servers of a job together, and a right one is taken by all (A133)', async (t) => {
  const kinds = [guards.basic, guards.digest, guards.ntlm]
  for (const [password, status] of [
    ['wrong', 401],
    [user.password, 200],
  ] as const) {
    const servers = await Promise.all(kinds.map((kind) => guarded(t, [kind()])))
    const pairs = every.map((scheme) => pair(scheme, 'server', password))
    const identity = identityWith(t, pairs)
    const client = makeClient(t)
    const urls = servers.flatMap(({ url }) => [`${url}/1`, `${url}/2`])
    const all = await Promise.all(urls.map((url) => fetchText(client, url, { identity })))
    assert.deepEqual(
      all.map(({ response }) => response.status),
      urls.map(() => status),
    )
    // The first leg of NTLM says nothing of the password.
    const failed = servers.flatMap(({ log }) =>
      log.filter(
        ({ status, credentials = 'NTLM TlRMTVNTUAAB' }) =>
          status === 401 && !credentials.startsWith('NTLM TlRMTVNTUAAB'),
      ),
    )
    assert.equal(failed.length, status === 200 ? 0 : 1)
  }
})

test('a 401 that names no scheme, or none that is known, is the end (A177, A185, A273)', async (t) => {
  for (const fields of [
    [],
    ['WWW-Authenticate: Nego2 YII='],
    ['WWW-Authenticate: Mutual realm="r"'],
  ]) {
    const server = await serve(t, (peer) => peer.say(refusal(401, ...fields)))
    const identity = identityWith(t, every.map((scheme) => pair(scheme))) // prettier-ignore
    const { response } = await fetchText(makeClient(t), server.url, { identity })
    assert.equal(response.status, 401)
    assert.equal(server.targets.length, 1)
  }
})

for (const scheme of ['ntlm', 'negotiate'] as const) {
  test(`${scheme} begins without the body, says that there is none, and keeps the connection (A232, A368, A421)`, async (t) => {
    const token = scheme === 'ntlm' ? 'NTLM' : 'Negotiate'
    const server = await serve(t, (peer) => peer.say(refusal(401, `WWW-Authenticate: ${token}`)))
    const identity = identityWith(t, [pair(scheme)])
    const request = { ...get(server.url), method: 'PUT', body, identity }
    const { response } = await makeClient(t).exchange(request, new KeepingSink())
    assert.equal(response.status, 401)
    const legs = server.peers.flatMap(({ requests }) => requests)
    const first = legs.find((leg) => leg.includes(`Authorization: ${token} `)) ?? ''
    assert.match(first, /^Content-Length: 0\r$/mu)
    for (const leg of legs) assert.doesNotMatch(leg, /^Connection: close\r$/imu)
  })
}

test('nothing else goes out on a connection while it is being proven (A366)', async (t) => {
  const going = new Map<number, number>()
  const server = await guarded(t, [guards.ntlm()], {
    serve: (request, response) => void response.end(request.url),
  })
  const identity = identityWith(t, [pair('ntlm')])
  const client = makeClient(t)
  const paths = Array.from({ length: 20 }, (_, place) => `/${place}`)
  await Promise.all(
    paths.map((path) => fetchText(client, server.url + path, { identity, connections: 2 })),
  )
  for (const { connection, status, path } of server.log) {
    const before = going.get(connection)
    // The legs of one request follow each other.
    if (before !== undefined) assert.equal(path, server.log[before]?.path)
    if (status === 401)
      going.set(
        connection,
        server.log.findIndex((each) => each.path === path),
      )
    else going.delete(connection)
  }
})

test('the same question twice in a row is the end (A134)', async (t) => {
  const server = await serve(t, (peer) =>
    peer.say(refusal(401, 'WWW-Authenticate: Basic realm="r"')),
  )
  const identity = identityWith(t, [pair('basic')])
  const { response } = await fetchText(makeClient(t), server.url, { identity })
  assert.equal(response.status, 401)
  assert.equal(server.targets.length, 2)
})

const blank: Readonly<Record<'basic' | 'digest' | 'ntlm', () => Guard>> = {
  basic: () => {
    const acceptor = basicAcceptor({
      realm: 'r',
      check: (name, word) => name === user.name && word.length === 0,
    })
    return () => acceptor
  },
  digest: () => guards.digest({ users: new Map([[user.name, Secret.fromText('')]]) }),
  ntlm: () => {
    const known = new WeakMap<object, ReturnType<typeof ntlmAcceptor>>()
    const names = {
      nbDomainName: 'D',
      nbComputerName: 'S',
      dnsDomainName: 'd',
      dnsComputerName: 's.d',
    }
    const options = {
      names,
      ntHashOf: (name: string) =>
        name === user.name ? computeNtHash(new Uint8Array()) : undefined,
      accepts: ['v2'],
      hasTimestamp: true,
      hasSessionSecurity: true,
      bindingPolicy: 'ignore',
    } as const
    return (connection) => {
      const acceptor = known.get(connection) ?? ntlmAcceptor(options, realWorld)
      known.set(connection, acceptor)
      return acceptor
    }
  },
}

for (const [scheme, guard] of Object.entries(blank)) {
  test(`an empty password is a password, for ${scheme} (A15)`, async (t) => {
    const server = await guarded(t, [guard()])
    // The names of the table are names of schemes.
    const identity = identityWith(t, [pair(scheme as SchemeName, 'server', '')])
    const { text } = await fetchText(makeClient(t), `${server.url}/in`, { identity })
    assert.equal(text, '/in')
  })
}

test('nobody is told anything behind a redirect to another port or scheme (A380, A382)', async (t) => {
  const elsewhere = await guarded(t, [guards.basic(), guards.digest(), guards.ntlm()])
  const { port } = elsewhere
  for (const location of [`http://localhost:${port}/x`, `//127.0.0.1:${port}/x`]) {
    const server = await guarded(t, [guards.basic()], {
      serve: (_request, response) => void response.writeHead(307, { Location: location }).end(),
    })
    const identity = identityWith(t, [pair('basic'), pair('digest'), pair('ntlm')])
    const { response } = await fetchText(makeClient(t), `${server.url}/a`, { identity })
    assert.equal(response.status, 401)
  }
  assert.equal(elsewhere.log.length, 2)
  for (const { credentials } of elsewhere.log) assert.equal(credentials, undefined)
})

test('a redirect within the origin is asked for with the same proof (A380)', async (t) => {
  const server = await guarded(t, [guards.digest()], {
    serve: (request, response) => {
      if (request.url === '/from') response.writeHead(302, { Location: '/to' }).end()
      else response.end(request.url)
    },
  })
  const identity = identityWith(t, [pair('digest')])
  const { text } = await fetchText(makeClient(t), `${server.url}/from`, { identity })
  assert.equal(text, '/to')
  assert.equal(server.log.filter(({ status }) => status === 401).length, 1)
})

test('the name and password of a redirect’s target are nobody’s (A45)', async (t) => {
  const server = await guarded(t, [guards.basic()], {
    isPublic: (path) => path === '/from',
    serve: (request, response) => {
      const { host = '' } = request.headers
      const own = `http://${user.name}:${encodeURIComponent(user.password)}@${host}/to`
      response.writeHead(302, { Location: own }).end()
    },
  })
  const identity = identityWith(t, [])
  const { response } = await fetchText(makeClient(t), `${server.url}/from`, { identity })
  assert.equal(response.status, 401)
  for (const { credentials } of server.log) assert.equal(credentials, undefined)
})

test('ranges and conditions go out again unchanged with every leg (A424)', async (t) => {
  for (const scheme of ['digest', 'ntlm'] as const) {
    const seen: (string | undefined)[] = []
    const server = await guarded(t, [guards[scheme]()], {
      serve: (request, response) => {
        seen.push(String([request.headers.range, request.headers['if-range']]))
        response.writeHead(206, { 'Content-Range': 'bytes 7-9/10' }).end('abc')
      },
    })
    const identity = identityWith(t, [pair(scheme)])
    const more = { identity, range: 'bytes=7-', ifRange: '"v"' }
    const { text, response } = await fetchText(makeClient(t), `${server.url}/r`, more)
    assert.deepEqual([response.status, text], [206, 'abc'])
    assert.deepEqual(seen, ['bytes=7-,"v"'])
  }
})

test(
  'nothing that was proven over TLS is proven in clear text behind a redirect, though it may lead there (A381)',
  { skip: needsOpenssl },
  async (t) => {
    const authority = new Authority(t)
    const plain = await guarded(t, [guards.basic(), guards.digest(), guards.ntlm()])
    const server = await guarded(t, [guards.basic()], {
      certificate: authority.issue(),
      serve: (_request, response) => {
        const location = `http://localhost:${plain.port}/x`
        response.writeHead(302, { Location: location }).end()
      },
    })
    const identity = identityWith(t, [pair('basic'), pair('digest'), pair('ntlm')])
    const redirects = { follow: 'silent', allowHttpsToHttp: true } as const
    const more = { identity, redirects, caFile: authority.file }
    const { response } = await fetchText(makeClient(t), `${server.url}/a`, more)
    assert.equal(response.status, 401)
    assert.deepEqual(
      plain.log.map(({ credentials }) => credentials),
      [undefined],
    )
  },
)

test(
  'a server that prefers HTTP/2 is spoken to as connections can be proven on (A365)',
  { skip: needsOpenssl },
  async (t) => {
    const authority = new Authority(t)
    const protocols = ['h2', 'http/1.1']
    const certificate = { ...authority.issue(), ALPNProtocols: protocols }
    const chosen: (string | false | null)[] = []
    const server = await guarded(t, [guards.ntlm()], {
      certificate,
      serve: (request, response) => {
        // The socket of a server that speaks TLS.
        chosen.push((request.socket as TLSSocket).alpnProtocol)
        response.end('in')
      },
    })
    const identity = identityWith(t, [pair('ntlm')])
    const more = { identity, caFile: authority.file }
    const { text } = await fetchText(makeClient(t), `${server.url}/a`, more)
    assert.deepEqual([text, chosen], ['in', ['http/1.1']])
  },
)
