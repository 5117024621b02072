import assert from 'node:assert/strict'
import { test } from 'node:test'

import { array, assert as check, property, uint8Array } from 'fast-check'

import { formatHex } from '../hex.ts'
import { crc32 } from '../legacy-crypto/crc32.ts'
import { nodeHashes } from '../world.suite.ts'
import { joinFlags, withoutFlags, type NtlmFlag } from './flags.ts'
import { NtlmSessionSecurity } from './session-security.ts'
import { encodeUtf16 } from './text.ts'
import { hex } from './vectors.suite.ts'

/** The message of MS-NLMP §4.2.1. */
const plaintext = encodeUtf16('Plaintext')
const randomSessionKey: Uint8Array = new Uint8Array(16).fill(0x55)

function client(flags: number, key = randomSessionKey): NtlmSessionSecurity {
  return new NtlmSessionSecurity(flags, key, 'client', nodeHashes)
}

function server(flags: number, key = randomSessionKey): NtlmSessionSecurity {
  return new NtlmSessionSecurity(flags, key, 'server', nodeHashes)
}

test('seal() gives the cipher texts and signatures of MS-NLMP §4.2', () => {
  for (const [clause, flags, key, sealed, signature] of [
    [
      // The printed signature has the pad that the text says is sent as zeros (V24).
      '§4.2.2.4',
      0xe202_8233,
      randomSessionKey,
      '56fe04d861f9319af0d7238a2e3b4d457fb8',
      '010000000000000009dcd1df2e459d36',
    ],
    [
      '§4.2.3.4',
      0x820a_8233,
      hex('eb93429a8bd952f8b89c55b87f475edc'),
      'a02372f6530273f3aa1eb90190ce5200c99d',
      '01000000ff2aeb52f681793a00000000',
    ],
    [
      '§4.2.4.4',
      0xe28a_8233,
      randomSessionKey,
      '54e50165bf1936dc996020c1811b0f06fb5f',
      '010000007fb38ec5c55d497600000000',
    ],
    [
      '§4.2.4.4 without key exchange (V27)',
      withoutFlags(0xe28a_8233, 'keyExchange'),
      randomSessionKey,
      '54e50165bf1936dc996020c1811b0f06fb5f',
      '0100000070352851f256430900000000',
    ],
  ] as const) {
    const result = client(flags, key).seal(plaintext)
    assert.equal(formatHex(result.sealed), sealed, clause)
    assert.equal(formatHex(result.signature), signature, clause)
    assert.deepEqual(server(flags, key).unseal(result), plaintext, clause)
  }
  assert.equal(crc32(plaintext), 0x93aa847d, '§4.2.2.4: CRC 7d84aa93, little-endian')
})

test('verify() ignores the pad of a signature without extended session security', () => {
  const flags = 0xe202_8233
  const peer = server(flags)
  const sealed = hex('56fe04d861f9319af0d7238a2e3b4d457fb8')
  const signature = hex('0100000045c844e509dcd1df2e459d36')
  assert.deepEqual(peer.unseal({ sealed, signature }), plaintext, 'as printed')
})

test('a signature is a constant when signing was not agreed', () => {
  const flags = joinFlags('alwaysSign', 'extendedSessionSecurity')
  assert.equal(formatHex(client(flags).sign(plaintext)), `01000000${'00'.repeat(12)}`)
  assert.ok(!client(flags).hasIntegrity)
})

const agreements: readonly (readonly NtlmFlag[])[] = [
  ['sign', 'extendedSessionSecurity', 'keyExchange', 'key128'],
  ['sign', 'extendedSessionSecurity', 'key56'],
  ['sign'],
]

test('two sides understand each other, message by message, in both directions', () => {
  check(
    property(array(uint8Array({ maxLength: 60 }), { maxLength: 6 }), (messages) => {
      for (const names of agreements) {
        const flags = joinFlags(...names)
        const [left, right] = [client(flags), server(flags)]
        for (const message of messages) {
          assert.ok(right.verify(message, left.sign(message)))
          assert.deepEqual(left.unseal(right.seal(message)), new Uint8Array(message))
        }
      }
    }),
    { numRuns: 30 },
  )
})

test('unseal() refuses a message that was changed, repeated or sent back', () => {
  for (const names of agreements) {
    const flags = joinFlags(...names)
    const first = client(flags).seal(plaintext)
    const broken = first.sealed.with(0, (first.sealed[0] ?? 0) ^ 1)
    assert.equal(server(flags).unseal({ ...first, sealed: broken }), undefined)
    assert.equal(server(flags).unseal({ ...first, signature: hex('01000000') }), undefined)
    const peer = server(flags)
    peer.unseal(first)
    assert.equal(peer.unseal(first), undefined, 'repeated')
    if (names.includes('extendedSessionSecurity')) {
      assert.equal(client(flags).unseal(first), undefined, 'sent back')
    }
  }
})

test('reset() begins key streams and numbers anew (A286)', () => {
  const flags = 0xe28a_8233
  const [left, right] = [client(flags), server(flags)]
  assert.ok(right.verify(plaintext, left.sign(plaintext)))
  left.reset()
  right.reset()
  assert.equal(formatHex(left.seal(plaintext).signature), '010000007fb38ec5c55d497600000000')
})
