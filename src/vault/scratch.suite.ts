/** Folders, keys and randomness for this room's tests. */

import { randomBytes } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { KEY_BYTES, MasterKey } from './master-key.ts'
import type { SecureRandom } from './record.ts'

/** The platform's generator. */
export const random: SecureRandom = { bytes: (length) => randomBytes(length) }

/** Gives a folder of its own to each caller; all are removed when the file's tests are done. */
export function scratchFolders(): () => string {
  const root = mkdtempSync(join(tmpdir(), 'lull-vault-'))
  // A test that is another user for a while reaches its folder through this one.
  chmodSync(root, 0o711)
  after(() => rmSync(root, { recursive: true }))
  return () => mkdtempSync(join(root, 'home-'))
}

/** Key bytes that are told apart by a number from 1 to 200. */
export function keyBytes(number: number): Uint8Array {
  return Uint8Array.from({ length: KEY_BYTES }, (_, at) => number + at)
}

/** The master key of {@link keyBytes}. */
export function masterKey(number: number): MasterKey {
  return new MasterKey(keyBytes(number))
}

/** The ids of keys. */
export function idsOf(keys: readonly MasterKey[]): readonly string[] {
  return keys.map(({ id }) => id)
}
