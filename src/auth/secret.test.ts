import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'

import { assert as check, property, uint8Array } from 'fast-check'

import { parseUserName, sameCredentials, wipeCredentials, type Credentials } from './credentials.ts'
import { Secret } from './secret.ts'

test('Secret shows itself nowhere', () => {
  const secret = Secret.fromText('hunter2')
  const holder = { secret }
  for (const text of [
    String(secret),
    JSON.stringify(holder),
    inspect(holder, { showHidden: true, depth: null }),
    inspect(Object.getOwnPropertyDescriptors(secret), { showHidden: true }),
    JSON.stringify(structuredClone(secret)),
    Object.entries(secret).join(),
  ]) {
    assert.doesNotMatch(text, /hunter2|104|68 75/)
  }
})

test('Secret is gone after wipe(), also for who still holds the bytes', () => {
  const bytes = new TextEncoder().encode('hunter2')
  const secret = new Secret(bytes)
  const copy = secret.copy()
  secret.wipe()
  secret.wipe()
  assert.ok(secret.isWiped)
  assert.deepEqual(bytes, new Uint8Array(7))
  assert.throws(() => secret.use(() => undefined), /not used after it was wiped/)
  assert.equal(
    copy.use((bytes) => Buffer.from(bytes).toString()),
    'hunter2',
  )
})

test('Secret equals() compares the bytes', () => {
  check(
    property(uint8Array(), uint8Array(), (left, right) => {
      const equal = Buffer.from(left).equals(right)
      assert.equal(new Secret(left.slice()).equals(new Secret(right.slice())), equal)
      assert.ok(new Secret(left.slice()).equals(new Secret(left.slice())))
    }),
  )
})

test('parseUserName() splits the forms of A23, A235 and A236', () => {
  const rows = [
    [String.raw`DOMAIN\user`, { domain: 'DOMAIN', user: 'user', realm: '' }],
    [String.raw`SERVER\us\er@x`, { domain: 'SERVER', user: String.raw`us\er@x`, realm: '' }],
    ['user@REALM', { domain: '', user: 'user@REALM', realm: 'REALM' }],
    ['a@b@REALM', { domain: '', user: 'a@b@REALM', realm: 'REALM' }],
    ['user', { domain: '', user: 'user', realm: '' }],
    ['@user', { domain: '', user: '@user', realm: '' }],
    ['', { domain: '', user: '', realm: '' }],
  ] as const
  for (const [text, expected] of rows) assert.deepEqual(parseUserName(text), expected, text)
})

const kinds: readonly (() => Credentials)[] = [
  () => ({ kind: 'password', userName: 'u', password: Secret.fromText('p') }),
  () => ({ kind: 'password', userName: 'u', password: Secret.fromText('q') }),
  () => ({ kind: 'password', userName: 'v', password: Secret.fromText('p') }),
  () => ({ kind: 'implicit' }),
  () => ({ kind: 'keytab', principal: 'u@R', keytab: '/k' }),
  () => ({ kind: 'keytab', principal: 'v@R', keytab: '/k' }),
  () => ({ kind: 'tickets', cache: 'FILE:/c' }),
  () => ({ kind: 'tickets', cache: 'FILE:/c', principal: 'u@R' }),
  () => ({ kind: 'bearer', token: Secret.fromText('t') }),
  () => ({
    kind: 'client',
    clientId: 'c',
    clientSecret: Secret.fromText('s'),
    tokenUrl: 'https://t/',
  }),
  () => ({
    kind: 'client',
    clientId: 'c',
    clientSecret: Secret.fromText('z'),
    tokenUrl: 'https://t/',
  }),
]

test('sameCredentials() tells apart what a peer could tell apart (A136)', () => {
  for (const [row, left] of kinds.entries()) {
    for (const [column, right] of kinds.entries()) {
      assert.equal(sameCredentials(left(), right()), row === column, `${row}, ${column}`)
    }
  }
})

test('wipeCredentials() leaves no secret usable', () => {
  for (const make of kinds) {
    const credentials = make()
    wipeCredentials(credentials)
    wipeCredentials(credentials)
    const secrets = Object.values(credentials).filter((value) => value instanceof Secret)
    for (const secret of secrets) assert.ok(secret.isWiped)
  }
})
