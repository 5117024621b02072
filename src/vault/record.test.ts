import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  anyContext,
  context,
  isSameContext,
  planted,
  refuses,
  showsNothing,
} from '../engine/ports/vault.suite.ts'
import { encodeContext, type SealContext } from '../engine/ports/vault.ts'
import { SeededRandom } from '../testing/seeded-random.ts'
import { KEY_BYTES } from './master-key.ts'
import { RECORD_OVERHEAD, keyIdOf, openRecord, sealRecord } from './record.ts'
import { keyBytes, masterKey, random } from './scratch.suite.ts'

/** HKDF of the Web Cryptography API, which shares nothing with ours but the standard. */
async function deriveElsewhere(
  master: Uint8Array,
  salt: Uint8Array,
  purpose: string,
  bytes: number,
) {
  const base = await crypto.subtle.importKey('raw', Buffer.from(master), 'HKDF', false, [
    'deriveBits',
  ])
  const info = new TextEncoder().encode(purpose)
  const how = { name: 'HKDF', hash: 'SHA-256', salt: Buffer.from(salt), info }
  return Buffer.from(await crypto.subtle.deriveBits(how, base, bytes * 8))
}

/** Opens a record as `record.ts` describes it, with the Web Cryptography API and no code of ours. */
async function openElsewhere(master: Uint8Array, context: SealContext, record: Uint8Array) {
  const at = { salt: record.subarray(17, 49), nonce: record.subarray(49, 61) }
  const raw = await deriveElsewhere(master, at.salt, 'lull vault record key 1', KEY_BYTES)
  const key = await crypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['decrypt'])
  const fields = [context.jobId, context.ownerId, context.target, context.scheme].flatMap(
    (text) => {
      const length = Buffer.alloc(4)
      length.writeUInt32BE(Buffer.byteLength(text))
      return [length, Buffer.from(text)]
    },
  )
  const additionalData = Buffer.concat([record.subarray(0, 61), ...fields])
  const how = { name: 'AES-GCM', iv: Buffer.from(at.nonce), additionalData, tagLength: 128 }
  const sealed = Buffer.from(record.subarray(61))
  return new Uint8Array(await crypto.subtle.decrypt(how, key, sealed))
}

test('sealRecord() writes what another implementation of its description opens', async () => {
  const key = masterKey(1)
  const contexts = [context, { ...context, jobId: '', ownerId: 'ä€😀' }]
  for (const context of contexts) {
    for (const secret of [planted, new Uint8Array(), random.bytes(5_000)]) {
      const record = sealRecord(key, context, secret, random)
      assert.equal(record.length, RECORD_OVERHEAD + secret.length)
      assert.deepEqual(await openElsewhere(keyBytes(1), context, record), Uint8Array.from(secret))
    }
  }
  const id = await deriveElsewhere(keyBytes(1), new Uint8Array(), 'lull vault key id 1', 16)
  assert.equal(key.id, id.toString('hex'))
})

/** A record of version 1, to be opened for ever: master key 1, to, …, 32; the context and the secret of the suite. */
const frozen = Buffer.from(
  'ATjKxUH66Pvr1PDxx88uElAhAcVP0dAasiV0yzeKrvWxCAiRGTO560/yKaXk2z5X' +
    'FAEo4PT64n4H8RpDJz8zFBWqzcBw7MDEic1CQ73y2y/viVffth7DxfRVoKZx6bgO',
  'base64',
)

test('openRecord() opens the records of every version that ever sealed', () => {
  const record = Uint8Array.from(frozen)
  assert.equal(keyIdOf(context, record), masterKey(1).id)
  assert.deepEqual(openRecord(masterKey(1), context, record), planted)
  const again = sealRecord(masterKey(1), context, planted, new SeededRandom(1))
  assert.deepEqual(again, record)
})

test('openRecord() refuses a record under another key, whatever id the record names', () => {
  const record = sealRecord(masterKey(1), context, planted, random)
  assert.equal(keyIdOf(context, record), masterKey(1).id)
  const renamed = Uint8Array.from(record)
  renamed.set(Buffer.from(masterKey(2).id, 'hex'), 1)
  for (const [key, sealed] of [
    [2, record],
    [2, renamed],
    [1, renamed],
  ] as const) {
    const refusal = refuses(
      () => openRecord(masterKey(key), context, sealed),
      'ERR_VAULT_RECORD_REFUSED',
    )
    showsNothing(refusal)
    assert.equal(refusal.cause, undefined)
  }
})

test('encodeContext() gives two contexts the same bytes only when they are the same', () => {
  fc.assert(
    fc.property(anyContext, anyContext, (left, right) => {
      const isEqual = Buffer.from(encodeContext(left)).equals(encodeContext(right))
      assert.equal(isEqual, isSameContext(left, right))
    }),
  )
})

test('a record is sealed with a key of its own, so that whoever deletes it has erased its secret (N140)', () => {
  const key = masterKey(1)
  const [one, other] = [0, 1].map(() => sealRecord(key, context, planted, random))
  assert(one !== undefined && other !== undefined)
  const salts = [one, other].map((record) => Buffer.from(record.subarray(17, 49)).toString('hex'))
  assert.notEqual(salts[0], salts[1])
  const keys = [one, other].map((record) => key.recordKey(record.subarray(17, 49)))
  assert.notDeepEqual(keys[0], keys[1])
  // The salt is the key wrapped: without it the master key is of no use, nor is what another record of the job has.
  for (const salt of [new Uint8Array(32), other.subarray(17, 49)]) {
    const stripped = Uint8Array.from(one)
    stripped.set(salt, 17)
    refuses(() => openRecord(key, context, stripped), 'ERR_VAULT_RECORD_REFUSED')
  }
  const elsewhere = { ...context, jobId: `${context.jobId}x` }
  refuses(() => openRecord(key, elsewhere, one), 'ERR_VAULT_RECORD_REFUSED')
})
