/** What every {@link Vault} does. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import fc from 'fast-check'
import {
  LONGEST_SECRET,
  VaultError,
  type SealContext,
  type Vault,
  type VaultErrorCode,
} from './vault.ts'

/** One implementation, as the suite uses it. */
export interface VaultSubject {
  /** Makes a vault with keys of its own for one case. */
  open(): Vault
  /** Closes a vault that {@link open} made and opens it again from where its keys are kept. */
  reopen(vault: Vault): Vault
  /** The same after its keys were lost. */
  reopenWithoutKeys(vault: Vault): Vault
}

/** A context like any other. */
export const context: SealContext = {
  jobId: '6f1c8a52-0000-4000-8000-000000000001',
  ownerId: '1000',
  target: 'server',
  scheme: 'basic',
}

/** A secret that a search finds wherever it turns up, and none of whose bytes is zero. */
export const planted = new TextEncoder().encode('Tr0ub4dor&3-planted')

/** Any context. */
export const anyContext: fc.Arbitrary<SealContext> = fc.record({
  jobId: fc.string({ unit: 'grapheme', maxLength: 8 }),
  ownerId: fc.string({ unit: 'grapheme', maxLength: 8 }),
  target: fc.constantFrom('server', 'proxy', ''),
  scheme: fc.constantFrom('basic', 'digest', 'ntlm', 'negotiate', 'passport', 'bearer', ''),
})

/** Contexts that are not {@link context}, though some are close. */
const otherContexts: readonly SealContext[] = [
  { ...context, jobId: context.jobId.replace(/1$/u, '2') },
  { ...context, jobId: context.jobId.toUpperCase() },
  { ...context, ownerId: '1001' },
  { ...context, ownerId: '' },
  { ...context, target: 'proxy' },
  { ...context, scheme: 'digest' },
  { ...context, jobId: context.ownerId, ownerId: context.jobId },
  { ...context, target: context.scheme, scheme: context.target },
  { ...context, jobId: `${context.jobId}1`, ownerId: '000' },
  { ...context, target: 'serverb', scheme: 'asic' },
  { ...context, target: 'serve', scheme: 'rbasic' },
  { ...context, scheme: 'basic\0' },
]

/** How a record may be changed at one place. */
const changes: readonly number[] = [0x01, 0x80, 0xff]

/** Whether two contexts are one. */
export function isSameContext(left: SealContext, right: SealContext): boolean {
  const names = ['jobId', 'ownerId', 'target', 'scheme'] as const
  return names.every((name) => left[name] === right[name])
}

/** Asserts that `work` is refused by the vault, with one of these codes when they are given. */
export function refuses(work: () => unknown, ...codes: readonly VaultErrorCode[]): VaultError {
  let refusal: unknown
  try {
    work()
  } catch (error) {
    refusal = error
  }
  assert(refusal instanceof VaultError, `expected a VaultError, found ${String(refusal)}`)
  if (codes.length > 0) assert(codes.includes(refusal.code), refusal.code)
  return refusal
}

/** Asserts that nothing people or programs might print shows the planted secret. */
export function showsNothing(value: unknown): void {
  const texts = [
    inspect(value, { showHidden: true, depth: null, getters: true, maxArrayLength: null }),
    String(value),
    JSON.stringify(value) ?? '',
    value instanceof Error ? `${value.message}\n${value.stack ?? ''}` : '',
  ]
  const forms = [
    Buffer.from(planted).toString(),
    Buffer.from(planted).toString('hex'),
    Buffer.from(planted).toString('base64').slice(0, 16),
    Buffer.from(planted)
      .toString('hex')
      .replaceAll(/(..)(?=.)/gu, '$1 '),
    planted.join(),
    planted.join(', '),
  ]
  // Long arrays are printed in columns.
  const lines = texts.map((text) => text.replaceAll(/\s+/gu, ' '))
  for (const line of lines) for (const form of forms) assert(!line.includes(form), line)
}

type Case = (subject: VaultSubject) => void

const sealing: Readonly<Record<string, Case>> = {
  'open() gives what seal() took, whatever the bytes and the context': (subject) => {
    const vault = subject.open()
    const secrets = fc.uint8Array({ maxLength: 300 })
    fc.assert(
      fc.property(anyContext, secrets, (context, secret) => {
        const opened = vault.open(context, vault.seal(context, secret))
        assert.deepEqual(opened, Uint8Array.from(secret))
      }),
    )
  },
  'seal() takes secrets from blank to the longest, and none that is longer': (subject) => {
    const vault = subject.open()
    for (const length of [0, 1, 15, 16, 17, LONGEST_SECRET]) {
      const secret = new Uint8Array(length).fill(7)
      assert.deepEqual(vault.open(context, vault.seal(context, secret)), secret)
    }
    assert.throws(() => vault.seal(context, new Uint8Array(LONGEST_SECRET + 1)), RangeError)
  },
  'seal() leaves the secret to its owner, and keeps nothing that wiping would harm': (subject) => {
    const vault = subject.open()
    const secret = planted.slice()
    const sealed = vault.seal(context, secret)
    assert.deepEqual(secret, planted)
    secret.fill(0)
    const opened = vault.open(context, sealed)
    assert.deepEqual(opened, planted)
    opened.fill(0)
    assert.deepEqual(vault.open(context, sealed), planted)
  },
  'seal() gives another record each time, and none shows the secret': (subject) => {
    const vault = subject.open()
    const records = Array.from({ length: 20 }, () => vault.seal(context, planted))
    assert.equal(new Set(records.map((record) => record.join())).size, records.length)
    for (const record of records) assert(!Buffer.from(record).includes(Buffer.from(planted)))
  },
  'seal() and open() refuse a context that is not well-formed text': (subject) => {
    const vault = subject.open()
    const sealed = vault.seal(context, planted)
    for (const name of ['jobId', 'ownerId', 'target', 'scheme'] as const) {
      const broken = { ...context, [name]: 'a\uD800' }
      assert.throws(() => vault.seal(broken, planted), TypeError)
      assert.throws(() => vault.open(broken, sealed), TypeError)
    }
  },
}

const refusals: Readonly<Record<string, Case>> = {
  'open() refuses a record of which any byte was changed': (subject) => {
    const vault = subject.open()
    const sealed = vault.seal(context, planted)
    for (const [at, byte] of sealed.entries()) {
      for (const change of changes) {
        const changed = sealed.with(at, byte ^ change)
        showsNothing(refuses(() => vault.open(context, changed)))
        refuses(() => vault.beginRotation().reseal(context, changed))
      }
    }
    assert.deepEqual(vault.open(context, sealed), planted)
  },
  'open() refuses a record that was cut short or made longer': (subject) => {
    const vault = subject.open()
    const sealed = vault.seal(context, planted)
    for (let length = 0; length < sealed.length; length++) {
      refuses(() => vault.open(context, sealed.subarray(0, length)))
      refuses(() => vault.open(context, sealed.subarray(sealed.length - length)))
    }
    for (const more of [0, 1, 255]) {
      refuses(() => vault.open(context, Uint8Array.of(...sealed, more)))
      refuses(() => vault.open(context, Uint8Array.of(more, ...sealed)))
    }
  },
  'open() refuses a record in every context but its own (A161)': (subject) => {
    const vault = subject.open()
    const sealed = vault.seal(context, planted)
    for (const other of otherContexts) {
      const refusal = refuses(() => vault.open(other, sealed), 'ERR_VAULT_RECORD_REFUSED')
      showsNothing(refusal)
      refuses(() => vault.beginRotation().reseal(other, sealed), 'ERR_VAULT_RECORD_REFUSED')
      assert.deepEqual(vault.open(other, vault.seal(other, planted)), planted)
    }
  },
  'open() refuses any record in any context but its own': (subject) => {
    const vault = subject.open()
    const pairs = fc.tuple(anyContext, anyContext)
    fc.assert(
      fc.property(
        pairs.filter(([mine, other]) => !isSameContext(mine, other)),
        ([mine, other]) => {
          refuses(() => vault.open(other, vault.seal(mine, planted)), 'ERR_VAULT_RECORD_REFUSED')
        },
      ),
    )
  },
  'open() refuses bytes that are no record': (subject) => {
    const vault = subject.open()
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        refuses(() => vault.open(context, bytes))
      }),
    )
  },
  'open() says that a newer version wrote a record': (subject) => {
    const vault = subject.open()
    const sealed = vault.seal(context, planted)
    refuses(() => vault.open(context, sealed.with(0, 2)), 'ERR_VAULT_NEWER')
  },
  'open() refuses a record of another vault': (subject) => {
    const sealed = subject.open().seal(context, planted)
    refuses(() => subject.open().open(context, sealed))
  },
  'a vault shows no secret when it is printed': (subject) => {
    const vault = subject.open()
    const sealed = vault.seal(context, planted)
    const rotation = vault.beginRotation()
    for (const value of [vault, rotation, sealed, { vault, rotation }]) showsNothing(value)
    for (const value of [
      planted,
      Buffer.from(planted),
      { text: Buffer.from(planted).toString() },
    ]) {
      assert.throws(() => showsNothing(value), 'the search finds what is there')
    }
  },
}

const keys: Readonly<Record<string, Case>> = {
  'a vault that was closed and opened again opens its records': (subject) => {
    const first = subject.open()
    const sealed = first.seal(context, planted)
    const second = subject.reopen(first)
    assert.deepEqual(second.open(context, sealed), planted)
    assert.equal(second.isRotating, false)
  },
  'a vault that was closed is not used': (subject) => {
    const vault = subject.open()
    const sealed = vault.seal(context, planted)
    vault.close()
    vault.close()
    const uses = [
      () => vault.seal(context, planted),
      () => vault.open(context, sealed),
      () => vault.isRotating,
      () => vault.holdsKeyOf(context, sealed),
      () => vault.beginRotation(),
    ]
    for (const use of uses) assert.throws(use, /not used after it was closed/)
  },
  'the loss of the keys costs what was sealed with them, and a new key begins': (subject) => {
    const first = subject.open()
    const sealed = first.seal(context, planted)
    const second = subject.reopenWithoutKeys(first)
    const refusal = refuses(() => second.open(context, sealed), 'ERR_VAULT_KEY_LOST')
    assert.match(refusal.message, /6f1c8a52.* basic: the master key .* is lost; set it again$/)
    showsNothing(refusal)
    assert.equal(second.isRotating, false)
    assert.equal(second.holdsKeyOf(context, sealed), false)
    assert.equal(second.holdsKeyOf(context, Uint8Array.of(1)), true)
    const again = second.seal(context, planted)
    assert.equal(second.holdsKeyOf(context, again), true)
    assert.deepEqual(subject.reopen(second).open(context, again), planted)
  },
}

const rotation: Readonly<Record<string, Case>> = {
  'beginRotation() seals with a new key and opens with both': (subject) => {
    const vault = subject.open()
    const old = vault.seal(context, planted)
    const rotation = vault.beginRotation()
    assert.equal(vault.isRotating, true)
    const fresh = vault.seal(context, planted)
    for (const sealed of [old, fresh]) assert.deepEqual(vault.open(context, sealed), planted)
    assert.equal(rotation.reseal(context, fresh), undefined)
    const resealed = rotation.reseal(context, old)
    assert(resealed !== undefined)
    assert.equal(rotation.reseal(context, resealed), undefined)
    rotation.end()
    assert.equal(vault.isRotating, false)
    for (const sealed of [resealed, fresh]) assert.deepEqual(vault.open(context, sealed), planted)
    refuses(() => vault.open(context, old), 'ERR_VAULT_KEY_LOST')
  },
  'a rotation goes on after the vault was opened again, with the key it began with': (subject) => {
    const first = subject.open()
    const old = first.seal(context, planted)
    const resealed = first.beginRotation().reseal(context, old)
    assert(resealed !== undefined)
    const second = subject.reopen(first)
    assert.equal(second.isRotating, true)
    const rotation = second.beginRotation()
    assert.equal(rotation.reseal(context, resealed), undefined)
    assert.deepEqual(second.open(context, old), planted)
    rotation.end()
    const third = subject.reopen(second)
    assert.equal(third.isRotating, false)
    assert.deepEqual(third.open(context, resealed), planted)
    refuses(() => third.open(context, old), 'ERR_VAULT_KEY_LOST')
  },
  'end() of a rotation that a later one overtook forgets nothing': (subject) => {
    const vault = subject.open()
    const early = vault.beginRotation()
    vault.beginRotation().end()
    const sealed = vault.seal(context, planted)
    const late = vault.beginRotation()
    early.end()
    assert.equal(vault.isRotating, true)
    const resealed = early.reseal(context, sealed)
    assert(resealed !== undefined)
    late.end()
    late.end()
    assert.deepEqual(vault.open(context, resealed), planted)
  },
  'every rotation makes a new key': (subject) => {
    const vault = subject.open()
    const records: Uint8Array[] = []
    for (let round = 0; round < 3; round++) {
      records.push(vault.seal(context, planted))
      vault.beginRotation().end()
    }
    for (const sealed of records) refuses(() => vault.open(context, sealed), 'ERR_VAULT_KEY_LOST')
  },
}

const cases: Readonly<Record<string, Case>> = { ...sealing, ...refusals, ...keys, ...rotation }

/**
 * Runs every case.
 *
 * @param name of the implementation
 */
export function vaultSuite(name: string, subject: VaultSubject): void {
  for (const [sentence, run] of Object.entries(cases)) {
    test(`${name}: ${sentence}`, () => run(subject))
  }
}
