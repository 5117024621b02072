import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { KeyFile } from './key-file.ts'
import { keySources } from './key-sources.ts'
import { openVault } from './vault.ts'
import { keyBytes, masterKey, random, scratchFolders } from './scratch.suite.ts'

const scratch = scratchFolders()

test('keySources() are a credential of the unit and a file, and the file alone is written (N130, N132, N138)', () => {
  const keyFile = join(scratch(), 'master.key')
  const credentialsFolder = scratch()
  writeFileSync(join(credentialsFolder, 'lull-master-key'), keyBytes(1), { mode: 0o400 })
  const sources = keySources({ keyFile, credentialsFolder })
  assert.deepEqual(
    sources.map(({ write }) => write !== undefined),
    [false, true, false],
  )
  assert(sources[1] instanceof KeyFile)
  const ids = sources.flatMap((source) => source.read().map(({ id }) => id))
  assert.deepEqual(ids, [masterKey(1).id])
})

test('keySources() know no place that a boot, a session or a firmware takes away, on no platform (N131, N133, N134)', () => {
  // What a keyring, a Secret Service and a TPM would be reached by.
  const session = {
    DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nowhere',
    XDG_RUNTIME_DIR: '/nowhere',
    TPM2TOOLS_TCTI: 'device:/dev/null',
    KRB5CCNAME: 'KEYRING:persistent:0',
  }
  const before = { ...process.env }
  try {
    Object.assign(process.env, session)
    const names = keySources({ keyFile: join(scratch(), 'master.key') }).map(({ name }) => name)
    assert.equal(names.length, 3)
    for (const name of names) assert.match(name, /credential|key file/u)
  } finally {
    for (const name of Object.keys(session)) delete process.env[name]
    Object.assign(process.env, before)
  }
})

test('where there is no keychain and no DPAPI to ask, a file of the account stands for them (N132, N135, N136)', () => {
  const keyFile = join(scratch(), 'master.key')
  openVault(keySources({ keyFile }), { random }).close()
  const [key] = new KeyFile(keyFile).read()
  assert(key !== undefined)
})

test('no variable and no argument is a master key (N137)', () => {
  const keyFile = join(scratch(), 'master.key')
  const planted = Buffer.from(keyBytes(9)).toString('hex')
  const names = ['LULL_MASTER_KEY', 'LULL_KEY', 'MASTER_KEY', 'LULL_VAULT_KEY']
  const { argv } = process
  try {
    for (const name of names) process.env[name] = planted
    process.argv = [...argv, `--master-key=${planted}`]
    openVault(keySources({ keyFile }), { random }).close()
  } finally {
    for (const name of names) delete process.env[name]
    process.argv = argv
  }
  const made = new KeyFile(keyFile).read().map(({ id }) => id)
  assert.equal(made.length, 1)
  assert.notEqual(made[0], masterKey(9).id)
  assert(!readFileSync(keyFile).includes(Buffer.from(keyBytes(9))))
})
