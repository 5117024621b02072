import assert from 'node:assert/strict'
import { test } from 'node:test'

import { formatHex } from '../hex.ts'
import { rc4 } from '../legacy-crypto/rc4.ts'
import type { LmCompatibilityLevel } from '../settings.ts'
import { nodeHashes } from '../world.suite.ts'
import { avIds } from './av-pairs.ts'
import { joinFlags, ntlmFlags, type NtlmFlag } from './flags.ts'
import {
  agreedFlags,
  offeredFlags,
  responseKind,
  sendsLmResponse,
  type ResponseKind,
} from './level.ts'
import { encodeNtlmv2ClientChallenge } from './ntlmv2-client-challenge.ts'
import { computeLmHash, computeNtHash, computeNtlmv2Key } from './password-keys.ts'
import {
  respondV1,
  respondV2,
  respondWithSessionSecurity,
  type NtlmResponses,
} from './responses.ts'
import { computeKeyExchangeKey, computeSealingKey, computeSigningKey } from './session-keys.ts'
import { encodeUtf16 } from './text.ts'
import { hex, v26 } from './vectors.suite.ts'

/** The common input of MS-NLMP §4.2.1. */
const password = new TextEncoder().encode('Password')
const serverChallenge = hex('0123456789abcdef')
const clientChallenge = new Uint8Array(8).fill(0xaa)
const randomSessionKey = new Uint8Array(16).fill(0x55)
const ntHash = computeNtHash(password)
const lmHash = computeLmHash(password)
const key = computeNtlmv2Key(ntHash, 'User', 'Domain', nodeHashes)

const v2Client = {
  timestamp: new Uint8Array(8),
  clientChallenge,
  targetInfo: [
    { id: avIds.nbDomainName, value: encodeUtf16('Domain') },
    { id: avIds.nbComputerName, value: encodeUtf16('Server') },
  ],
}

test('computeNtHash() and computeLmHash() give the hashes of MS-NLMP §4.2.2.1', () => {
  assert.equal(formatHex(ntHash), 'a4f49c406510bdcab6824ee7c30fd852')
  assert.equal(formatHex(lmHash ?? hex('')), 'e52cac67419a9a224a3b108f3fa6cb6d')
})

test('the hashes of an empty password are the well-known ones (V22)', () => {
  assert.equal(formatHex(computeNtHash(hex(''))), '31d6cfe0d16ae931b73c59d7e0c089c0')
  assert.equal(formatHex(computeLmHash(hex('')) ?? hex('')), 'aad3b435b51404eeaad3b435b51404ee')
})

test('computeLmHash() is undefined where the LM hash does not exist (A246)', () => {
  for (const word of ['fifteen letters', 'P\u00e4ssword']) {
    assert.equal(computeLmHash(new TextEncoder().encode(word)), undefined, word)
  }
})

test('passwords and names beyond ASCII hash as Windows hashes them (V23)', () => {
  const german = new TextEncoder().encode('P\u00e4ssw\u00f6rd\u20ac')
  assert.equal(formatHex(computeNtHash(german)), '04e9d4087e1303bea8e5239aa5ddd064')
  for (const [user, domain, expected] of [
    ['\u00fcser', 'D\u00f6main', '307cd5aa5aaddde45caec13de87ff376'],
    ['user@domain.example', '', '8729d5fc9c78b63536caf8e523d69cb4'],
    ['User', '', '4cf86da43b3cd4785ab26bcee1e1884b'],
    ['User', 'Domain', '0c868a403bfd7a93a3001ef22ef02e3f'],
  ] as const) {
    assert.equal(formatHex(computeNtlmv2Key(ntHash, user, domain, nodeHashes)), expected, user)
  }
})

test('encodeNtlmv2ClientChallenge() gives the temp of MS-NLMP §4.2.4.1.3', () => {
  assert.deepEqual(encodeNtlmv2ClientChallenge(v2Client), v26.temp)
})

const lmV1 = '98def7b87f88aa5dafe2df779688a172def11c7d5ccdef13'
const ntV1 = '67c43011f30298a2ad35ece64f16331c44bdbed927841f94'
const lmSession = `aaaaaaaaaaaaaaaa${'00'.repeat(16)}`
const ntSession = '7537f803ae367128ca458204bde7caf81e97ed2683267232'
const lmV2 = '86c35097ac9cec102554764a57cccc19aaaaaaaaaaaaaaaa'
const ntV2 = `68cd0ab851e51c96aabc927bebef6a1c${formatHex(v26.temp)}`

function respond(level: LmCompatibilityLevel, hasSessionSecurity: boolean): NtlmResponses {
  const offered = offeredFlags(level, true)
  const challenged = 0xe282_8233 | (hasSessionSecurity ? ntlmFlags.extendedSessionSecurity : 0)
  const kind = responseKind(level, agreedFlags(offered, challenged))
  if (kind === 'v2') return respondV2(serverChallenge, v2Client, key, true, nodeHashes)
  return kind === 'v1'
    ? respondV1(serverChallenge, ntHash, sendsLmResponse(level) ? lmHash : undefined)
    : respondWithSessionSecurity(serverChallenge, clientChallenge, ntHash, nodeHashes)
}

test('every level of LM compatibility sends its own responses (A57, V30)', () => {
  for (const [level, hasSessionSecurity, lm, nt] of [
    [0, false, lmV1, ntV1],
    // A server cannot make a client of level 0 use what it did not offer.
    [0, true, lmV1, ntV1],
    [1, false, lmV1, ntV1],
    [1, true, lmSession, ntSession],
    [2, false, ntV1, ntV1],
    [2, true, lmSession, ntSession],
    [3, false, lmV2, ntV2],
    [3, true, lmV2, ntV2],
    [4, false, lmV2, ntV2],
    [4, true, lmV2, ntV2],
    [5, false, lmV2, ntV2],
    [5, true, lmV2, ntV2],
  ] as const) {
    const responses = respond(level, hasSessionSecurity)
    const row = `level ${level}, ${hasSessionSecurity ? 'with' : 'without'} session security`
    assert.equal(formatHex(responses.lmResponse), lm, row)
    assert.equal(formatHex(responses.ntResponse), nt, row)
  }
})

test('respondV2() sends 24 zeros for LM where the challenge has a timestamp (A247)', () => {
  const responses = respondV2(serverChallenge, v2Client, key, false, nodeHashes)
  assert.deepEqual(responses.lmResponse, new Uint8Array(24))
})

test('session base keys and key exchange keys are those of MS-NLMP §4.2', () => {
  const v1 = respondV1(serverChallenge, ntHash, lmHash)
  const session = respondWithSessionSecurity(serverChallenge, clientChallenge, ntHash, nodeHashes)
  const v2 = respondV2(serverChallenge, v2Client, key, true, nodeHashes)
  assert.equal(formatHex(v1.sessionBaseKey), 'd87262b0cde4b1cb7499becccdf10784')
  assert.equal(formatHex(v2.sessionBaseKey), '8de40ccadbc14a82f15cb0ad0de95ca3')
  for (const [clause, responses, kind, names, exchange, encrypted] of [
    [
      '§4.2.2.1.3',
      v1,
      'v1',
      [],
      'd87262b0cde4b1cb7499becccdf10784',
      '518822b1b3f350c8958682ecbb3e3cb7',
    ],
    [
      '§4.2.2.1.3, REQUEST_NON_NT_SESSION_KEY',
      v1,
      'v1',
      ['requestNonNtSessionKey'],
      'e52cac67419a9a220000000000000000',
      '7452ca55c225a1ca04b48fae32cf56fc',
    ],
    [
      '§4.2.2.1.3, LM_KEY',
      v1,
      'v1',
      ['lmKey'],
      'b09e379f7fbecb1eaf0afdcb0383c8a0',
      '4cd7bb57d697ef9b549f02b8f9b37864',
    ],
    ['§4.2.3.1.3', session, 'session', [], 'eb93429a8bd952f8b89c55b87f475edc', undefined],
    [
      'A245: extended session security wins',
      session,
      'session',
      ['lmKey'],
      'eb93429a8bd952f8b89c55b87f475edc',
      undefined,
    ],
    [
      '§4.2.4.2.3',
      v2,
      'v2',
      [],
      '8de40ccadbc14a82f15cb0ad0de95ca3',
      'c5dad2544fc9799094ce1ce90bc9d03e',
    ],
  ] as const satisfies readonly (readonly [
    string,
    NtlmResponses,
    ResponseKind,
    readonly NtlmFlag[],
    string,
    string | undefined,
  ])[]) {
    const computed = computeKeyExchangeKey(
      {
        ...responses,
        kind,
        flags: joinFlags(...names),
        serverChallenge,
        ...(lmHash === undefined ? {} : { lmHash }),
      },
      nodeHashes,
    )
    assert.equal(formatHex(computed), exchange, clause)
    if (encrypted !== undefined) {
      assert.equal(formatHex(rc4(computed, randomSessionKey)), encrypted, clause)
    }
  }
})

test('signing and sealing keys are those of MS-NLMP §4.2.4.4, at every strength (V26, V27)', () => {
  for (const [side, names, expected] of [
    ['client', ['key128'], '59f600973cc4960a25480a7c196e4c58'],
    ['client', ['key56'], 'a5f7253c1065e8d3d68642040e71cfe0'],
    ['client', [], '42f964a471091a02ff4a77455366e4e5'],
    ['server', ['key128', 'key56'], '9355f3a957c1583d25c4c2f11e40390e'],
    ['server', ['key56'], '583e2f98959b385cd158f3734b5f5d3f'],
    ['server', [], 'c5d3853b406b7c1241c595f0ce0750e2'],
  ] as const) {
    const flags = joinFlags('extendedSessionSecurity', ...names)
    const computed = computeSealingKey(flags, randomSessionKey, side, nodeHashes)
    assert.equal(formatHex(computed), expected, `${side} ${names.join()}`)
  }
  const client = computeSigningKey(randomSessionKey, 'client', nodeHashes)
  assert.equal(formatHex(client), '4788dc861b4782f35d43fd98fe1a2d39')
  const server = computeSigningKey(randomSessionKey, 'server', nodeHashes)
  assert.equal(formatHex(server), 'd04d6f10741041d1d246d64188d7a8ad')
})

test('sealing keys without extended session security are cut as A246 says', () => {
  for (const [names, expected] of [
    [[], '55555555555555555555555555555555'],
    [['lmKey', 'key56'], '55555555555555a0'],
    [['lmKey'], '5555555555e538b0'],
  ] as const) {
    const computed = computeSealingKey(joinFlags(...names), randomSessionKey, 'client', nodeHashes)
    assert.equal(formatHex(computed), expected, names.join())
  }
})

test('agreedFlags() gives the flags of the published AUTHENTICATE messages (A244)', () => {
  for (const [vector, integrity, challenged, agreed] of [
    ['V25', true, 0x820a_8233, 0x8208_8235],
    ['V26', true, 0xe28a_8233, 0xe288_8235],
    ['V28', false, 0xa289_8205, 0xa288_8205],
    ['V31', false, 0xa289_8205, 0xa288_8205],
    ['V32', true, 0xe289_8235, 0xe288_8235],
  ] as const) {
    assert.equal(agreedFlags(offeredFlags(3, integrity), challenged), agreed, vector)
  }
})
