import assert from 'node:assert/strict'
import { test } from 'node:test'

import { array, assert as check, asyncProperty, boolean, constantFrom, subarray } from 'fast-check'

import type { Acceptor } from './acceptor.ts'
import type { AuthTarget, SchemeName } from './auth.ts'
import { asksForProof, Authenticator } from './authenticator.ts'
import { basicScheme } from './basic.ts'
import { basicAcceptor } from './basic-server.ts'
import { request } from './conversation.suite.ts'
import type { CredentialPair } from './credentials.ts'
import { digestAcceptor } from './digest/digest-server.ts'
import type { Exchange } from './exchange.ts'
import type { ReadableProof } from './peer-memory.ts'
import type { AuthScheme, Handshake, RequestFacts, ResponseFacts, Send } from './scheme.ts'
import { Secret } from './secret.ts'
import { testWorld, type WorldOptions } from './world.suite.ts'

const page = request('GET', 'http://server.example/a/b')

function pair(scheme: SchemeName, word = 'p', target: AuthTarget = 'server'): CredentialPair {
  return {
    target,
    scheme,
    credentials: { kind: 'password', userName: 'u', password: Secret.fromText(word) },
  }
}

function token(): CredentialPair['credentials'] {
  return { kind: 'bearer', token: Secret.fromText('abc') }
}

interface Given extends WorldOptions {
  readonly peer?: string
  readonly isForeign?: boolean
  readonly isUnasked?: boolean
  readonly target?: AuthTarget
  readonly warn?: (readable: ReadableProof) => void
}

function authenticator(pairs: readonly CredentialPair[], given: Given = {}): Authenticator {
  return new Authenticator({
    situation: {
      target: given.target ?? 'server',
      peer: new URL(given.peer ?? 'http://server.example/'),
      isForeign: given.isForeign ?? false,
    },
    wallet: { pairs },
    world: testWorld(given),
    ...(given.isUnasked === undefined ? {} : { isUnasked: given.isUnasked }),
    ...(given.warn === undefined ? {} : { warn: given.warn }),
  })
}

/** A server that offers several schemes and counts the proofs it was sent. */
function server(...acceptors: readonly Acceptor[]) {
  const seen: string[] = []
  return {
    seen,
    ask: async (credentials: string | undefined, facts: RequestFacts): Promise<ResponseFacts> => {
      if (credentials !== undefined) seen.push(credentials.split(' ', 1).join())
      const challenges: string[] = []
      for (const acceptor of acceptors) {
        const reception = await acceptor.receive(credentials, facts)
        if (reception.kind === 'granted') return { status: 200, fields: reception.fields }
        challenges.push(...reception.challenges)
      }
      return unauthorized(...challenges)
    },
  }
}

function unauthorized(...challenges: readonly string[]): ResponseFacts {
  return { status: 401, fields: challenges.map((value) => ['WWW-Authenticate', value] as const) }
}

/** Asks for Digest, and says this to whatever comes. */
function afterProof(response: ResponseFacts) {
  return async (credentials: string | undefined): Promise<ResponseFacts> =>
    credentials === undefined ? unauthorized('Digest realm="r", nonce="n", qop=auth') : response
}

interface Result {
  readonly outcome: string
  readonly requests: number
}

/** Sends one request until somebody is content or gives up. */
async function run(
  exchange: Exchange,
  ask: (credentials: string | undefined, facts: RequestFacts) => Promise<ResponseFacts>,
  facts = page,
): Promise<Result> {
  let send: Send | undefined = await exchange.prepare(facts)
  for (let requests = 1; ; requests++) {
    const response = await ask(send?.header, facts)
    if (response.status !== 401) {
      const { kind } = await exchange.accepted(response)
      exchange.close()
      return { outcome: kind === 'done' ? String(response.status) : kind, requests }
    }
    const step = await exchange.challenged(response, facts)
    if (step.kind === 'detour') assert.fail('no detour here')
    if (step.kind === 'failed') {
      exchange.close()
      return { outcome: step.reason, requests }
    }
    send = step
  }
}

const users = new Map([['u', Secret.fromText('p')]])
const world = testWorld()

function isRight(userName: string, password: Uint8Array): boolean {
  return userName === 'u' && Buffer.from(password).toString() === 'p'
}

const basic = basicAcceptor({ realm: 'r', check: isRight })
const digest = digestAcceptor({ realm: 'r', users }, world)
const refused = 'The server refused the credentials'
const cannot = 'The server asks for proof that the job cannot give'

test('Authenticator takes the strongest scheme that is offered and set (A181, A22)', async () => {
  const rows = [
    [['basic', 'digest'], [basic, digest], ['Digest'], '200'],
    [['basic'], [basic, digest], ['Basic'], '200'],
    [['digest'], [basic], [], cannot],
    [['ntlm'], [basic, digest], [], cannot],
    [[], [basic], [], cannot],
  ] as const
  for (const [schemes, acceptors, seen, outcome] of rows) {
    const { ask, seen: had } = server(...acceptors)
    const own = authenticator(schemes.map((scheme) => pair(scheme)))
    assert.equal((await run(own.begin(), ask)).outcome, outcome)
    assert.deepEqual(had, seen)
  }
})

test('Authenticator sends later requests without a round trip (A184, A386)', async () => {
  for (const [scheme, acceptor] of [
    ['basic', basic],
    ['digest', digest],
  ] as const) {
    const { ask } = server(acceptor)
    const own = authenticator([pair(scheme)])
    const requests = []
    for (let round = 0; round < 3; round++) requests.push((await run(own.begin(), ask)).requests)
    assert.deepEqual(requests, [2, 1, 1], scheme)
  }
})

test('Authenticator does not replay a refused password under a weaker scheme (A136)', async () => {
  const { ask, seen } = server(digest, basic)
  const own = authenticator([pair('digest', 'wrong'), pair('basic', 'wrong')])
  assert.deepEqual(await run(own.begin(), ask), { outcome: refused, requests: 2 })
  assert.deepEqual(seen, ['Digest'])
})

test('Authenticator tries another password under another scheme (A136)', async () => {
  const { ask, seen } = server(digest, basic)
  const own = authenticator([pair('digest', 'wrong'), pair('basic', 'p')])
  assert.equal((await run(own.begin(), ask)).outcome, '200')
  assert.deepEqual(seen, ['Digest', 'Basic'])
})

test('Authenticator goes on to the next scheme when it is unable itself (A136)', async () => {
  const unusable: Acceptor = {
    receive: async () => ({
      kind: 'challenged',
      challenges: ['Digest realm="r", nonce="n", algorithm=X'],
    }),
  }
  const { ask, seen } = server(unusable, basic)
  const own = authenticator([pair('digest'), pair('basic')])
  const exchange = own.begin()
  assert.equal((await run(exchange, ask)).outcome, '200')
  assert.deepEqual(seen, ['Basic'])
})

test('Authenticator sends a wrong password once, on however many connections (A133, A135)', async () => {
  for (const [scheme, acceptor] of [
    ['basic', basic],
    ['digest', digest],
  ] as const) {
    const { ask, seen } = server(acceptor)
    const own = authenticator([pair(scheme, 'wrong')])
    const results = await Promise.all(
      Array.from({ length: 8 }, () => run(own.begin(), ask, { ...page, connection: {} })),
    )
    for (const { outcome } of results) assert.equal(outcome, refused)
    assert.deepEqual((await run(own.begin(), ask)).outcome, refused)
    assert.equal(seen.length, 1, scheme)
  }
})

test('Authenticator lets waiting requests go on when the first one is through', async () => {
  const { ask, seen } = server(digest)
  const own = authenticator([pair('digest')])
  const results = await Promise.all(
    Array.from({ length: 8 }, () => run(own.begin(), ask, { ...page, connection: {} })),
  )
  for (const { outcome } of results) assert.equal(outcome, '200')
  assert.equal(seen.length, 8)
})

test('Authenticator lets the next request try when the first one was given up', async () => {
  const own = authenticator([pair('basic')])
  const first = own.begin()
  assert.equal((await first.challenged(unauthorized('Basic realm="r"'), page)).kind, 'send')
  const second = own.begin()
  const step = second.challenged(unauthorized('Basic realm="r"'), page)
  first.close()
  assert.equal((await step).kind, 'send')
  second.close()
})

test('Authenticator stops waiting requests that are given up', async () => {
  const own = authenticator([pair('basic')])
  const first = own.begin()
  await first.challenged(unauthorized('Basic realm="r"'), page)
  const second = own.begin()
  const step = second.challenged(unauthorized('Basic realm="r"'), page)
  second.close()
  first.close()
  assert.equal((await step).kind, 'failed')
})

test('Authenticator tries one realm after another, each once (A385)', async () => {
  const own = authenticator([pair('basic', 'wrong')])
  const ask = (realm: string) => async (credentials: string | undefined) => {
    if (credentials !== undefined) tried.push(realm)
    return unauthorized(`Basic realm="${realm}"`)
  }
  const tried: string[] = []
  for (const realm of ['a', 'b', 'a', 'b']) await run(own.begin(), ask(realm))
  assert.deepEqual(tried, ['a', 'b'])
})

test('Authenticator takes a challenge in another realm after an early proof for what it is (A384)', async () => {
  const own = authenticator([pair('digest')])
  const here = server(digest)
  await run(own.begin(), here.ask)
  const there = server(digestAcceptor({ realm: 'other', users }, world))
  assert.deepEqual(await run(own.begin(), there.ask), { outcome: '200', requests: 2 })
})

test('Authenticator takes up what a place asks for after an early proof of another scheme', async () => {
  const own = authenticator([pair('digest'), pair('basic')])
  await run(own.begin(), server(digest).ask)
  assert.deepEqual(await run(own.begin(), server(basic).ask), { outcome: '200', requests: 2 })
})

test('Authenticator ends when a server asks for something else after the proof', async () => {
  const own = authenticator([pair('digest'), pair('basic')])
  const ask = afterProof(unauthorized('Basic realm="r"'))
  assert.deepEqual(await run(own.begin(), ask), { outcome: refused, requests: 2 })
})

test('Authenticator does not go round for ever, whatever a server says (A440)', async () => {
  const own = authenticator([pair('digest'), pair('basic', 'q')])
  let nonce = 0
  const sayings = [
    () => `Digest realm="r", nonce="${nonce++}", stale=true`,
    () => `Digest realm="${nonce++}", nonce="n"`,
    () => `Basic realm="${nonce++}"`,
    () => ['Basic realm="r"', 'Digest realm="r", nonce="n"'][nonce++ % 2] ?? '',
  ]
  for (const say of sayings) {
    const { outcome, requests } = await run(own.begin(), async () => unauthorized(say()))
    assert.ok([refused, cannot, 'The server asks for proof for ever'].includes(outcome), outcome)
    assert.ok(requests <= 21)
  }
})

test('Authenticator answers no absurd or empty challenge (A177)', async () => {
  const rows = [
    [[], 'The server asks for proof and names no way to give it'],
    [['"'], 'The server asks for proof and names no way to give it'],
    [['X '.padEnd(70_000, 'a')], 'Cannot read challenges: more than 65536 octets'],
    [Array.from({ length: 65 }, () => 'Basic'), 'Cannot read challenges: more than 64 challenges'],
  ] as const
  for (const [challenges, reason] of rows) {
    const exchange = authenticator([pair('basic')]).begin()
    assert.deepEqual(await exchange.challenged(unauthorized(...challenges), page), {
      kind: 'failed',
      reason,
    })
  }
})

test('Authenticator says nothing to another origin (A380)', async () => {
  const { ask, seen } = server(basic, digest)
  const pairs = [pair('basic'), pair('digest')]
  assert.equal((await run(authenticator(pairs, { isForeign: true }).begin(), ask)).outcome, cannot)
  assert.deepEqual(seen, [])
  const trusted = { isForeign: true, settings: { trustedOrigins: ['http://server.example'] } }
  assert.equal((await run(authenticator(pairs, trusted).begin(), ask)).outcome, '200')
})

test('Authenticator proves before the first challenge only where the job says so (A86, A387)', async () => {
  for (const [isUnasked, requests] of [
    [false, 2],
    [true, 1],
  ] as const) {
    const own = authenticator([pair('basic')], { isUnasked })
    assert.deepEqual(await run(own.begin(), server(basic).ask), { outcome: '200', requests })
  }
})

test('Authenticator proves unasked only what the job itself sets, and where it says to go (A53, A386, A387)', async () => {
  const rows: readonly (readonly [why: string, given: Given, pairs: readonly CredentialPair[]])[] =
    [
      [
        'a redirect led there, to an origin that is trusted',
        { isForeign: true, settings: { trustedOrigins: ['http://server.example'] } },
        [pair('basic')],
      ],
      [
        'who is logged on is for those who ask',
        { settings: { useLmCompat: 0, implicitHosts: ['*'] } },
        [],
      ],
      ['a hash needs a nonce', {}, [pair('digest')]],
      ['a first leg of NTLM proves nothing', {}, [pair('ntlm')]],
      ['a token is for TLS', {}, [{ ...pair('bearer'), credentials: token() }]],
    ]
  for (const [why, given, pairs] of rows) {
    using exchange = authenticator(pairs, { ...given, isUnasked: true }).begin()
    assert.equal(await exchange.prepare(page), undefined, why)
  }
  const sealed = { isUnasked: true, peer: 'https://server.example/' }
  const bearing = [pair('digest'), { ...pair('bearer'), credentials: token() }]
  using exchange = authenticator(bearing, sealed).begin()
  assert.equal((await exchange.prepare(page))?.header, 'Bearer abc')
})

test('Authenticator leaves an application that proves itself alone, until it is asked for what was set (A46, A53)', async () => {
  using unasked = authenticator([pair('basic')], { isUnasked: true }).begin({ isPatient: true })
  assert.equal(await unasked.prepare(page), undefined)
  assert.equal((await unasked.challenged(unauthorized('Basic realm="r"'), page)).kind, 'send')
  const settings = { useLmCompat: 0, implicitHosts: ['*'] } as const
  for (const [isPatient, reason] of [
    [true, /no credentials are set/u],
    [false, /No library for ntlm/u],
  ] as const) {
    using exchange = authenticator([], { settings }).begin({ isPatient })
    assert.equal((await exchange.challenged(unauthorized('NTLM'), page)).kind, 'failed')
    assert.match(exchange.explanation.map((each) => each.reason).join(), reason)
  }
})

test('Authenticator sends a wrong password unasked once, and not to who would never ask', async () => {
  const { ask, seen } = server(basic)
  const own = authenticator([pair('basic', 'wrong')], { isUnasked: true })
  const results = await Promise.all(Array.from({ length: 5 }, () => run(own.begin(), ask)))
  for (const { outcome } of results) assert.equal(outcome, refused)
  assert.deepEqual(seen, ['Basic'])
})

test('Exchange prepares nothing more once it was closed', async () => {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  let opened = 0
  const slow: AuthScheme = {
    ...basicScheme,
    name: 'digest',
    open(opening) {
      const session = basicScheme.open(opening)
      if (!('begin' in session)) return session
      const begin = (): Handshake => Object.assign(session.begin(), { prepare: () => promise })
      return { begin, close: () => session.close() }
    },
  }
  const next: AuthScheme = {
    ...basicScheme,
    open(opening) {
      opened++
      return basicScheme.open(opening)
    },
  }
  const own = new Authenticator({
    situation: { target: 'server', peer: new URL('http://server.example/'), isForeign: false },
    wallet: { pairs: [pair('digest'), pair('basic')] },
    world: testWorld({}),
    schemes: [slow, next],
    isUnasked: true,
  })
  const exchange = own.begin()
  const preparing = exchange.prepare(page)
  assert.ok(preparing instanceof Promise)
  exchange.close()
  own.close()
  resolve(undefined)
  assert.equal(await preparing, undefined)
  assert.equal(opened, 0)
})

/** Turns of the event loop in which whoever does not wait would have gone on. */
async function aWhile(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
}

test('Authenticator tries one password with one scheme at a time, whatever other paths ask for (A133, A136)', async () => {
  const own = authenticator([pair('basic', 'wrong'), pair('digest', 'wrong')])
  using first = own.begin()
  using second = own.begin()
  const [asksBasic, asksDigest] = [
    unauthorized('Basic realm="r"'),
    unauthorized('Digest realm="r", nonce="n"'),
  ]
  assert.equal((await first.challenged(asksBasic, page)).kind, 'send')
  let waited: string | undefined
  const waiting = second.challenged(asksDigest, page).then(({ kind }) => {
    waited = kind
  })
  await aWhile()
  assert.equal(waited, undefined)
  assert.equal((await first.challenged(asksBasic, page)).kind, 'failed')
  await waiting
  assert.equal(waited, 'failed', 'what was refused is not sent with another scheme')
  // Another password is another trial, and so is one that nobody tries any more.
  const apart = authenticator([pair('basic', 'wrong'), pair('digest', 'other')])
  using basicly = apart.begin()
  using digestly = apart.begin()
  assert.equal((await basicly.challenged(asksBasic, page)).kind, 'send')
  assert.equal((await digestly.challenged(asksDigest, page)).kind, 'send')
  basicly.close()
  using again = apart.begin()
  assert.equal((await again.challenged(asksBasic, page)).kind, 'send')
})

test('Authenticator repeats on another connection what was sent on a lost one', async () => {
  for (const [scheme, acceptor] of [
    ['basic', basic],
    ['digest', digest],
  ] as const) {
    const { ask } = server(acceptor)
    using exchange = authenticator([pair(scheme)]).begin()
    const [lost, fresh] = [
      { ...page, connection: {} },
      { ...page, connection: {} },
    ]
    await exchange.prepare(lost)
    const step = await exchange.challenged(await ask(undefined, lost), lost)
    assert.ok(step.kind === 'send')
    const again = await exchange.prepare(fresh)
    if (scheme === 'digest') assert.notEqual(again?.header, step.header, 'the counter moves on')
    assert.equal((await ask(again?.header, fresh)).status, 200)
  }
})

test('Authenticator warns of what can be read on the way, and obeys who forbids it (A183)', async () => {
  const rows = [
    ['http://server.example/', 'basic', true],
    ['https://server.example/', 'basic', false],
    ['http://server.example/', 'digest', false],
  ] as const
  for (const [peer, scheme, isReadable] of rows) {
    const warnings: object[] = []
    const own = authenticator([pair(scheme)], { peer, warn: (each) => warnings.push(each) })
    for (let request = 0; request < 2; request++) {
      const exchange = own.begin()
      const both = unauthorized('Basic realm="r"', 'Digest realm="r", nonce="n"')
      await exchange.challenged(both, page)
      assert.equal(exchange.scheme, scheme)
      exchange.close()
    }
    const { origin } = new URL(peer)
    const warning = { target: 'server', peer: origin, scheme: 'Basic' }
    assert.deepEqual(warnings, isReadable ? [warning] : [])
  }
  const settings = { allowClearText: false }
  const { ask, seen } = server(basic)
  for (const isUnasked of [false, true]) {
    const own = authenticator([pair('basic')], { settings, isUnasked })
    assert.equal((await run(own.begin(), ask)).outcome, cannot)
  }
  assert.deepEqual(seen, [])
})

const anyChallenges = array(
  constantFrom(
    'Basic realm="r"',
    'Basic realm="s"',
    'Digest realm="r", nonce="1", qop=auth',
    'Digest realm="r", nonce="2", stale=true',
    'Digest realm="s", nonce="3", algorithm=SHA-256',
    'Digest realm="r"',
    'NTLM',
    'NTLM TlRMTVNTUAACAAAA',
    'Bearer realm="r"',
    'Negotiate',
    'Unknown',
    '"',
  ),
  { maxLength: 5 },
)

test('Authenticator has had its try with what went unasked, also where something else is asked for (A135)', async () => {
  const sent: string[] = []
  const asked = [
    ['Digest realm="r", nonce="1", qop=auth'],
    ['Basic realm="r"'],
    ['Basic realm="s"'],
  ]
  const own = authenticator([pair('basic'), pair('digest', 'another')], { isUnasked: true })
  await run(own.begin(), async (credentials) => {
    sent.push(credentials?.split(' ', 1)[0] ?? 'nothing')
    return unauthorized(...(asked[sent.length - 1] ?? asked.at(-1) ?? []))
  })
  assert.deepEqual(sent, ['Basic', 'Digest'])
})

test('Authenticator sends what was set and nothing else, and comes to an end, whoever it talks to (A22)', async () => {
  const schemes = ['basic', 'digest', 'ntlm'] as const
  await check(
    asyncProperty(
      subarray([...schemes]),
      boolean(),
      array(array(anyChallenges, { maxLength: 30 }), { minLength: 1, maxLength: 3 }),
      async (names, isUnasked, requests) => {
        const own = authenticator(
          names.map((name) => pair(name, name)),
          { isUnasked },
        )
        const proofs = new Map<string, number>()
        for (const responses of requests) {
          const queue = [...responses]
          const ask = async (credentials: string | undefined) => {
            const [scheme = ''] = credentials?.split(' ', 1) ?? []
            if (credentials !== undefined)
              assert.ok(names.some((name) => name === scheme.toLowerCase()))
            proofs.set(scheme, (proofs.get(scheme) ?? 0) + 1)
            const challenges = queue.shift()
            return challenges === undefined
              ? { status: 200, fields: [] }
              : unauthorized(...challenges)
          }
          const { requests } = await run(own.begin(), ask)
          assert.ok(requests <= 21)
        }
        // Two realms; what is sent again after a success is not a second try.
        assert.ok((proofs.get('Basic') ?? 0) <= 2 * requests.length)
      },
    ),
    { numRuns: 300 },
  )
})

test('Authenticator explains every scheme', async () => {
  const exchange = authenticator([pair('digest', 'hunter2'), pair('basic'), pair('bearer')]).begin()
  const said = () => exchange.explanation.map(({ scheme, outcome }) => `${scheme} ${outcome}`)
  const both = unauthorized('Basic realm="r"', 'Digest realm="r", nonce="n"', 'Hoba')
  await exchange.challenged(both, page)
  assert.deepEqual(said(), [
    'Digest chosen',
    'Basic in reserve',
    'Bearer passed over',
    'hoba passed over',
  ])
  await exchange.challenged(both, page)
  assert.deepEqual(said(), [
    'Basic chosen',
    'Bearer passed over',
    'Digest passed over',
    'hoba passed over',
  ])
  const text = JSON.stringify(exchange.explanation)
  assert.doesNotMatch(text, /hunter2|"u"/, 'neither the name nor the password (A17)')
  exchange.close()
})

test('Authenticator of a proxy reads and answers the fields of a proxy (A176)', async () => {
  const exchange = authenticator([pair('basic', 'p', 'proxy')], { target: 'proxy' }).begin()
  const rows = [
    ['WWW-Authenticate', 'failed'],
    ['Proxy-Authenticate', 'send'],
  ] as const
  for (const [name, expected] of rows) {
    const response = { status: 407, fields: [[name, 'Basic realm="r"']] as const }
    assert.equal((await exchange.challenged(response, page)).kind, expected)
  }
  exchange.close()
})

test('Authenticator remembers nothing from a server in trouble', async () => {
  const own = authenticator([pair('digest')])
  const ask = afterProof({ status: 503, fields: [] })
  assert.deepEqual(await run(own.begin(), ask), { outcome: '503', requests: 2 })
})

test('Authenticator refuses a server that does not know the password (A222)', async () => {
  const own = authenticator([pair('digest')])
  const ask = afterProof({ status: 200, fields: [['Authentication-Info', 'rspauth="00"']] })
  assert.equal((await run(own.begin(), ask)).outcome, 'refused')
  assert.equal((await run(own.begin(), ask)).outcome, refused)
})

test('asksForProof() knows 401, 407, and the redirect that is none (A176, A333)', () => {
  const rows = [
    ['server', 401, [], true],
    ['server', 407, [], false],
    ['proxy', 407, [], true],
    ['proxy', 401, [], false],
    ['server', 302, [], false],
    ['server', 302, ['Basic realm="r"'], false],
    ['server', 302, ['Passport1.4 a,b'], true],
    ['server', 302, ['passport1.4'], true],
    ['server', 301, ['Passport1.4 a,b'], false],
    ['server', 200, ['Negotiate YII='], false],
    ['proxy', 302, ['Passport1.4 a,b'], false],
  ] as const
  for (const [target, status, challenges, expected] of rows) {
    const response = { ...unauthorized(...challenges), status }
    assert.equal(asksForProof(target, response), expected, `${target} ${status}`)
  }
})
