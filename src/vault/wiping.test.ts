/** Watches the buffers that go in and out of the platform, and looks into them when the vault is done. */

import assert from 'node:assert/strict'
import crypto from 'node:crypto'
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { context, planted, refuses } from '../engine/ports/vault.suite.ts'
import { keySources } from './key-sources.ts'
import { scratchFolders } from './scratch.suite.ts'
import type { SecureRandom } from './record.ts'
import { openVault } from './vault.ts'

const scratch = scratchFolders()

/** What was seen since {@link watched} began: what was read, written, derived or decrypted. */
const seen: Uint8Array[] = []

const { readSync, writeFileSync } = fs
const { hkdfSync } = crypto
const decipher = crypto.Decipheriv.prototype
const decrypt = Object.getOwnPropertyDescriptor(decipher, 'update')

fs.readSync = ((...args: Parameters<typeof readSync>) => {
  const [, buffer] = args
  if (buffer instanceof Uint8Array) seen.push(buffer)
  return readSync(...args)
}) as typeof readSync
fs.writeFileSync = (...args) => {
  const [, data] = args
  if (data instanceof Uint8Array) seen.push(data)
  writeFileSync(...args)
}
crypto.hkdfSync = (...args) => {
  const derived = hkdfSync(...args)
  seen.push(new Uint8Array(derived))
  return derived
}
Object.defineProperty(decipher, 'update', {
  ...decrypt,
  value(this: unknown, ...args: readonly unknown[]) {
    const opened: unknown = Reflect.apply(decrypt?.value, this, args)
    assert(opened instanceof Uint8Array)
    seen.push(opened)
    return opened
  },
})
syncBuiltinESMExports()
after(() => {
  Object.assign(fs, { readSync, writeFileSync })
  Object.assign(crypto, { hkdfSync })
  if (decrypt !== undefined) Object.defineProperty(decipher, 'update', decrypt)
  syncBuiltinESMExports()
})

/** Runs `work` and gives every buffer that was seen meanwhile and is not blank. */
function remains(work: () => void): readonly Uint8Array[] {
  seen.length = 0
  work()
  assert(seen.length > 0, 'the vault uses what is watched')
  return seen.filter((bytes) => bytes.some((byte) => byte !== 0))
}

/** A generator that remembers what it gave, so that master keys can be looked at later. */
function rememberingRandom(): SecureRandom & { readonly given: Uint8Array[] } {
  const given: Uint8Array[] = []
  return {
    given,
    bytes(length) {
      const bytes = crypto.randomBytes(length)
      given.push(bytes)
      return bytes
    },
  }
}

function setUp() {
  const random = rememberingRandom()
  const keyFile = join(scratch(), 'master.key')
  const open = () => openVault(keySources({ keyFile }), { random })
  return { random, open }
}

test('openVault() wipes what it wrote to the key file and what it read from it', () => {
  const { open, random } = setUp()
  for (let round = 0; round < 2; round++) {
    const left = remains(open)
    const [key] = random.given
    assert(key !== undefined && key.some((byte) => byte !== 0))
    const showing = left.filter((bytes) => Buffer.from(bytes).includes(Buffer.from(key)))
    assert.deepEqual(showing, [])
  }
})

test('seal() and open() wipe the key of the record, and open() leaves one secret: its answer', () => {
  const vault = setUp().open()
  let sealed = new Uint8Array()
  const keys = remains(() => {
    sealed = Uint8Array.from(vault.seal(context, planted))
  })
  assert.deepEqual(keys, [])
  const [answer, ...others] = remains(() => void vault.open(context, sealed))
  assert.deepEqual(others, [])
  assert.deepEqual(answer, Buffer.from(planted))
})

test('the answer of open() is wiped by whoever asked for it', () => {
  const vault = setUp().open()
  const sealed = vault.seal(context, planted)
  assert.deepEqual(
    remains(() => vault.open(context, sealed).fill(0)),
    [],
  )
})

test('open() wipes what it decrypted before it refuses', () => {
  const vault = setUp().open()
  const sealed = vault.seal(context, planted)
  const changed = sealed.with(sealed.length - 1, (sealed.at(-1) ?? 0) ^ 1)
  assert.deepEqual(
    remains(() => refuses(() => vault.open(context, changed))),
    [],
  )
})

test('a rotation wipes every secret that it opens, and the key that it forgets', () => {
  const { open, random } = setUp()
  const vault = open()
  const [old] = random.given
  const sealed = vault.seal(context, planted)
  const rotation = vault.beginRotation()
  let resealed: Uint8Array | undefined
  assert.deepEqual(
    remains(() => (resealed = rotation.reseal(context, sealed))),
    [],
  )
  assert(resealed !== undefined)
  const again = resealed
  assert.deepEqual(
    remains(() => rotation.reseal(context, again)),
    [],
  )
  assert(old !== undefined && old.some((byte) => byte !== 0))
  rotation.end()
  assert.deepEqual(old, Buffer.alloc(old.length))
})

test('close() wipes every master key', () => {
  const { open, random } = setUp()
  const vault = open()
  vault.beginRotation()
  const keys = random.given.filter(({ length }) => length === 32)
  assert.equal(keys.length, 2)
  for (const key of keys) assert(key.some((byte) => byte !== 0))
  vault.close()
  for (const key of keys) assert.deepEqual(key, Buffer.alloc(key.length))
})
