import assert from 'node:assert/strict'
import { test } from 'node:test'

import {
  array,
  assert as check,
  constant,
  integer,
  oneof,
  option,
  property,
  record,
  string,
  uint8Array,
} from 'fast-check'

import {
  decodeAuthenticateMessage,
  encodeAuthenticateMessage,
  withMic,
} from './authenticate-message.ts'
import { avIds, decodeAvPairs, encodeAvPairs } from './av-pairs.ts'
import { decodeChallengeMessage, encodeChallengeMessage } from './challenge-message.ts'
import { joinFlags, withoutFlags } from './flags.ts'
import { fuzz } from './fuzz.suite.ts'
import { isNtlmMessage, maximumMessageBytes, MessageWriter } from './message.ts'
import { decodeNegotiateMessage, encodeNegotiateMessage } from './negotiate-message.ts'
import { decodeNtlmv2ClientChallenge, encodeFiletime } from './ntlmv2-client-challenge.ts'
import { encodeUtf16 } from './text.ts'
import { base64, hex, v24, v25, v26, v28, v31, v32 } from './vectors.suite.ts'

const negotiates = [v28.negotiate, v31.negotiate, v32.negotiate]
const challenges = [v24, v25, v26, v28, v31, v32].map(({ challenge }) => challenge)
const authenticates = [v24, v25, v26, v28, v31, v32].map(({ authenticate }) => authenticate)

test('encoding what was decoded gives every published message again (V24 to V32)', () => {
  for (const bytes of negotiates) {
    assert.deepEqual(encodeNegotiateMessage(decodeNegotiateMessage(bytes)), bytes)
  }
  for (const bytes of challenges) {
    assert.deepEqual(encodeChallengeMessage(decodeChallengeMessage(bytes)), bytes)
  }
  for (const bytes of authenticates) {
    assert.deepEqual(encodeAuthenticateMessage(decodeAuthenticateMessage(bytes)), bytes)
  }
})

test('decodeNegotiateMessage() reads the flags of Windows over HTTP (A241, A243)', () => {
  assert.deepEqual(decodeNegotiateMessage(v31.negotiate), {
    flags: 0xa208_8207,
    domainName: '',
    workstation: '',
    version: { major: 10, minor: 0, build: 19_041, revision: 15 },
  })
})

test('decodeNegotiateMessage() reads short forms and names', () => {
  const short = new Uint8Array(v31.negotiate.subarray(0, 32))
  assert.equal(decodeNegotiateMessage(short).version, undefined)
  assert.equal(decodeNegotiateMessage(short.subarray(0, 16)).flags, 0xa208_8207)
  const named = {
    flags: joinFlags('oem', 'oemDomainSupplied', 'oemWorkstationSupplied'),
    domainName: 'DOM',
    workstation: 'WS',
  }
  assert.deepEqual(decodeNegotiateMessage(encodeNegotiateMessage(named)), named)
})

test('decodeChallengeMessage() reads what Server 2008 R2 sent (V28)', () => {
  const message = decodeChallengeMessage(v28.challenge)
  assert.equal(message.targetName, 'WS2008R2')
  assert.equal(message.flags, 0xa289_8205)
  assert.deepEqual(message.serverChallenge, hex('a2c5e8ca3084aa72'))
  assert.deepEqual(
    message.targetInfo?.map(({ id }) => id),
    [2, 1, 4, 3, 5, 7],
  )
  assert.deepEqual(message.targetInfo?.[1]?.value, encodeUtf16('DC-WS2008R2'))
})

test('decodeChallengeMessage() takes short messages of old servers that promise no more (A240)', () => {
  const flags = joinFlags('oem', 'ntlm')
  const long = encodeChallengeMessage({
    flags,
    targetName: '',
    serverChallenge: hex('0123456789abcdef'),
  })
  for (const length of [32, 40, 48]) {
    assert.deepEqual(decodeChallengeMessage(long.subarray(0, length)), {
      flags,
      targetName: '',
      serverChallenge: hex('0123456789abcdef'),
    })
  }
  assert.throws(() => decodeChallengeMessage(long.subarray(0, 31)), { code: 'ERR_NTLM_TRUNCATED' })
})

test('decodeChallengeMessage() follows offsets, whatever the order of the payload (A240)', () => {
  const { targetInfo } = decodeChallengeMessage(v31.challenge)
  assert.ok(targetInfo !== undefined)
  const writer = new MessageWriter('CHALLENGE', 56)
  writer.uint32(20, joinFlags('unicode', 'targetInfo'))
  writer.field(40, encodeAvPairs(targetInfo))
  writer.field(12, encodeUtf16('DOMAIN'))
  const message = decodeChallengeMessage(writer.finish())
  assert.equal(message.targetName, 'DOMAIN')
  assert.deepEqual(message.targetInfo, targetInfo)
})

/** Bytes with one field of the header changed. */
function changed(bytes: Uint8Array, offset: number, ...values: readonly number[]): Uint8Array {
  const copy = bytes.slice()
  copy.set(values, offset)
  return copy
}

test('decodeChallengeMessage() does without a name that it cannot read', () => {
  const { length } = v31.challenge
  const { targetName: _, ...rest } = decodeChallengeMessage(v31.challenge)
  for (const broken of [
    changed(v31.challenge, 16, 0xff, 0xff, 0xff, 0xff),
    changed(v31.challenge, 16, length - 11, 0),
    changed(v31.challenge, 12, 11),
  ]) {
    assert.deepEqual(decodeChallengeMessage(broken), { ...rest, targetName: '' })
  }
})

test('decodeChallengeMessage() does without a version that is promised and absent', () => {
  const flags = joinFlags('oem', 'requestTarget', 'version')
  const short = encodeChallengeMessage({
    flags,
    targetName: '',
    serverChallenge: new Uint8Array(8),
  })
  const { version, ...rest } = decodeChallengeMessage(short.subarray(0, 49))
  assert.equal(version, undefined)
  assert.equal(rest.flags, flags)
})

test('messages that break the format are refused, each with its own code', () => {
  const unicode = joinFlags('unicode')
  const noSet = withoutFlags(decodeChallengeMessage(v31.challenge).flags, 'unicode', 'oem')
  for (const [why, decode, bytes, code] of [
    ['empty', decodeChallengeMessage, new Uint8Array(), 'ERR_NTLM_TRUNCATED'],
    ['another signature', decodeChallengeMessage, changed(v31.challenge, 0, 0x6e), 'ERR_NTLM_TYPE'],
    ['another type', decodeChallengeMessage, v31.authenticate, 'ERR_NTLM_TYPE'],
    [
      'A245: neither Unicode nor OEM',
      decodeChallengeMessage,
      changed(v31.challenge, 20, noSet & 0xff),
      'ERR_NTLM_CHARACTER_SET',
    ],
    [
      'target information that is promised and absent',
      decodeChallengeMessage,
      v31.challenge.subarray(0, 47),
      'ERR_NTLM_TRUNCATED',
    ],
    [
      'target information without an end',
      decodeChallengeMessage,
      changed(v31.challenge, 40, 0x7a),
      'ERR_NTLM_TRUNCATED',
    ],
    [
      'more than any message needs',
      decodeChallengeMessage,
      new Uint8Array(maximumMessageBytes + 1),
      'ERR_NTLM_TOO_LONG',
    ],
    [
      'a workstation that is promised and absent',
      decodeNegotiateMessage,
      changed(v31.negotiate.subarray(0, 16), 13, 0x20),
      'ERR_NTLM_TRUNCATED',
    ],
    [
      'a MIC that is announced and absent',
      decodeAuthenticateMessage,
      v31.authenticate.subarray(0, 80),
      'ERR_NTLM_TRUNCATED',
    ],
    [
      'another version of the response',
      decodeAuthenticateMessage,
      changed(v31.authenticate, 0x94 + 16, 2),
      'ERR_NTLM_RESPONSE',
    ],
  ] as const) {
    assert.throws(() => decode(bytes), { code }, why)
  }
  assert.throws(
    () =>
      encodeChallengeMessage({
        flags: unicode,
        targetName: 'x'.repeat(40_000),
        serverChallenge: new Uint8Array(8),
      }),
    { code: 'ERR_NTLM_FIELD_TOO_LONG' },
  )
})

test('decodeAuthenticateMessage() has a MIC only where the response announces one (A248)', () => {
  assert.deepEqual(
    decodeAuthenticateMessage(v28.authenticate).mic,
    hex('f054a542b090b66c1fea1a2cc82e930b'),
  )
  assert.equal(decodeAuthenticateMessage(v26.authenticate).mic, undefined)
})

test('withMic() puts a MIC in its place and nowhere else', () => {
  const mic = hex('d64a958b144d0cbd714066ecd3b0b02e')
  assert.deepEqual(withMic(withMic(v31.authenticate), mic), v31.authenticate)
  assert.deepEqual(decodeAuthenticateMessage(withMic(v31.authenticate)).mic, new Uint8Array(16))
})

const plain = { noNullPrototype: true }
const exactly = (length: number) => uint8Array({ minLength: length, maxLength: length })
const pair = oneof(
  record({ id: integer({ min: 11, max: 0xffff }), value: uint8Array({ maxLength: 40 }) }, plain),
  record({ id: constant<number>(avIds.timestamp), value: exactly(8) }, plain),
  record({ id: constant<number>(avIds.flags), value: exactly(4) }, plain),
)

test('decodeAvPairs() undoes encodeAvPairs(), and ignores what follows the end of the list', () => {
  check(
    property(array(pair, { maxLength: 12 }), uint8Array({ maxLength: 8 }), (pairs, rest) => {
      const bytes = new Uint8Array([...encodeAvPairs(pairs), ...rest])
      assert.deepEqual(decodeAvPairs(bytes), pairs)
    }),
  )
})

test('decodeAvPairs() refuses numbers and hashes of another length (A242)', () => {
  for (const id of [avIds.flags, avIds.timestamp, avIds.channelBindings]) {
    const bytes = encodeAvPairs([{ id, value: new Uint8Array(5) }])
    assert.throws(() => decodeAvPairs(bytes), { code: 'ERR_NTLM_AV_LENGTH' }, `pair ${id}`)
  }
})

test('decodeChallengeMessage() undoes encodeChallengeMessage()', () => {
  const message = record(
    {
      flags: constant(joinFlags('unicode', 'targetInfo', 'key128')),
      targetName: string({ maxLength: 20 }),
      serverChallenge: exactly(8),
      targetInfo: array(pair, { maxLength: 6 }),
    },
    plain,
  )
  check(
    property(message, (message) => {
      assert.deepEqual(decodeChallengeMessage(encodeChallengeMessage(message)), message)
    }),
  )
})

test('decodeAuthenticateMessage() undoes encodeAuthenticateMessage()', () => {
  const message = record(
    {
      flags: constant(joinFlags('unicode')),
      domainName: string({ maxLength: 20 }),
      userName: string({ maxLength: 20 }),
      workstation: string({ maxLength: 15 }),
      lmResponse: uint8Array({ maxLength: 24 }),
      ntResponse: uint8Array({ maxLength: 24 }),
      encryptedRandomSessionKey: uint8Array({ maxLength: 16 }),
    },
    plain,
  )
  check(
    property(message, (message) => {
      assert.deepEqual(decodeAuthenticateMessage(encodeAuthenticateMessage(message)), message)
    }),
  )
})

test('no decoder of NTLM fails in another way than by refusing', () => {
  fuzz(decodeNegotiateMessage, negotiates)
  fuzz(decodeChallengeMessage, challenges)
  fuzz(decodeAuthenticateMessage, authenticates)
  fuzz(decodeAvPairs, [v31.challenge.subarray(0x44)])
  fuzz(decodeNtlmv2ClientChallenge, [v26.temp])
})

test('isNtlmMessage() tells raw NTLM from everything else by its first bytes (A288, V44)', () => {
  const header = base64('TlRMTVNTUAABAAAAB4IIogAAAAAAAAAAAAAAAAAAAAAKAGFKAAAADw==')
  assert.deepEqual(header, v31.negotiate)
  assert.ok(isNtlmMessage(header))
  assert.ok(isNtlmMessage(header, 'NEGOTIATE'))
  assert.ok(!isNtlmMessage(header, 'AUTHENTICATE'))
  check(
    property(option(uint8Array({ maxLength: 12 })), (bytes) => !isNtlmMessage(bytes ?? hex(''))),
  )
})

test('encodeFiletime() counts from 1601 in steps of 100 nanoseconds', () => {
  assert.deepEqual(encodeFiletime(0), hex('00803ed5deb19d01'))
  assert.deepEqual(encodeFiletime(Date.UTC(2024, 0, 1)), hex('00c08976453cda01'))
})
