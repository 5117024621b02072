import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { inspect } from 'node:util'
import type { Log } from '../base/log.ts'
import { context, planted, refuses, vaultSuite } from '../engine/ports/vault.suite.ts'
import type { Vault } from '../engine/ports/vault.ts'
import { encodeKeys } from './key-file-format.ts'
import { keySources } from './key-sources.ts'
import { keyBytes, masterKey, random, scratchFolders } from './scratch.suite.ts'
import { unavailableVault } from './unavailable-vault.ts'
import { openVault } from './vault.ts'

const scratch = scratchFolders()
const keyFiles = new Map<Vault, string>()

function openAt(keyFile: string): Vault {
  const vault = openVault(keySources({ keyFile }), { random })
  keyFiles.set(vault, keyFile)
  return vault
}

function close(vault: Vault): string {
  vault.close()
  return keyFiles.get(vault) ?? ''
}

vaultSuite('openVault()', {
  open: () => openAt(join(scratch(), 'master.key')),
  reopen: (vault) => openAt(close(vault)),
  reopenWithoutKeys(vault) {
    const keyFile = close(vault)
    rmSync(keyFile)
    return openAt(keyFile)
  },
})

/** A log that remembers its lines. */
function rememberingLog(): Log & { readonly lines: string[] } {
  const lines: string[] = []
  return { lines, write: (level, event, facts) => lines.push(inspect({ level, event, facts })) }
}

/** Whether a text shows the bytes of a master key. */
function showsKey(text: string, bytes: Uint8Array): boolean {
  const forms = [
    Buffer.from(bytes).toString('hex'),
    Buffer.from(bytes).toString('base64').slice(0, -4),
    bytes.subarray(0, 8).join(', '),
    Buffer.from(bytes.subarray(0, 8))
      .toString('hex')
      .replaceAll(/(..)(?=.)/gu, '$1 '),
  ]
  return forms.some((form) => text.replaceAll(/\s+/gu, ' ').includes(form))
}

test('a vault shows no master key in print, log or message', () => {
  const keyFile = join(scratch(), 'master.key')
  const log = rememberingLog()
  const made = openVault(keySources({ keyFile }), { random: { bytes: () => keyBytes(1) }, log })
  const rotation = made.beginRotation()
  const printed = inspect({ made, rotation }, { showHidden: true, depth: null, getters: true })
  const sealed = made.seal(context, planted)
  rotation.end()
  made.close()
  rmSync(keyFile)
  const refusal = refuses(() => openAt(keyFile).open(context, sealed), 'ERR_VAULT_KEY_LOST')
  assert(log.lines.length > 0)
  for (const text of [printed, log.lines.join('\n'), inspect(refusal, { showHidden: true })]) {
    assert(!showsKey(text, keyBytes(1)), text)
  }
  assert(showsKey(inspect(keyBytes(1)), keyBytes(1)), 'the search finds what is there')
})

test('openVault() says which place a new master key is in, and only when it made one', () => {
  const keyFile = join(scratch(), 'master.key')
  const first = rememberingLog()
  openVault(keySources({ keyFile }), { random, log: first }).close()
  assert.equal(first.lines.length, 1)
  assert.match(first.lines.join(), /A master key was made.*the key file .*master\.key/su)
  const second = rememberingLog()
  openVault(keySources({ keyFile }), { random, log: second }).close()
  assert.deepEqual(second.lines, [])
})

test('openVault() leaves a damaged key file as it is, and unavailableVault() says why (N139)', () => {
  const keyFile = join(scratch(), 'master.key')
  const damaged = encodeKeys([masterKey(1)]).with(20, 0)
  writeFileSync(keyFile, damaged, { mode: 0o600 })
  const reason = refuses(() => openAt(keyFile), 'ERR_VAULT_KEY_DAMAGED')
  assert.deepEqual(new Uint8Array(readFileSync(keyFile)), damaged)
  const vault = unavailableVault(reason)
  assert.equal(vault.isRotating, false)
  const uses = [
    () => vault.seal(context, planted),
    () => vault.open(context, planted),
    () => vault.beginRotation(),
  ]
  for (const use of uses) {
    assert.equal(refuses(use, 'ERR_VAULT_KEY_DAMAGED').message, reason.message)
  }
  vault.close()
})
