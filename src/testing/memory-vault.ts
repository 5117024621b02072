/** The vault in memory: what the engine is tested on. Seals nothing: a record is a number to ask for the secret by. */

import { assert } from '../base/error.ts'
import {
  checkSecretLength,
  encodeContext,
  recordError,
  type Rotation,
  type SealContext,
  type Vault,
} from '../engine/ports/vault.ts'
import { SeededRandom } from './seeded-random.ts'

const VERSION = 1
const NUMBER_BYTES = 16
const KEY_AT = 1
const NUMBER_AT = 2
const RECORD_BYTES = NUMBER_AT + NUMBER_BYTES

/** What a record stands for. */
interface Entry {
  readonly context: string
  readonly secret: Uint8Array
}

/** What outlives a vault: its keys, numbered from 1, oldest first, and what its records stand for. */
export class VaultMemory {
  readonly random = new SeededRandom()
  readonly entries = new Map<string, Entry>()
  keys: readonly number[] = []
  #lastKey = 0

  /** Makes a key, the newest from here on. At most 255 are made. */
  addKey(): void {
    assert(this.#lastKey < 255, 'a vault in memory makes few keys')
    this.#lastKey += 1
    this.keys = [...this.keys, this.#lastKey]
  }

  /** Loses every key, as if their place had been emptied while no vault was open. */
  loseKeys(): void {
    this.keys = []
  }
}

/** A {@link Vault} of a map. Records of one memory open in every vault of it. */
export class MemoryVault implements Vault {
  readonly #memory: VaultMemory
  #isClosed = false

  constructor(memory: VaultMemory = new VaultMemory()) {
    this.#memory = memory
    if (memory.keys.length === 0) memory.addKey()
  }

  seal(context: SealContext, secret: Uint8Array): Uint8Array {
    const { random, entries } = this.#open()
    checkSecretLength(secret)
    const sealed = Uint8Array.of(VERSION, this.#newest, ...random.bytes(NUMBER_BYTES))
    entries.set(sealed.join(), { context: encodeContext(context).join(), secret: secret.slice() })
    return sealed
  }

  open(context: SealContext, sealed: Uint8Array): Uint8Array {
    const { keys, entries } = this.#open()
    const wanted = encodeContext(context).join()
    const version = sealed[0] ?? 0
    if (version > VERSION) throw recordError('ERR_VAULT_NEWER', context)
    if (version < VERSION || sealed.length < RECORD_BYTES) {
      throw recordError('ERR_VAULT_RECORD_REFUSED', context)
    }
    if (!keys.includes(sealed[KEY_AT] ?? 0)) throw recordError('ERR_VAULT_KEY_LOST', context)
    const entry = entries.get(sealed.join())
    if (entry?.context !== wanted) throw recordError('ERR_VAULT_RECORD_REFUSED', context)
    return entry.secret.slice()
  }

  holdsKeyOf(_context: SealContext, sealed: Uint8Array): boolean {
    return sealed.length < RECORD_BYTES || this.#open().keys.includes(sealed[KEY_AT] ?? 0)
  }

  get isRotating(): boolean {
    return this.#open().keys.length > 1
  }

  beginRotation(): Rotation {
    if (!this.isRotating) this.#memory.addKey()
    const newest = this.#newest
    return {
      reseal: (context, sealed) => {
        const secret = this.open(context, sealed)
        return sealed[KEY_AT] === this.#newest ? undefined : this.seal(context, secret)
      },
      end: () => {
        if (this.#newest === newest) this.#memory.keys = [newest]
      },
    }
  }

  close(): void {
    this.#isClosed = true
  }

  get #newest(): number {
    const newest = this.#open().keys.at(-1)
    assert(newest !== undefined, 'a vault in memory has a key')
    return newest
  }

  #open(): VaultMemory {
    assert(!this.#isClosed, 'a vault is not used after it was closed')
    return this.#memory
  }
}
