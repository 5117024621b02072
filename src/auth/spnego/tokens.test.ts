import assert from 'node:assert/strict'
import { test } from 'node:test'

import {
  array,
  assert as check,
  constantFrom,
  property,
  record,
  string,
  uint8Array,
} from 'fast-check'

import { formatHex } from '../hex.ts'
import { fuzz } from '../ntlm/fuzz.suite.ts'
import { hex } from '../ntlm/vectors.suite.ts'
import { contextTag, DerReader, derTags, encodeDer } from './der.ts'
import { mechanismIds } from './mechanism-ids.ts'
import {
  decodeGssToken,
  decodeNegTokenInit,
  decodeNegTokenResp,
  encodeGssToken,
  encodeMechTypeList,
  encodeNegTokenInit,
  encodeNegTokenResp,
  maximumTokenBytes,
  negStates,
  type NegTokenInit,
  type NegTokenResp,
} from './tokens.ts'
import { v41, v42, v45, v46 } from './vectors.suite.ts'

const { kerberos, ntlm, microsoftKerberos, negoEx, kerberosUserToUser } = mechanismIds

function readInit(token: Uint8Array): ReturnType<typeof decodeNegTokenInit> {
  return decodeNegTokenInit(decodeGssToken(token).inner)
}

test('encodeMechTypeList() gives the list that is signed (A284, V40)', () => {
  assert.equal(
    formatHex(encodeMechTypeList([kerberos, ntlm])),
    '301706092a864886f712010202060a2b06010401823702020a',
  )
})

// The lengths are those of the content: V40 prints 603d…a033…3031, six more than the bytes that follow.
const inits: readonly (readonly [string, NegTokenInit])[] = [
  [
    '603706062b0601050502a02d302ba019301706092a864886f712010202060a2b06010401823702020a' +
      'a206040400000000a306040401010101',
    { mechTypes: [kerberos, ntlm], mechToken: hex('00000000'), mechListMic: hex('01010101') },
  ],
  [
    formatHex(v45),
    {
      mechTypes: [negoEx, microsoftKerberos, kerberos, kerberosUserToUser, ntlm],
      negHints: { hintName: 'not_defined_in_RFC4178@please_ignore' },
    },
  ],
]

test('NegTokenInit and NegTokenInit2 are read and written as published (V40, V45)', () => {
  for (const [encoded, token] of inits) {
    assert.equal(formatHex(encodeNegTokenInit(token)), encoded)
    const { mechTypeList, ...decoded } = readInit(hex(encoded))
    assert.deepEqual(decoded, token)
    assert.deepEqual(mechTypeList, encodeMechTypeList(token.mechTypes))
  }
})

test('a list with a token of NegoEx is read whole, and both first choices are known (V45, A289)', () => {
  const negoExToken = new Uint8Array([...hex('4e45474f45585453'), ...new Uint8Array(246)])
  const encoded = encodeNegTokenInit({
    mechTypes: [negoEx, ntlm],
    mechToken: negoExToken,
    negHints: { hintName: 'not_defined_in_RFC4178@please_ignore' },
  })
  assert.equal(encoded.length, 353)
  assert.equal(
    formatHex(encoded.subarray(0, 63)),
    '6082015d06062b0601050502a08201513082014da01a3018060a2b06010401823702021e060a2b06010401823702020a' +
      'a28201010481fe4e45474f45585453',
  )
  assert.deepEqual(readInit(encoded).mechToken, negoExToken)
})

const responses: readonly (readonly [string, NegTokenResp])[] = [
  [
    'a1253023a0030a0103a10c060a2b06010401823702020aa206040400000000a306040401010101',
    {
      negState: 'request-mic',
      supportedMech: ntlm,
      responseToken: hex('00000000'),
      mechListMic: hex('01010101'),
    },
  ],
  [formatHex(v42.select), { negState: 'request-mic', supportedMech: ntlm }],
  ['a1023000', {}],
]

test('NegTokenResp is read and written as published (V40)', () => {
  for (const [encoded, token] of responses) {
    assert.equal(formatHex(encodeNegTokenResp(token)), encoded)
    assert.deepEqual(decodeNegTokenResp(hex(encoded)), token)
  }
})

test('a real NegTokenResp carries a framed AP-REP (A309, V46)', () => {
  const token = decodeNegTokenResp(v46)
  assert.equal(token.negState, 'accept-completed')
  assert.equal(token.supportedMech, kerberos)
  const { mechanism, inner } = decodeGssToken(token.responseToken ?? hex(''))
  assert.equal(mechanism, kerberos)
  assert.deepEqual(inner.subarray(0, 2), hex('0200'), 'KRB_AP_REP')
  assert.equal(inner[2], 0x6f, 'APPLICATION 15')
  assert.deepEqual(encodeNegTokenResp(token), v46)
})

test('encodeGssToken() frames an AP-REQ (A309, V66)', () => {
  const framed = encodeGssToken({
    mechanism: kerberos,
    inner: new Uint8Array([1, 0, ...new Uint8Array(1000)]),
  })
  assert.equal(formatHex(framed.subarray(0, 17)), '608203f506092a864886f7120102020100')
})

test('decodeNegTokenResp() reads long forms of lengths (A281)', () => {
  assert.deepEqual(decodeNegTokenResp(hex('a182000c308109a084000000030a0100')), {
    negState: 'accept-completed',
  })
})

function response(...fields: readonly Uint8Array[]): Uint8Array {
  return encodeDer(contextTag(1), encodeDer(derTags.sequence, ...fields))
}

function state(...octets: readonly number[]): Uint8Array {
  return encodeDer(contextTag(0), encodeDer(derTags.enumerated, new Uint8Array(octets)))
}

test('decodeNegTokenResp() ignores fields that a later version may add (RFC 4178 §4.2.2)', () => {
  const later = encodeDer(contextTag(9), encodeDer(derTags.octetString))
  assert.deepEqual(decodeNegTokenResp(response(state(1), later)), { negState: 'accept-incomplete' })
})

test('tokens that break the format are refused, each with its own code', () => {
  for (const [why, token, code] of [
    ['NegTokenInit instead', v41.init, 'ERR_DER_TAG'],
    ['an unknown state', response(state(4)), 'ERR_SPNEGO_STATE'],
    ['a state of no octet', response(state()), 'ERR_SPNEGO_STATE'],
    ['a state of two octets', response(state(0, 0)), 'ERR_SPNEGO_STATE'],
    ['more than any token needs', new Uint8Array(maximumTokenBytes + 1), 'ERR_SPNEGO_TOO_LONG'],
  ] as const) {
    assert.throws(() => decodeNegTokenResp(token), { code }, why)
  }
  for (const count of [0, 65]) {
    const token = encodeNegTokenInit({ mechTypes: Array<string>(count).fill(ntlm) })
    assert.throws(() => readInit(token), { code: 'ERR_SPNEGO_MECHANISMS' }, `${count} mechanisms`)
  }
})

const bytes = uint8Array({ maxLength: 300 })
const plain = { noNullPrototype: true } as const
const mechTypes = array(constantFrom(...Object.values(mechanismIds)), {
  minLength: 1,
  maxLength: 6,
})

test('decodeNegTokenInit() undoes encodeNegTokenInit()', () => {
  const hints = record(
    { hintName: string({ maxLength: 20 }), hintAddress: bytes },
    { ...plain, requiredKeys: [] },
  )
  const token = record(
    { mechTypes, reqFlags: bytes, mechToken: bytes, negHints: hints, mechListMic: bytes },
    { ...plain, requiredKeys: ['mechTypes'] },
  )
  check(
    property(token, (token) => {
      const { mechTypeList: _, ...decoded } = readInit(encodeNegTokenInit(token))
      assert.deepEqual(decoded, token)
    }),
  )
})

test('decodeNegTokenResp() undoes encodeNegTokenResp()', () => {
  const token = record(
    {
      negState: constantFrom(...negStates),
      supportedMech: constantFrom(...Object.values(mechanismIds)),
      responseToken: bytes,
      mechListMic: bytes,
    },
    { ...plain, requiredKeys: [] },
  )
  check(
    property(token, (token) => {
      assert.deepEqual(decodeNegTokenResp(encodeNegTokenResp(token)), token)
    }),
  )
})

test('no decoder of SPNEGO fails in another way than by refusing', () => {
  fuzz(readInit, [v41.init, v42.init, v45])
  fuzz(decodeNegTokenResp, [v41.challenge, v41.authenticate, v42.select, v46])
  fuzz((bytes) => new DerReader(bytes).enter(contextTag(1)), [v46])
})
