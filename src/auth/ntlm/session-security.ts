/** Signing and sealing of messages after NTLM authentication (MS-NLMP §3.4). */

import type { Hashes } from '../crypto.ts'
import { crc32 } from '../legacy-crypto/crc32.ts'
import { Rc4 } from '../legacy-crypto/rc4.ts'
import { encodeUint32, joinBytes, viewOf, wipe } from './bytes.ts'
import { hasFlag } from './flags.ts'
import { computeSealingKey, computeSigningKey, type NtlmSide } from './session-keys.ts'

/** The length of every NTLM signature (MS-NLMP §2.2.2.9). */
export const signatureBytes = 16

/** Version 1, with which every signature begins. */
const signatureVersion = encodeUint32(1)

/** A message in cipher, and the signature of its plain text. */
export interface Sealed {
  readonly sealed: Uint8Array
  readonly signature: Uint8Array
}

/**
 * Both directions of one session, seen from one side. Messages are numbered: each must be taken in the order in which
 * the other side made it.
 */
export class NtlmSessionSecurity {
  readonly #outgoing: Direction
  readonly #incoming: Direction
  readonly #flags: number
  readonly #hashes: Hashes

  /**
   * @param flags what was agreed
   * @param exportedSessionKey 16 bytes; copied
   * @param side who we are
   */
  constructor(flags: number, exportedSessionKey: Uint8Array, side: NtlmSide, hashes: Hashes) {
    const other = side === 'client' ? 'server' : 'client'
    this.#outgoing = new Direction(flags, exportedSessionKey, side, hashes)
    this.#incoming = new Direction(flags, exportedSessionKey, other, hashes)
    this.#flags = flags
    this.#hashes = hashes
  }

  /** Whether signatures prove anything: without `sign` they are a constant. */
  get hasIntegrity(): boolean {
    return hasFlag(this.#flags, 'sign')
  }

  /** The signature of our next message, 16 bytes. */
  sign(message: Uint8Array): Uint8Array {
    return this.#outgoing.sign(message)
  }

  /** Whether this is the signature of the peer's next message. */
  verify(message: Uint8Array, signature: Uint8Array): boolean {
    const expected = this.#incoming.sign(message)
    return this.#hashes.equal(comparable(this.#flags, expected), comparable(this.#flags, signature))
  }

  /** Encrypts and signs our next message. */
  seal(message: Uint8Array): Sealed {
    const sealed = this.#outgoing.stream.apply(message)
    return { sealed, signature: this.#outgoing.sign(message) }
  }

  /** Decrypts the peer's next message; `undefined` when its signature does not verify. */
  unseal({ sealed, signature }: Sealed): Uint8Array | undefined {
    const message = this.#incoming.stream.apply(sealed)
    return this.verify(message, signature) ? message : undefined
  }

  /** Begins both key streams and the numbering anew, as after a mechListMIC (A286). */
  reset(): void {
    this.#outgoing.reset()
    this.#incoming.reset()
  }

  /** Overwrites every key. Nothing can be signed afterwards. May be called twice. */
  wipe(): void {
    this.#outgoing.wipe()
    this.#incoming.wipe()
  }
}

/** Without extended session security the four bytes after the version are padding that senders fill as they like. */
function comparable(flags: number, signature: Uint8Array): Uint8Array {
  if (hasFlag(flags, 'extendedSessionSecurity') || signature.length !== signatureBytes) {
    return signature
  }
  return joinBytes(signature.subarray(0, 4), signature.subarray(8))
}

/** The keys, the stream and the number of the next message of one direction. */
class Direction {
  readonly #flags: number
  readonly #hashes: Hashes
  readonly #signingKey: Uint8Array
  readonly #sealingKey: Uint8Array
  stream: Rc4
  #sequence = 0

  constructor(flags: number, exportedSessionKey: Uint8Array, side: NtlmSide, hashes: Hashes) {
    this.#flags = flags
    this.#hashes = hashes
    this.#signingKey = computeSigningKey(exportedSessionKey, side, hashes)
    this.#sealingKey = computeSealingKey(flags, exportedSessionKey, side, hashes)
    this.stream = new Rc4(this.#sealingKey)
  }

  /** MAC (MS-NLMP §3.4.4). */
  sign(message: Uint8Array): Uint8Array {
    const sequence = encodeUint32(this.#sequence++)
    if (!hasFlag(this.#flags, 'sign')) return joinBytes(signatureVersion, new Uint8Array(12))
    if (hasFlag(this.#flags, 'extendedSessionSecurity')) {
      return joinBytes(signatureVersion, this.#checksum(sequence, message), sequence)
    }
    return this.#signWithCrc(message)
  }

  reset(): void {
    this.stream.wipe()
    this.stream = new Rc4(this.#sealingKey)
    this.#sequence = 0
  }

  wipe(): void {
    wipe(this.#signingKey, this.#sealingKey)
    this.stream.wipe()
  }

  #checksum(sequence: Uint8Array, message: Uint8Array): Uint8Array {
    const hmac = this.#hashes.hmac('md5', this.#signingKey, sequence, message).subarray(0, 8)
    return hasFlag(this.#flags, 'keyExchange') ? this.stream.apply(hmac) : hmac
  }

  /** MS-NLMP §3.4.4.1: the padding runs through the stream and is then sent as zeros. */
  #signWithCrc(message: Uint8Array): Uint8Array {
    const number = this.#sequence - 1
    this.stream.apply(new Uint8Array(4))
    const checksum = this.stream.apply(encodeUint32(crc32(message)))
    const mask = viewOf(this.stream.apply(new Uint8Array(4))).getUint32(0, true)
    const sequence = encodeUint32((mask ^ number) >>> 0)
    return joinBytes(signatureVersion, new Uint8Array(4), checksum, sequence)
  }
}
