/** What every scheme does, whichever it is. */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import {
  array,
  assert as check,
  asyncProperty,
  base64String,
  constantFrom,
  dictionary,
  option,
  record,
  string,
} from 'fast-check'

import type { Acceptor } from './acceptor.ts'
import type { Challenge } from './challenge.ts'
import { converse, openSession, request, type ConversationOptions } from './conversation.suite.ts'
import type { Credentials } from './credentials.ts'
import type { AuthScheme, AuthWorld } from './scheme.ts'
import { Secret } from './secret.ts'
import { testWorld } from './world.suite.ts'

/** One scheme, with somebody to talk to. */
export interface SchemeRow {
  /** For the names of the tests. */
  readonly name: string
  readonly scheme: AuthScheme
  readonly right: Credentials
  /** Of the same kind, and let in nowhere. */
  readonly wrong: Credentials
  /** Who is let in with the right ones, as the acceptor says it. */
  readonly user: string
  /** Makes the other side; called again for every connection of a scheme that binds one. */
  readonly accept: (world: AuthWorld) => Acceptor
  /** Kinds of credentials that can answer a server with this scheme. */
  readonly kinds: readonly Credentials['kind'][]
  /** Text that must not be seen in any sentence: name and password, right and wrong. */
  readonly secrets: readonly string[]
  readonly world?: () => AuthWorld
  readonly elsewhere?: (world: AuthWorld) => NonNullable<ConversationOptions['elsewhere']>
  /** Why a check does not hold for this one. */
  readonly skips?: Partial<Record<'early' | 'names', string>>
}

const peer = new URL('https://server.example/')

/** One of each kind. */
const everyKind: readonly Credentials[] = [
  { kind: 'password', userName: 'u', password: Secret.fromText('p') },
  { kind: 'implicit' },
  { kind: 'keytab', principal: 'u@R', keytab: '/etc/keytab' },
  { kind: 'tickets', cache: 'FILE:/tmp/cache' },
  { kind: 'bearer', token: Secret.fromText('t') },
  {
    kind: 'client',
    clientId: 'c',
    clientSecret: Secret.fromText('s'),
    tokenUrl: 'https://login.example/',
  },
]

/** A session with the server of a row, and a way to ask it. */
function given(row: SchemeRow, credentials: Credentials = row.right) {
  const world = row.world?.() ?? testWorld()
  const session = openSession(row.scheme, { credentials, peer, world })
  const elsewhere = row.elsewhere?.(world)
  return { world, session, options: elsewhere === undefined ? {} : { elsewhere } }
}

const page = () => request('GET', 'https://server.example/a/b?c', { connection: {} })

/** Holds one scheme against everything that holds for all. */
export function suite(row: SchemeRow): void {
  const { name, scheme } = row

  test(`${name} lets in who is right, and sends its own token`, async () => {
    const { world, session, options } = given(row)
    const outcome = await converse(session.begin(), row.accept(world), page(), options)
    assert.deepEqual([outcome.kind, outcome.text], ['granted', row.user])
    for (const header of outcome.sent) {
      if (header !== undefined) assert.ok(header.startsWith(`${scheme.token} `), header)
    }
  })

  test(`${name} sends nothing before the first challenge`, async () => {
    const { session } = given(row)
    assert.equal(await session.begin().prepare(page()), undefined)
  })

  test(`${name} needs no second round trip where it has proved itself`, async (t) => {
    if (row.skips?.early !== undefined) return t.skip(row.skips.early)
    const { world, session, options } = given(row)
    const [acceptor, facts, first] = [row.accept(world), page(), session.begin()]
    await converse(first, acceptor, facts, options)
    const next = scheme.binds === 'connection' ? first : session.begin()
    const outcome = await converse(next, acceptor, facts, options)
    assert.deepEqual([outcome.kind, outcome.sent.length], ['granted', 1])
  })

  test(`${name} proves itself again on another connection`, async () => {
    const { world, session, options } = given(row)
    const shared = row.accept(world)
    for (let connection = 0; connection < 3; connection++) {
      const acceptor = scheme.binds === 'connection' ? row.accept(world) : shared
      const outcome = await converse(session.begin(), acceptor, page(), options)
      assert.equal(outcome.kind, 'granted')
    }
  })

  test(`${name} refuses itself what the peer refused, in a sentence without secrets (A135, A141)`, async () => {
    const { world, session, options } = given(row, row.wrong)
    const handshake = session.begin()
    const { kind, text } = await converse(handshake, row.accept(world), page(), options)
    assert.equal(kind, 'refused')
    for (const secret of row.secrets) assert.ok(!text.includes(secret), text)
  })

  test(`${name} can be closed at any time, and twice`, async () => {
    const { world, session, options } = given(row)
    const handshake = session.begin()
    handshake.close()
    await converse(handshake, row.accept(world), page(), options)
    handshake.close()
    handshake.close()
    session.close()
    session.close()
  })

  test(`${name} says which credentials it can use (A2, A60)`, () => {
    const fits = everyKind.filter((credentials) => scheme.accepts(credentials, 'server'))
    assert.deepEqual(
      fits.map(({ kind }) => kind),
      row.kinds,
    )
  })

  test(`${name} withstands any challenge`, async () => {
    await check(
      asyncProperty(array(noise(scheme), { minLength: 1, maxLength: 4 }), async (challenges) => {
        const { world, session } = given(row)
        const handshake = session.begin()
        const facts = page()
        for (const challenge of challenges) {
          const picked = scheme.pick?.([challenge, ...challenges], world) ?? challenge
          const answer = await handshake.answer(picked, facts)
          if (answer.kind === 'send') assert.doesNotMatch(answer.header ?? '', unsendable)
          if (answer.kind === 'unable' || answer.kind === 'refused') break
        }
        handshake.close()
        session.close()
      }),
      { numRuns: 200 },
    )
  })

  test(`${name} withstands any final response`, async () => {
    const values = string({
      unit: constantFrom('a', '=', '"', ',', ' ', scheme.token, 'nextnonce', 'rspauth'),
    })
    const fields = array(
      record({
        name: constantFrom(
          'Authentication-Info',
          'WWW-Authenticate',
          'Set-Cookie',
          'Persistent-Auth',
        ),
        value: values,
      }).map(({ name, value }) => [name, value] as const),
    )
    await check(
      asyncProperty(fields, async (fields) => {
        const { session } = given(row)
        const handshake = session.begin()
        await handshake.answer(
          { scheme: scheme.token.toLowerCase(), parameters: new Map() },
          page(),
        )
        const { kind } = await handshake.accept({ status: 200, fields })
        assert.ok(kind === 'done' || kind === 'refused')
        session.close()
      }),
      { numRuns: 100 },
    )
  })

  test(`${name} puts no octet into a header that does not belong there`, async (t) => {
    if (row.skips?.names !== undefined) return t.skip(row.skips.names)
    const text = string({
      unit: constantFrom('a', '\r', '\n', '\u0000', '"', '\\', ':', '\u00e9', '\u{1f600}'),
    })
    await check(
      asyncProperty(text, text, async (userName, word) => {
        const credentials: Credentials = {
          kind: 'password',
          userName,
          password: Secret.fromText(word),
        }
        const world = row.world?.() ?? testWorld()
        const session = scheme.open({ target: 'server', peer, credentials, world })
        if (!('begin' in session)) return
        const elsewhere = row.elsewhere?.(world)
        const options = elsewhere === undefined ? {} : { elsewhere }
        const { sent } = await converse(session.begin(), row.accept(world), page(), options)
        for (const header of sent) assert.doesNotMatch(header ?? '', unsendable)
      }),
      { numRuns: 100 },
    )
  })
}

// A field value (RFC 9110 §5.5), one character an octet.
const unsendable = /[^\t\x20-\x7e\x80-\xff]/

/** Challenges that make some sense, and none. */
function noise(scheme: AuthScheme) {
  const names = constantFrom(
    'realm',
    'nonce',
    'qop',
    'algorithm',
    'stale',
    'opaque',
    'error',
    'domain',
    'x',
  )
  const values = constantFrom(
    '',
    'r',
    'auth',
    'auth-int',
    'MD5',
    'SHA-256-sess',
    'true',
    'x y',
    '/a http://',
    '"\\',
  )
  return record({
    parameters: dictionary(names, values).map((entries) => new Map(Object.entries(entries))),
    token68: option(base64String({ maxLength: 400 }), { nil: undefined }),
    text: option(string({ maxLength: 60 }), { nil: undefined }),
  }).map(({ parameters, token68, text }): Challenge => ({
    scheme: scheme.token.toLowerCase(),
    parameters,
    ...(token68 === undefined ? {} : { token68 }),
    ...(text === undefined ? {} : { text }),
  }))
}
