/**
 * Master keys in a file of the service's home: the place that every machine has.
 *
 * The file is never written in place. New contents go to a file beside it, are synced, take its name in one step, and
 * then the folder is synced; a crash before that step leaves the old keys, and a file beside them that the next reading
 * removes. The home's lock keeps other processes away; should one be there all the same, the first key of two stays.
 */

import { dirname } from 'node:path'
import { VaultError } from '../engine/ports/vault.ts'
import { ioError } from './io-error.ts'
import { LONGEST_KEY_FILE, decodeKeys, encodeKeys, type DecodedKeys } from './key-file-format.ts'
import { nodeDisk, type KeyDisk } from './key-disk.ts'
import type { KeySource } from './key-source.ts'
import type { MasterKey } from './master-key.ts'
import { ownFile, readPrivateFile } from './private-file.ts'

/** Keys in a file. */
export class KeyFile implements KeySource {
  readonly name: string
  readonly #path: string
  readonly #disk: KeyDisk
  /** Whether the file was there when this process last read or wrote it. */
  #isThere = false

  /** @param path full; its folder exists and is private */
  constructor(path: string, disk: KeyDisk = nodeDisk) {
    this.name = `the key file ${path}`
    this.#path = path
    this.#disk = disk
  }

  /** Reads the file, and removes what a crash left beside it. */
  read(): readonly MasterKey[] {
    this.#do('read', () => this.#disk.remove(this.#newPath))
    const limits = { limit: LONGEST_KEY_FILE, privacy: ownFile }
    const bytes = readPrivateFile(this.#path, this.name, limits)
    this.#isThere = bytes !== undefined
    if (bytes === undefined) return []
    const decoded = decodeKeys(bytes)
    bytes.fill(0)
    return this.#keysOf(decoded)
  }

  write(keys: readonly MasterKey[]): void {
    this.#do('write', () => {
      if (keys.length === 0) this.#disk.remove(this.#path)
      else this.#put(keys)
      this.#isThere = keys.length > 0
      this.#disk.syncFolder(dirname(this.#path))
    })
  }

  get #newPath(): string {
    return `${this.#path}.new`
  }

  #put(keys: readonly MasterKey[]): void {
    const bytes = encodeKeys(keys)
    try {
      this.#disk.create(this.#newPath, bytes)
      if (this.#isThere) this.#disk.replace(this.#newPath, this.#path)
      else this.#disk.rename(this.#newPath, this.#path)
    } finally {
      bytes.fill(0)
    }
  }

  #keysOf(decoded: DecodedKeys): readonly MasterKey[] {
    switch (decoded.kind) {
      case 'keys':
        return decoded.keys
      case 'newer':
        throw new VaultError(
          'ERR_VAULT_NEWER',
          `Cannot use ${this.name}: a newer version wrote it (${decoded.version}); start the newer Lull`,
        )
      case 'damaged':
        throw new VaultError(
          'ERR_VAULT_KEY_DAMAGED',
          `Cannot use ${this.name}: ${decoded.reason}; restore a copy of it, or move it away to begin with a new key and set credentials again`,
        )
      default:
        return decoded satisfies never
    }
  }

  #do(attempt: string, work: () => void): void {
    try {
      work()
    } catch (error) {
      throw ioError(error, `${attempt} ${this.name}`)
    }
  }
}
