/** The master keys of all places together: one that seals, and older ones that still open. */

import { assert } from '../base/error.ts'
import { silentLog, type Log } from '../base/log.ts'
import { VaultError } from '../engine/ports/vault.ts'
import type { KeySource } from './key-source.ts'
import { KEY_BYTES, MasterKey } from './master-key.ts'
import type { SecureRandom } from './record.ts'

/** One place and the keys that are in it, oldest first. */
interface Shelf {
  readonly source: KeySource
  keys: readonly MasterKey[]
}

/** What a ring needs of the world. */
export interface KeyRingWorld {
  readonly random: SecureRandom
  readonly log?: Log
}

/** Keys of one process; {@link close} wipes them. */
export class KeyRing {
  readonly #shelves: readonly Shelf[]
  readonly #random: SecureRandom
  readonly #log: Log
  #isClosed = false

  /**
   * Reads every place; where none holds a key that may seal, makes one in the first that can be written.
   *
   * @param sources strongest first; one of them can be written
   * @throws {VaultError} what a place throws; `ERR_VAULT_KEY_*`, `ERR_VAULT_NEWER`, `ERR_VAULT_IO`. No key was made then
   */
  constructor(sources: readonly KeySource[], { random, log = silentLog }: KeyRingWorld) {
    this.#random = random
    this.#log = log
    this.#shelves = readAll(sources)
    if (this.#shelves.some(isSealing)) return
    const shelf = this.#shelves.find(({ source }) => source.write !== undefined)
    assert(shelf !== undefined, 'a place for the master key can be written')
    try {
      this.#addKey(shelf)
    } catch (error) {
      this.close()
      throw error
    }
  }

  /** The key that seals: the newest of the strongest place. */
  get current(): MasterKey {
    const key = this.#currentShelf.keys.at(-1)
    assert(key !== undefined, 'a shelf is current for its keys')
    return key
  }

  /** Any key by its id. */
  find(id: string): MasterKey | undefined {
    return this.#keys().find((key) => key.id === id)
  }

  /** Whether there are keys besides the current one. */
  get hasOlder(): boolean {
    return this.#keys().some((key) => this.#isOlder(key))
  }

  /**
   * Sees to it that there is a key to rotate to: a new one, or the current one while older keys are left.
   *
   * @throws {VaultError} `ERR_VAULT_KEY_FIXED` when only the operator can make one, `ERR_VAULT_IO`; nothing has changed
   */
  beginRotation(): void {
    if (this.#shelves.some((shelf) => this.#olderToForget(shelf))) return
    const shelf = this.#currentShelf
    if (shelf.source.write !== undefined) return this.#addKey(shelf)
    // What the operator put there besides is what records are to be freed of.
    if (this.hasOlder) return undefined
    throw new VaultError(
      'ERR_VAULT_KEY_FIXED',
      `Cannot make a new master key: ${shelf.source.name} is the key; give the unit a new one under this name and the present one as lull-master-key-previous, start the service again and rotate then`,
    )
  }

  /**
   * Forgets every key but the current one, in every place that can be written.
   *
   * @throws {VaultError} `ERR_VAULT_IO`
   */
  forgetOlder(): void {
    for (const shelf of this.#shelves.filter((shelf) => this.#olderToForget(shelf))) {
      const older = shelf.keys.filter((key) => this.#isOlder(key))
      const kept = shelf.keys.filter((key) => !this.#isOlder(key))
      shelf.source.write?.(kept)
      shelf.keys = kept
      for (const key of older) key.wipe()
      this.#log.write('info', 'Older master keys were forgotten', {
        place: shelf.source.name,
        keys: older.length,
      })
    }
  }

  /** Wipes the keys. May be called twice. */
  close(): void {
    this.#isClosed = true
    for (const shelf of this.#shelves) {
      for (const key of shelf.keys) key.wipe()
      shelf.keys = []
    }
  }

  get #currentShelf(): Shelf {
    this.#assertOpen()
    const shelf = this.#shelves.find(isSealing)
    assert(shelf !== undefined, 'a key ring has a key until it is closed')
    return shelf
  }

  #keys(): readonly MasterKey[] {
    this.#assertOpen()
    return this.#shelves.flatMap(({ keys }) => keys)
  }

  #assertOpen(): void {
    assert(!this.#isClosed, 'a vault is not used after it was closed')
  }

  #isOlder(key: MasterKey): boolean {
    return key.id !== this.current.id
  }

  #olderToForget({ source, keys }: Shelf): boolean {
    return source.write !== undefined && keys.some((key) => this.#isOlder(key))
  }

  #addKey(shelf: Shelf): void {
    const key = new MasterKey(this.#random.bytes(KEY_BYTES))
    try {
      shelf.source.write?.([...shelf.keys, key])
    } catch (error) {
      key.wipe()
      throw error
    }
    shelf.keys = [...shelf.keys, key]
    this.#log.write('info', 'A master key was made', { place: shelf.source.name, id: key.id })
  }
}

/** Whether the newest key of a place may seal. */
function isSealing({ source, keys }: Shelf): boolean {
  return keys.length > 0 && source.isRetired !== true
}

/** Reads every place; keys that were read before one refused are wiped. */
function readAll(sources: readonly KeySource[]): readonly Shelf[] {
  const shelves: Shelf[] = []
  try {
    for (const source of sources) shelves.push({ source, keys: source.read() })
    return shelves
  } catch (error) {
    for (const key of shelves.flatMap(({ keys }) => keys)) key.wipe()
    throw error
  }
}
