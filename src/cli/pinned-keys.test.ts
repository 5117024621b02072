import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { CliError } from './cli-error.ts'
import { pinnedKeysOf } from './pinned-keys.ts'

const pin = `sha256//${createHash('sha256').update('a key').digest('base64')}`

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'pins-'))
  t.after(() => rmSync(path, { recursive: true }))
  return path
}

describe('pinnedKeysOf()', () => {
  test('pinnedKeysOf() takes pins with semicolons between, as curl does', () => {
    assert.deepEqual(pinnedKeysOf(pin), [pin])
    assert.deepEqual(pinnedKeysOf(`${pin};${pin}`), [pin, pin])
    assert.deepEqual(pinnedKeysOf(''), [])
  })

  test('pinnedKeysOf() reads the key in a file, PEM or DER', (t) => {
    const { publicKey } = generateKeyPairSync('ed25519')
    const der = publicKey.export({ type: 'spki', format: 'der' })
    const expected = `sha256//${createHash('sha256').update(der).digest('base64')}`
    const path = join(folder(t), 'key')
    for (const bytes of [der, publicKey.export({ type: 'spki', format: 'pem' })]) {
      writeFileSync(path, bytes)
      assert.deepEqual(pinnedKeysOf(path), [expected])
    }
  })

  test('pinnedKeysOf() refuses what is neither as wrong usage', (t) => {
    const path = join(folder(t), 'text')
    writeFileSync(path, 'hello')
    for (const value of ['sha256//short', `${pin};`, `${pin},${pin}`, path, '/nowhere/key']) {
      assert.throws(() => pinnedKeysOf(value), (error) => error instanceof CliError && error.status === 2) // prettier-ignore
    }
  })
})
