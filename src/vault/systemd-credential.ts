/**
 * Master keys that systemd decrypts for the service: on the disk only sealed (to the machine, its TPM, or both), in
 * memory only while the unit runs.
 *
 * The operator makes the key once and rotates it by hand, because a unit cannot write its credentials: the old one is
 * given as `lull-master-key-previous` until a rotation has ended.
 *
 * @see systemd.exec(5), Credentials; systemd-creds(1)
 */

import { isAbsolute, join } from 'node:path'
import { VaultError } from '../engine/ports/vault.ts'
import type { KeySource } from './key-source.ts'
import { KEY_BYTES, MasterKey } from './master-key.ts'
import { lentFile, readPrivateFile } from './private-file.ts'

/**
 * The keys of the unit: the one that seals, and the one before it, which only opens. The second without the first is the
 * way back to a key file.
 *
 * @param folder `$CREDENTIALS_DIRECTORY`; a relative path names no folder of systemd's and is ignored
 * @returns two places; nothing is in them when the unit was given no key
 */
export function systemdCredentials(folder: string | undefined): {
  readonly present: KeySource
  readonly previous: KeySource
} {
  return {
    present: credentialSource(folder, 'lull-master-key'),
    previous: { ...credentialSource(folder, 'lull-master-key-previous'), isRetired: true },
  }
}

function credentialSource(folder: string | undefined, credential: string): KeySource {
  const name = `the systemd credential ${credential}`
  return {
    name,
    read() {
      if (folder === undefined || !isAbsolute(folder)) return []
      const key = readCredential(join(folder, credential), name)
      return key === undefined ? [] : [key]
    },
  }
}

function readCredential(path: string, name: string): MasterKey | undefined {
  const bytes = readPrivateFile(path, name, { limit: KEY_BYTES, privacy: lentFile })
  if (bytes === undefined) return undefined
  const reason = whyNoKey(bytes)
  if (reason === undefined) return new MasterKey(bytes)
  bytes.fill(0)
  throw new VaultError(
    'ERR_VAULT_KEY_DAMAGED',
    `Cannot use ${name}: ${reason}; make it of ${KEY_BYTES} random bytes`,
  )
}

function whyNoKey(bytes: Uint8Array): string | undefined {
  if (bytes.length > KEY_BYTES) return `it is longer than ${KEY_BYTES} bytes`
  if (bytes.length < KEY_BYTES) return `it is ${bytes.length} bytes long`
  return bytes.every((byte) => byte === bytes[0]) ? 'all its bytes are the same' : undefined
}
