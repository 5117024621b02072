import assert from 'node:assert/strict'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { refuses } from '../engine/ports/vault.suite.ts'
import { idsOf, keyBytes, masterKey, scratchFolders } from './scratch.suite.ts'
import { systemdCredentials } from './systemd-credential.ts'

const scratch = scratchFolders()

/** A folder as systemd makes it. */
function credentials(files: Readonly<Record<string, Uint8Array>>): string {
  const folder = scratch()
  for (const [name, bytes] of Object.entries(files)) {
    writeFileSync(join(folder, name), bytes)
    chmodSync(join(folder, name), 0o400)
  }
  return folder
}

/** The ids of the present and of the previous keys. */
function idsIn(folder: string | undefined): readonly (readonly string[])[] {
  const { present, previous } = systemdCredentials(folder)
  return [present, previous].map((source) => idsOf(source.read()))
}

test('systemdCredentials() gives the key of the unit, and the one before it (N130)', () => {
  const [one, two] = [masterKey(1).id, masterKey(2).id]
  const rows = [
    [{ 'lull-master-key': keyBytes(1) }, [one], []],
    [{ 'lull-master-key': keyBytes(2), 'lull-master-key-previous': keyBytes(1) }, [two], [one]],
    [{ 'lull-master-key-previous': keyBytes(1) }, [], [one]],
    [{ 'another-key': keyBytes(1) }, [], []],
    [{}, [], []],
  ] as const
  for (const [files, present, previous] of rows) {
    assert.deepEqual(idsIn(credentials(files)), [present, previous])
  }
})

test('systemdCredentials() are read only, and the previous one never seals', () => {
  const { present, previous } = systemdCredentials(scratch())
  assert.deepEqual([present.write, previous.write], [undefined, undefined])
  assert.deepEqual([present.isRetired, previous.isRetired], [undefined, true])
})

test('systemdCredentials() finds nothing where systemd set no folder', () => {
  for (const folder of [undefined, '', 'credentials', join(scratch(), 'missing')]) {
    assert.deepEqual(idsIn(folder), [[], []])
  }
})

test('systemdCredentials() refuses what is not 32 random bytes', () => {
  const hex = new TextEncoder().encode(Buffer.from(keyBytes(1)).toString('hex'))
  const rows: readonly (readonly [Uint8Array, RegExp])[] = [
    [new Uint8Array(), /it is 0 bytes long; make it of 32 random bytes/],
    [keyBytes(1).subarray(1), /it is 31 bytes long/],
    [Uint8Array.of(...keyBytes(1), 10), /it is longer than 32 bytes/],
    [hex, /it is longer than 32 bytes/],
    [new Uint8Array(32), /all its bytes are the same/],
  ]
  for (const [bytes, message] of rows) {
    for (const name of ['lull-master-key', 'lull-master-key-previous']) {
      const folder = credentials({ 'lull-master-key': keyBytes(1), [name]: bytes })
      const refusal = refuses(() => idsIn(folder), 'ERR_VAULT_KEY_DAMAGED')
      assert.match(refusal.message, message)
      assert.match(refusal.message, new RegExp(`the systemd credential ${name}:`, 'u'))
    }
  }
})

test('systemdCredentials() refuses a key that everybody can read', () => {
  if (process.platform === 'win32') return
  const folder = credentials({ 'lull-master-key': keyBytes(1) })
  chmodSync(join(folder, 'lull-master-key'), 0o444)
  refuses(() => idsIn(folder), 'ERR_VAULT_KEY_REFUSED')
})
