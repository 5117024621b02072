/** What the servers of the lab serve: bytes that a seed decides, made as they are needed, so no size costs memory. */

import { createHash } from 'node:crypto'
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

const BLOCK_BYTES = 64 * 1024
const WORDS = BLOCK_BYTES / 4

/** Spreads a number over 32 bits (the finaliser of MurmurHash3). */
function mix(value: number): number {
  let word = value | 0
  word = Math.imul(word ^ (word >>> 16), 0x85ebca6b)
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35)
  return (word ^ (word >>> 16)) >>> 0
}

/** The block that all others are made of. */
const base = Uint32Array.from({ length: WORDS }, (_, index) => mix(index + 1))

/** One version of one file. */
export class Content {
  readonly seed: number
  /** Length in bytes. */
  readonly size: number

  constructor(seed: number, size: number) {
    this.seed = seed
    this.size = size
  }

  /** The bytes from `start` to `end` (exclusive) in pieces of at most 64 KiB; each may be kept. */
  *pieces(start = 0, end = this.size): Generator<Uint8Array, void> {
    for (let at = start; at < end;) {
      const index = Math.floor(at / BLOCK_BYTES)
      const from = index * BLOCK_BYTES
      const piece = this.#block(index).subarray(at - from, Math.min(end - from, BLOCK_BYTES))
      yield piece
      at += piece.length
    }
  }

  /** All of it at once; for small files. */
  bytes(): Buffer {
    return Buffer.concat([...this.pieces()])
  }

  /** Its digest. */
  digest(algorithm: 'sha256' | 'sha512' | 'md5', encoding: 'hex' | 'base64' = 'hex'): string {
    const hash = createHash(algorithm)
    for (const piece of this.pieces()) hash.update(piece)
    return hash.digest(encoding)
  }

  /**
   * Where a file on disk stops being this content.
   *
   * @returns the first offset that differs (the shorter length, where one only ends earlier); `undefined` when they are
   *   equal
   */
  firstDifference(path: string): number | undefined {
    const file = openSync(path, 'r')
    try {
      const length = fstatSync(file).size
      const buffer = Buffer.alloc(BLOCK_BYTES)
      let at = 0
      for (const piece of this.pieces()) {
        const count = readSync(file, buffer, 0, piece.length, at)
        const wrong = difference(piece, buffer.subarray(0, count))
        if (wrong !== undefined) return at + wrong
        at += piece.length
      }
      return length === this.size ? undefined : this.size
    } finally {
      closeSync(file)
    }
  }

  #block(index: number): Uint8Array {
    const flip = mix(Math.imul(this.seed, 0x9e3779b1) ^ index)
    const add = mix(flip + this.seed)
    const words = new Uint32Array(WORDS)
    for (let place = 0; place < WORDS; place++) words[place] = ((base[place] ?? 0) ^ flip) + add
    return new Uint8Array(words.buffer)
  }
}

function difference(expected: Uint8Array, found: Uint8Array): number | undefined {
  if (Buffer.compare(expected, found) === 0) return undefined
  const index = expected.findIndex((byte, place) => byte !== found[place])
  return index < 0 ? expected.length : index
}
