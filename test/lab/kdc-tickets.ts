/** Credential caches as files (format 4 of MIT's and Heimdal's library, A312), to be spoiled. */

import { readFileSync, writeFileSync } from 'node:fs'

/** The format's own version, and the one that it has been since 1996. */
const VERSION = 0x0504
const SHORT = 2
const LONG = 4
/** authtime, starttime, endtime, renew_till. */
const TIMES = 4 * LONG
/** `is_skey`, one byte, and ticket flags. */
const FLAGS = 1 + LONG

/**
 * Lets every ticket of a cache have ended long ago.
 *
 * @param cache `FILE:` and a path
 */
export function expireTickets(cache: string): void {
  const path = cache.replace(/^FILE:/u, '')
  const bytes = readFileSync(path)
  new CacheWalk(bytes).expire()
  writeFileSync(path, bytes)
}

/** Walks from credential to credential; all numbers are big-endian. */
class CacheWalk {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  expire(): void {
    if (this.#short() !== VERSION) throw new Error('this is no credential cache of version 4')
    const header = this.#short()
    this.#at += header
    this.#skipPrincipal()
    while (this.#at < this.#bytes.length) this.#expireOne()
  }

  #expireOne(): void {
    this.#skipPrincipal()
    this.#skipPrincipal()
    this.#at += SHORT // the type of the key
    this.#skipData()
    // One second after the epoch: 0 would mean that nothing is known.
    for (let at = 0; at < TIMES; at += LONG) this.#bytes.writeUInt32BE(1, this.#at + at)
    this.#at += TIMES + FLAGS
    for (let count = this.#long(); count > 0; count--) this.#skipTyped() // addresses
    for (let count = this.#long(); count > 0; count--) this.#skipTyped() // authorization data
    this.#skipData()
    this.#skipData()
  }

  #skipPrincipal(): void {
    this.#at += LONG // the type of the name
    const components = this.#long()
    for (let left = components + 1; left > 0; left--) this.#skipData() // the realm first
  }

  #skipTyped(): void {
    this.#at += SHORT
    this.#skipData()
  }

  #skipData(): void {
    const length = this.#long()
    this.#at += length
  }

  #short(): number {
    const value = this.#bytes.readUInt16BE(this.#at)
    this.#at += SHORT
    return value
  }

  #long(): number {
    const value = this.#bytes.readUInt32BE(this.#at)
    this.#at += LONG
    return value
  }
}
