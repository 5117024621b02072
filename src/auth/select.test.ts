import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { AuthTarget, SchemeName } from './auth.ts'
import { basicScheme } from './basic.ts'
import { parseChallenges } from './challenge.ts'
import type { CredentialPair } from './credentials.ts'
import { digestScheme } from './digest/digest.ts'
import { authSchemes } from './list.ts'
import { Secret } from './secret.ts'
import { select, type Ended, type Offer, type Selection } from './select.ts'
import type { AuthSettings } from './settings.ts'
import { testWorld } from './world.suite.ts'

function pair(scheme: SchemeName, userName = 'u', target: AuthTarget = 'server'): CredentialPair {
  return {
    target,
    scheme,
    credentials: { kind: 'password', userName, password: Secret.fromText('p') },
  }
}

function choose(
  values: readonly string[],
  pairs: readonly CredentialPair[],
  offer: Partial<Offer> = {},
  settings: Partial<AuthSettings> = {},
): Selection {
  return select(
    {
      challenges: parseChallenges(values),
      situation: { target: 'server', peer: new URL('https://server.example/'), isForeign: false },
      wallet: { pairs },
      schemes: authSchemes,
      ended: [],
      endedBefore: [],
      ...offer,
    },
    testWorld({ settings }),
  )
}

function names({ choices }: Selection): readonly string[] {
  return choices.map(({ scheme }) => scheme.name)
}

const all = ['Basic realm="r"', 'Digest realm="r", nonce="n"', 'Bearer']

test('select() puts the offered and set schemes in the order of the list (A181)', () => {
  assert.deepEqual(names(choose(all, [pair('basic'), pair('digest')])), ['digest', 'basic'])
  assert.deepEqual(names(choose(all.slice(0, 1), [pair('basic'), pair('digest')])), ['basic'])
})

test('select() never takes a scheme that was not set (A22)', () => {
  assert.deepEqual(names(choose(all, [pair('basic')])), ['basic'])
  assert.deepEqual(names(choose(all, [pair('ntlm')])), [])
  assert.deepEqual(names(choose(all, [pair('basic', 'u', 'proxy')])), [])
})

test('select() says about every scheme why not', () => {
  const { passedOver } = choose(
    ['Basic realm="r"', 'Mutual realm="r"', 'HOBA x="y"', 'Bearer', 'SCRAM-SHA-256 a=b'],
    [pair('digest'), pair('bearer')],
  )
  assert.deepEqual(passedOver, [
    { scheme: 'Bearer', reason: 'it cannot be answered with password credentials for a server' },
    { scheme: 'Digest', reason: 'the server does not offer it' },
    { scheme: 'Basic', reason: 'no credentials are set for it and the server' },
    { scheme: 'mutual', reason: 'it is not known here' },
    { scheme: 'hoba', reason: 'it is not known here' },
    { scheme: 'scram-sha-256', reason: 'it is not known here' },
  ])
})

test('select() obeys who forbids what can be read on the way (A183)', () => {
  const rows = [
    ['https://server.example/', true, 'basic', ['basic']],
    ['http://server.example/', true, 'basic', ['basic']],
    ['https://server.example/', false, 'basic', ['basic']],
    ['http://server.example/', false, 'basic', []],
    ['http://server.example/', false, 'digest', ['digest']],
  ] as const
  for (const [peer, allowClearText, scheme, expected] of rows) {
    const situation = { target: 'server', peer: new URL(peer), isForeign: false } as const
    const selection = choose(all, [pair(scheme)], { situation }, { allowClearText })
    assert.deepEqual(names(selection), expected, `${peer} ${scheme}`)
  }
})

test('select() answers the challenge that the scheme picks (A182)', () => {
  const { choices } = choose(
    [
      'Digest realm="r", nonce="1", algorithm=MD5',
      'Digest realm="r", nonce="2", algorithm=SHA-256',
    ],
    [pair('digest')],
  )
  assert.deepEqual(
    choices.map(({ challenge }) => challenge.parameters.get('nonce')),
    ['2'],
  )
})

test('select() does not replay what was refused', () => {
  const refused = (scheme: typeof basicScheme, userName: string, realm?: string): Ended => ({
    kind: 'refused',
    scheme,
    credentials: pair('basic', userName).credentials,
    realm,
    reason: 'no',
  })
  const pairs = [pair('digest', 'u'), pair('basic', 'u')]
  const others = [pair('digest', 'u'), pair('basic', 'other')]
  const digest = refused(digestScheme, 'u', 'r')
  const rows = [
    ['A136: the same credentials under another scheme', pairs, [digest], [], []],
    ['A136: other credentials', others, [digest], [], ['basic']],
    [
      'A136: whatever realm the other scheme names',
      pairs,
      [refused(digestScheme, 'u', 'else')],
      [],
      ['digest'],
    ],
    [
      'A385: another realm for the same scheme',
      [pair('basic')],
      [refused(basicScheme, 'u', 'else')],
      [],
      ['basic'],
    ],
    [
      'A135: the same realm for the same scheme',
      [pair('basic')],
      [refused(basicScheme, 'u', 'r')],
      [],
      [],
    ],
    ['a request before, the same realm', pairs, [], [digest], []],
    [
      'A385: a request before, another realm',
      pairs,
      [],
      [refused(digestScheme, 'u', 'else')],
      ['digest', 'basic'],
    ],
    ['a request before, a scheme without realm', pairs, [], [refused(digestScheme, 'u')], []],
  ] as const
  for (const [why, pairs, ended, endedBefore, expected] of rows) {
    assert.deepEqual(names(choose(all, pairs, { ended, endedBefore })), expected, why)
  }
})

test('select() leaves a scheme that was unable for this request, and keeps the credentials (A136)', () => {
  const { credentials } = pair('digest')
  const unable: Ended = {
    kind: 'unable',
    scheme: digestScheme,
    credentials,
    realm: 'r',
    reason: 'no md5',
  }
  const pairs = [pair('digest'), pair('basic')]
  assert.deepEqual(names(choose(all, pairs, { ended: [unable] })), ['basic'])
  assert.deepEqual(names(choose(all, pairs, { endedBefore: [unable] })), ['digest', 'basic'])
})
