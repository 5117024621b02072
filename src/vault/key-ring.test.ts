import assert from 'node:assert/strict'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { context, planted, refuses } from '../engine/ports/vault.suite.ts'
import { VaultError, type Vault } from '../engine/ports/vault.ts'
import { encodeKeys } from './key-file-format.ts'
import { KeyRing } from './key-ring.ts'
import { keySources } from './key-sources.ts'
import type { KeySource } from './key-source.ts'
import type { MasterKey } from './master-key.ts'
import { idsOf, keyBytes, masterKey, random, scratchFolders } from './scratch.suite.ts'
import { openVault } from './vault.ts'

const scratch = scratchFolders()

/** A home and a folder of credentials, with keys by their numbers. */
interface Places {
  readonly keyFile: string
  readonly credentialsFolder: string
}

function places(): Places {
  return { keyFile: join(scratch(), 'master.key'), credentialsFolder: scratch() }
}

function giveCredential({ credentialsFolder }: Places, name: string, number: number): void {
  rmSync(join(credentialsFolder, name), { force: true })
  writeFileSync(join(credentialsFolder, name), keyBytes(number), { mode: 0o400 })
}

function openAt(at: Places): Vault {
  return openVault(keySources(at), { random })
}

function ringAt(at: Places): KeyRing {
  return new KeyRing(keySources(at), { random })
}

/** A place whose keys are in memory. */
function placeOf(numbers: readonly number[], isWritable = true): KeySource & { keys: MasterKey[] } {
  const place = {
    name: 'a place in memory',
    keys: numbers.map(masterKey),
    read: () => place.keys,
  }
  if (!isWritable) return place
  return Object.assign(place, {
    write: (keys: readonly MasterKey[]) => void (place.keys = [...keys]),
  })
}

test('KeyRing makes no key file while the unit has a credential', () => {
  const at = places()
  giveCredential(at, 'lull-master-key', 1)
  assert.equal(ringAt(at).current.id, masterKey(1).id)
  assert.equal(existsSync(at.keyFile), false)
})

test('KeyRing seals with the newest key of the strongest place, and finds all (N138)', () => {
  const at = places()
  writeFileSync(at.keyFile, encodeKeys([masterKey(3), masterKey(4)]), { mode: 0o600 })
  assert.equal(ringAt(at).current.id, masterKey(4).id)
  giveCredential(at, 'lull-master-key-previous', 1)
  giveCredential(at, 'lull-master-key', 2)
  const ring = ringAt(at)
  assert.equal(ring.current.id, masterKey(2).id)
  for (const number of [1, 2, 3, 4]) {
    assert.equal(ring.find(masterKey(number).id)?.id, masterKey(number).id)
  }
  assert.equal(ring.find(masterKey(5).id), undefined)
})

test('records move from the key file to a credential, and the file goes when all have', () => {
  const at = places()
  const sealed = openAt(at).seal(context, planted)
  giveCredential(at, 'lull-master-key', 1)
  const vault = openAt(at)
  assert.equal(vault.isRotating, true)
  assert.deepEqual(vault.open(context, sealed), planted)
  const rotation = vault.beginRotation()
  const moved = rotation.reseal(context, sealed)
  assert(moved !== undefined)
  rotation.end()
  assert.equal(existsSync(at.keyFile), false)
  assert.deepEqual(openAt(at).open(context, moved), planted)
  refuses(() => openAt(at).open(context, sealed), 'ERR_VAULT_KEY_LOST')
})

test('a credential is rotated by its operator: the new one beside the previous', () => {
  const at = places()
  giveCredential(at, 'lull-master-key', 1)
  const first = openAt(at)
  const sealed = first.seal(context, planted)
  const refusal = refuses(() => first.beginRotation(), 'ERR_VAULT_KEY_FIXED')
  assert.match(refusal.message, /lull-master-key-previous/)
  assert.deepEqual(first.open(context, first.seal(context, planted)), planted)
  giveCredential(at, 'lull-master-key-previous', 1)
  giveCredential(at, 'lull-master-key', 2)
  const second = openAt(at)
  const rotation = second.beginRotation()
  const resealed = rotation.reseal(context, sealed)
  assert(resealed !== undefined)
  rotation.end()
  rmSync(join(at.credentialsFolder, 'lull-master-key-previous'))
  const third = openAt(at)
  assert.equal(third.isRotating, false)
  assert.deepEqual(third.open(context, resealed), planted)
})

test('a credential that is away for a while costs nothing once it is back', () => {
  const at = places()
  giveCredential(at, 'lull-master-key', 1)
  const sealed = openAt(at).seal(context, planted)
  const without = openAt({ ...at, credentialsFolder: '' })
  refuses(() => without.open(context, sealed), 'ERR_VAULT_KEY_LOST')
  const meanwhile = without.seal(context, planted)
  const again = openAt(at)
  for (const record of [sealed, meanwhile]) assert.deepEqual(again.open(context, record), planted)
})

test('a previous credential alone opens records and never keeps a rotation from ending', () => {
  const at = places()
  giveCredential(at, 'lull-master-key-previous', 1)
  const ring = ringAt(at)
  const made = ring.current.id
  assert.notEqual(made, masterKey(1).id)
  ring.beginRotation()
  ring.forgetOlder()
  assert.notEqual(ring.current.id, made)
})

test('KeyRing of the same key in two places is not rotating', () => {
  const at = places()
  writeFileSync(at.keyFile, encodeKeys([masterKey(1)]), { mode: 0o600 })
  giveCredential(at, 'lull-master-key', 1)
  assert.equal(ringAt(at).hasOlder, false)
})

test('KeyRing goes on with the key it has when a new one cannot be written', () => {
  const refusal = new VaultError('ERR_VAULT_IO', 'Cannot write')
  const place = placeOf([1])
  const ring = new KeyRing([place], { random })
  const { write } = place
  const refuse = () => {
    throw refusal
  }
  Object.assign(place, { write: refuse })
  assert.equal(
    refuses(() => ring.beginRotation()),
    refusal,
  )
  assert.equal(ring.current.id, masterKey(1).id)
  assert.equal(ring.hasOlder, false)
  Object.assign(place, { write })
  ring.beginRotation()
  Object.assign(place, { write: refuse })
  assert.equal(
    refuses(() => ring.forgetOlder()),
    refusal,
  )
  assert.equal(ring.find(masterKey(1).id)?.id, masterKey(1).id)
  Object.assign(place, { write })
  ring.forgetOlder()
  assert.deepEqual(idsOf(place.keys), [ring.current.id])
})

test('KeyRing wipes what it read when the first key cannot be written', () => {
  const retired = { ...placeOf([1], false), isRetired: true }
  const full = placeOf([])
  Object.assign(full, {
    write() {
      throw new VaultError('ERR_VAULT_IO', 'Cannot write')
    },
  })
  refuses(() => new KeyRing([full, retired], { random }), 'ERR_VAULT_IO')
  for (const key of retired.keys) assert.throws(() => key.use(() => 0), /after it was wiped/)
})

test('KeyRing wipes what it read when a place refuses', () => {
  const place = placeOf([1])
  const refusing: KeySource = {
    name: 'a place that refuses',
    read() {
      throw new VaultError('ERR_VAULT_KEY_REFUSED', 'Cannot use')
    },
  }
  refuses(() => new KeyRing([place, refusing], { random }), 'ERR_VAULT_KEY_REFUSED')
  for (const key of place.keys) assert.throws(() => key.use(() => 0), /not used after it was wiped/)
})

test('KeyRing needs a place that can be written', () => {
  assert.throws(() => new KeyRing([placeOf([], false)], { random }), /Broken invariant/)
})
