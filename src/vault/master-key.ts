/** The key that everything else is derived from. */

import { hkdfSync } from 'node:crypto'
import { assert } from '../base/error.ts'

/** Length of a master key and of every key derived from it: what AES-256 takes. */
export const KEY_BYTES = 32

/** Length of the id by which records name their master key. */
export const KEY_ID_BYTES = 16

/** What a key is derived for; two purposes never give the same bytes (RFC 5869 §3.2). */
const purposes = { id: 'lull vault key id 1', record: 'lull vault record key 1' } as const

/** A master key; {@link wipe} ends it. Nothing shows its bytes. */
export class MasterKey implements Disposable {
  /** Derived from the key, so that the two cannot be parted: {@link KEY_ID_BYTES} in lower-case hexadecimal. No secret. */
  readonly id: string
  #bytes: Uint8Array

  /** @param bytes {@link KEY_BYTES} of them, owned by the key from here on and wiped with it */
  constructor(bytes: Uint8Array) {
    assert(bytes.length === KEY_BYTES, 'a master key has 32 bytes')
    this.#bytes = bytes
    this.id = Buffer.from(derive(bytes, new Uint8Array(), purposes.id, KEY_ID_BYTES)).toString(
      'hex',
    )
  }

  /** The key of one record. @returns {@link KEY_BYTES} that the caller wipes */
  recordKey(salt: Uint8Array): Uint8Array {
    return this.use((bytes) => derive(bytes, salt, purposes.record, KEY_BYTES))
  }

  /** Lends the bytes to `work`, which neither keeps nor changes them. */
  use<Result>(work: (bytes: Uint8Array) => Result): Result {
    assert(this.#bytes.length > 0, 'a master key is not used after it was wiped')
    return work(this.#bytes)
  }

  /** Overwrites the bytes with zeros. May be called twice. */
  wipe(): void {
    this.#bytes.fill(0)
    this.#bytes = new Uint8Array()
  }

  [Symbol.dispose](): void {
    this.wipe()
  }
}

/** HKDF with SHA-256 (RFC 5869). */
function derive(key: Uint8Array, salt: Uint8Array, purpose: string, length: number): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', key, salt, purpose, length))
}
