import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  CredentialRecordError,
  LONGEST_CREDENTIAL_RECORD,
  decodeCredentials,
  encodeCredentials,
} from './credential-record.ts'
import { sameCredentials, type Credentials } from './credentials.ts'
import { Secret } from './secret.ts'

const text = fc.string({ unit: 'grapheme', maxLength: 12 })
const secret = fc.uint8Array({ maxLength: 40 }).map((bytes) => new Secret(bytes))

/** Any credential of any kind. */
const anyCredentials: fc.Arbitrary<Credentials> = fc.oneof(
  fc.record({ kind: fc.constant('password' as const), userName: text, password: secret }),
  fc.record({ kind: fc.constant('implicit' as const) }),
  fc.record({ kind: fc.constant('keytab' as const), principal: text, keytab: text }),
  fc.record(
    { kind: fc.constant('tickets' as const), cache: text, principal: text },
    { requiredKeys: ['kind', 'cache'] },
  ),
  fc.record({ kind: fc.constant('bearer' as const), token: secret }),
  fc.record(
    {
      kind: fc.constant('client' as const),
      clientId: text,
      clientSecret: secret,
      tokenUrl: text,
      scope: text,
    },
    { requiredKeys: ['kind', 'clientId', 'clientSecret', 'tokenUrl'] },
  ),
)

test('decodeCredentials() gives what encodeCredentials() took', () => {
  fc.assert(
    fc.property(anyCredentials, (credentials) => {
      assert(sameCredentials(decodeCredentials(encodeCredentials(credentials)), credentials))
    }),
  )
})

test('encodeCredentials() writes version 1 as it was released', () => {
  const rows: readonly [Credentials, string][] = [
    [
      { kind: 'password', userName: 'é', password: Secret.fromText('p') },
      '010003 00000002c3a9 0000000170',
    ],
    [{ kind: 'password', userName: '', password: Secret.fromText('') }, '010003 00000000 00000000'],
    [{ kind: 'implicit' }, '010100'],
    [{ kind: 'keytab', principal: 'a', keytab: '/k' }, '010203 0000000161 000000022f6b'],
    [{ kind: 'tickets', cache: 'c' }, '010301 0000000163'],
    [{ kind: 'tickets', cache: 'c', principal: 'a' }, '010303 0000000163 0000000161'],
    [{ kind: 'bearer', token: Secret.fromText('t') }, '010401 0000000174'],
    [
      { kind: 'client', clientId: 'i', clientSecret: Secret.fromText('s'), tokenUrl: 'u' },
      '010507 0000000169 0000000173 0000000175',
    ],
  ]
  for (const [credentials, hex] of rows) {
    const record = Buffer.from(encodeCredentials(credentials))
    assert.equal(record.toString('hex'), hex.replaceAll(' ', ''), credentials.kind)
  }
})

test('decodeCredentials() keeps nothing of the record', () => {
  const record = encodeCredentials({ kind: 'bearer', token: Secret.fromText('token') })
  const credentials = decodeCredentials(record)
  record.fill(0)
  assert(sameCredentials(credentials, { kind: 'bearer', token: Secret.fromText('token') }))
})

test('decodeCredentials() refuses records that are not whole, or are more', () => {
  fc.assert(
    fc.property(
      anyCredentials,
      fc.nat(),
      fc.uint8Array({ minLength: 1 }),
      (credentials, cut, more) => {
        const record = encodeCredentials(credentials)
        const shorter = record.subarray(0, cut % record.length)
        assert.throws(() => decodeCredentials(shorter), CredentialRecordError)
        assert.throws(
          () => decodeCredentials(Uint8Array.of(...record, ...more)),
          CredentialRecordError,
        )
      },
    ),
  )
})

test('decodeCredentials() reads any bytes or refuses them, and what it reads is written the same', () => {
  const hostile = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc
      .tuple(fc.nat(6), fc.nat(16), fc.uint8Array({ maxLength: 40 }))
      .map(([kind, present, rest]) => Uint8Array.of(1, kind, present, ...rest)),
    fc.tuple(anyCredentials, fc.nat(), fc.nat(255)).map(([credentials, at, byte]) => {
      const record = encodeCredentials(credentials)
      record[at % record.length] = byte
      return record
    }),
  )
  fc.assert(
    fc.property(hostile, (bytes) => {
      try {
        const credentials = decodeCredentials(bytes)
        assert.deepEqual(encodeCredentials(credentials), Uint8Array.from(bytes))
      } catch (error) {
        assert(error instanceof CredentialRecordError, String(error))
      }
    }),
    { numRuns: 500 },
  )
})

test('a record has a longest length, and no name in it holds half a character', () => {
  const password = new Secret(new Uint8Array(LONGEST_CREDENTIAL_RECORD))
  assert.throws(() => encodeCredentials({ kind: 'password', userName: '', password }), RangeError)
  const long = new Uint8Array(LONGEST_CREDENTIAL_RECORD + 1)
  long.set([1, 4, 1, 0, 15, 255, 250])
  assert.throws(() => decodeCredentials(long), /too long/u)
  assert.throws(
    () =>
      encodeCredentials({ kind: 'password', userName: '\ud800', password: Secret.fromText('') }),
    TypeError,
  )
})

test('the longest password that is accepted (A16) fits into a record', () => {
  const password = Secret.fromText('\u{ffff}'.repeat(65_536))
  const credentials: Credentials = { kind: 'password', userName: 'é'.repeat(300), password }
  assert(sameCredentials(decodeCredentials(encodeCredentials(credentials)), credentials))
})
