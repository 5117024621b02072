/**
 * Room vault: secrets sealed at rest, and the master key they are sealed with.
 *
 * A record (`record.ts`) is sealed with a key of its own that is derived from a master key; a ring (`key-ring.ts`) holds
 * the master keys of every place that has one (`key-sources.ts`). The queue keeps the records, this room keeps none.
 */

import type { Log } from '../base/log.ts'
import {
  checkSecretLength,
  recordError,
  type Rotation,
  type SealContext,
  type Vault,
  VaultError,
} from '../engine/ports/vault.ts'
import { KeyRing } from './key-ring.ts'
import type { KeySource } from './key-source.ts'
import type { MasterKey } from './master-key.ts'
import { keyIdOf, openRecord, sealRecord, type SecureRandom } from './record.ts'

/** What a vault needs of the world. */
export interface VaultWorld {
  /** Cryptographic: keys, salts and nonces come from here. */
  readonly random: SecureRandom
  /** Told when a master key is made or forgotten; silent when absent. */
  readonly log?: Log
}

/**
 * Opens the vault; makes a master key where no place holds one.
 *
 * @param sources places of master keys, strongest first: `keySources()`
 * @throws {VaultError} `ERR_VAULT_KEY_REFUSED`, `ERR_VAULT_KEY_DAMAGED`, `ERR_VAULT_NEWER`, `ERR_VAULT_IO`: no key was
 *   made or changed. Jobs without credentials need no vault: `unavailableVault()` stands in for it
 */
export function openVault(sources: readonly KeySource[], world: VaultWorld): Vault {
  return new KeyRingVault(new KeyRing(sources, world), world.random)
}

class KeyRingVault implements Vault {
  readonly #ring: KeyRing
  readonly #random: SecureRandom

  constructor(ring: KeyRing, random: SecureRandom) {
    this.#ring = ring
    this.#random = random
  }

  seal(context: SealContext, secret: Uint8Array): Uint8Array {
    checkSecretLength(secret)
    return sealRecord(this.#ring.current, context, secret, this.#random)
  }

  open(context: SealContext, sealed: Uint8Array): Uint8Array {
    return openRecord(this.#keyOf(context, sealed), context, sealed)
  }

  holdsKeyOf(context: SealContext, sealed: Uint8Array): boolean {
    try {
      return this.#ring.find(keyIdOf(context, sealed)) !== undefined
    } catch (error) {
      // It is no record, or one of a newer version: no key is missing for that.
      if (error instanceof VaultError) return true
      throw error
    }
  }

  get isRotating(): boolean {
    return this.#ring.hasOlder
  }

  beginRotation(): Rotation {
    this.#ring.beginRotation()
    const newest = this.#ring.current
    return {
      reseal: (context, sealed) => this.#reseal(context, sealed),
      end: () => {
        // A newer key makes this one an old one, and there may be records that only it opens.
        if (this.#ring.current === newest) this.#ring.forgetOlder()
      },
    }
  }

  close(): void {
    this.#ring.close()
  }

  #reseal(context: SealContext, sealed: Uint8Array): Uint8Array | undefined {
    const key = this.#keyOf(context, sealed)
    const secret = openRecord(key, context, sealed)
    try {
      return key.id === this.#ring.current.id ? undefined : this.seal(context, secret)
    } finally {
      secret.fill(0)
    }
  }

  #keyOf(context: SealContext, sealed: Uint8Array): MasterKey {
    const id = keyIdOf(context, sealed)
    const key = this.#ring.find(id)
    if (key === undefined) throw recordError('ERR_VAULT_KEY_LOST', context)
    return key
  }
}
