/**
 * Secrets at rest as the engine needs them: bytes go in, sealed bytes come out, and the queue keeps those.
 *
 * Terms: a *record* is one sealed secret. Its *context* says whose it is and what it is for; a record opens in the
 * context it was sealed in and in no other. The *master key* is what records are sealed with. *Rotation* is the way from
 * one master key to the next: until it ends there are two, and every record opens.
 */

import { LullError } from '../../base/error.ts'
import type { JobId } from '../../job/job.ts'

/** The most bytes of one secret: a password of 65,536 UTF-16 units (A16) is far below. */
export const LONGEST_SECRET = 1024 * 1024

/** Whose a record is and what it is for. No field is secret, and none is normalised: other text is another context. */
export interface SealContext {
  readonly jobId: JobId
  /** The owner's id, not the name. */
  readonly ownerId: string
  /** `server` or `proxy` (A1); another word where something else than a credential is sealed. */
  readonly target: string
  /** The scheme's name (A2); what else is sealed for this target goes by a name of its own. */
  readonly scheme: string
}

/** One of the conditions of a vault that somebody can act on. */
export type VaultErrorCode =
  /** The key that this record was sealed with is gone, and the secret with it; nothing else is. */
  | 'ERR_VAULT_KEY_LOST'
  /** The record was changed, or belongs to another context. */
  | 'ERR_VAULT_RECORD_REFUSED'
  /** A newer version wrote this record or these keys. */
  | 'ERR_VAULT_NEWER'
  /** The master key lies where others can read it, or is not ours: it is not used. */
  | 'ERR_VAULT_KEY_REFUSED'
  /** What lies where the master key should be is none. */
  | 'ERR_VAULT_KEY_DAMAGED'
  /** The master key comes from a place that only the machine's operator can change. */
  | 'ERR_VAULT_KEY_FIXED'
  /** The operating system refused: the message says what. */
  | 'ERR_VAULT_IO'

/**
 * The target of what stands in the URLs of single files; its schemes are their ordinals. There may be as many as files, so
 * they are asked for apart from the others. No other target comes after it in order.
 */
export const fileTarget = 'url'

/** The target of what belongs to a job and is no credential. */
export const jobTarget = 'job'

/** A condition of the vault. Neither message nor cause ever holds a secret, a key or a part of a record. */
export class VaultError extends LullError {
  declare readonly code: VaultErrorCode
}

/** Secrets sealed at rest. Every method is synchronous. */
export interface Vault {
  /**
   * Seals a secret with the newest master key. Two records of one secret differ. The record goes to the queue in the same
   * breath: a rotation that walks through the queue between its steps must find it there.
   *
   * @param secret 0 to {@link LONGEST_SECRET} bytes; stays the caller's, who wipes it. Nothing of it is kept
   * @returns the record, for the queue to keep; a new array
   * @throws {RangeError} when the secret is longer
   * @throws {TypeError} when a field of the context holds half a surrogate pair
   */
  seal(context: SealContext, secret: Uint8Array): Uint8Array
  /**
   * Gives a secret back.
   *
   * @returns a new array that belongs to the caller, who wipes it
   * @throws {VaultError} `ERR_VAULT_KEY_LOST`, `ERR_VAULT_RECORD_REFUSED`, `ERR_VAULT_NEWER`: these credentials cannot be
   *   used, and the job and its bytes stay. The record may open again when the key comes back, so nobody removes it
   */
  open(context: SealContext, sealed: Uint8Array): Uint8Array
  /** Whether the key that a record was sealed with is there; opens nothing, and says nothing of what else is wrong. */
  holdsKeyOf(context: SealContext, sealed: Uint8Array): boolean
  /** Whether older master keys are kept, because records may be sealed with them: a rotation has begun and not ended. */
  readonly isRotating: boolean
  /**
   * Makes a new master key, durable when this returns; from then on {@link seal} uses it. While older keys are kept,
   * makes none and goes on with the rotation that has begun, whichever process began it.
   *
   * @throws {VaultError} `ERR_VAULT_KEY_FIXED`, `ERR_VAULT_IO`; nothing has changed then
   */
  beginRotation(): Rotation
  /** Wipes the keys; nothing but `close` is called after it. Closed twice is closed. */
  close(): void
}

/** A rotation under way; ends with the process unless it is ended, and is begun again after. */
export interface Rotation {
  /**
   * Seals the secret of a record with the newest master key.
   *
   * @returns the record to put in its place; `undefined` when it is sealed with that key already
   * @throws {VaultError} as {@link Vault.open}
   */
  reseal(context: SealContext, sealed: Uint8Array): Uint8Array | undefined
  /**
   * Forgets the older keys, durably; called when no record that is sealed with one of them is left in the queue. Does
   * nothing when another rotation made a newer key meanwhile: that one ends for both.
   *
   * @throws {VaultError} `ERR_VAULT_IO`; older keys may still be there then, and ending again forgets them
   */
  end(): void
}

/** One sealed secret of the queue. */
export interface SealedRecord {
  readonly context: SealContext
  readonly sealed: Uint8Array
}

/** The sealed secrets of the queue, as a rotation walks through them. */
export interface SealedRecords {
  /**
   * `limit` records that follow `after` in an order that never changes, fewer only when no more follow; from the first
   * when `after` is absent.
   */
  page(after: SealContext | undefined, limit: number): readonly SealedRecord[]
  /** Replaces records by their contexts in one commit, on disk when this returns. */
  replace(records: readonly SealedRecord[]): void
}

/** The fields of a context in the order in which they are encoded. */
const contextFields = ['jobId', 'ownerId', 'target', 'scheme'] as const

/** A 32-bit number in front of each field of an encoded context. */
const LENGTH_BYTES = 4

/**
 * Writes a context as bytes, so that no two contexts give the same: each field as UTF-8 behind its length in bytes (32
 * bits, big-endian), in the order job, owner, target, scheme.
 *
 * @throws {TypeError} when a field holds half a surrogate pair, which UTF-8 cannot tell from another
 */
export function encodeContext(context: SealContext): Uint8Array {
  const fields = contextFields.map((name) => {
    const text = context[name]
    if (text.isWellFormed()) return new TextEncoder().encode(text)
    throw new TypeError(`Cannot seal or open a record: its ${name} is not well-formed text`)
  })
  const length = fields.reduce((sum, field) => sum + LENGTH_BYTES + field.length, 0)
  const encoded = new Uint8Array(length)
  const view = new DataView(encoded.buffer)
  let at = 0
  for (const field of fields) {
    view.setUint32(at, field.length)
    encoded.set(field, at + LENGTH_BYTES)
    at += LENGTH_BYTES + field.length
  }
  return encoded
}

/** Refuses a secret that no vault takes. @throws {RangeError} */
export function checkSecretLength({ length }: Uint8Array): void {
  if (length <= LONGEST_SECRET) return
  throw new RangeError(
    `Cannot seal a secret: it is ${length} bytes long, not 0 to ${LONGEST_SECRET}`,
  )
}

/** Why a record does not open; it can be set again in each case, and in one more can be done. */
const reasons = {
  ERR_VAULT_KEY_LOST: 'the master key it was sealed with is lost; ',
  ERR_VAULT_RECORD_REFUSED:
    'its record was changed, or belongs to another job, owner, target or scheme; ',
  ERR_VAULT_NEWER: 'a newer version sealed it; start the newer Lull or ',
} as const satisfies Partial<Record<VaultErrorCode, string>>

/** The error of a record that does not open. */
export function recordError(
  code: keyof typeof reasons,
  context: SealContext,
  options?: { readonly cause?: unknown },
): VaultError {
  const { what, cure } = describe(context)
  return new VaultError(code, `Cannot open ${what}: ${reasons[code]}${cure}`, options)
}

/** What a record is, and what helps when it is lost. */
function describe({ jobId, target, scheme }: SealContext): { what: string; cure: string } {
  if (target === fileTarget) {
    return {
      what: `the name and password in the URL of file ${Number(scheme)} of job ${jobId}`,
      cure: 'set credentials for the server instead',
    }
  }
  const what =
    target === jobTarget
      ? `the ${scheme} of job ${jobId}`
      : `the ${target} credential of job ${jobId} for ${scheme}`
  return { what, cure: 'set it again' }
}
