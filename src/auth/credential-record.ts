/**
 * One credential as bytes, for the vault and for the way to a carrier: version 1.
 *
 * ```
 *  0   version   1 byte, 1
 *  1   kind      1 byte, its place in `kinds`
 *  2   present   1 byte, bit n: whether the field n of the kind is there; every field but an optional one is
 *  3   fields    in their order: length (32 bits, big-endian), then so many bytes; texts are UTF-8
 * ```
 *
 * What lies in a queue may have been changed by a disk or by somebody: whatever does not fit exactly is refused.
 */

import { LullError } from '../base/error.ts'
import type { Credentials } from './credentials.ts'
import { Secret } from './secret.ts'

const VERSION = 1
const HEADER_BYTES = 3
const LENGTH_BYTES = 4

/** The most bytes of a record: a password of 65,536 UTF-16 units takes less than a fifth of it. */
export const LONGEST_CREDENTIAL_RECORD = 1024 * 1024

/** Kinds by their number; a kind is only ever added at the end. */
const kinds = ['password', 'implicit', 'keytab', 'tickets', 'bearer', 'client'] as const

type Kind = Credentials['kind']

/** Bytes that are no credential. The message says what is wrong with them, and nothing of what they say. */
export class CredentialRecordError extends LullError {
  declare readonly code: 'ERR_AUTH_CREDENTIAL_RECORD'

  constructor(why: string) {
    super('ERR_AUTH_CREDENTIAL_RECORD', `Cannot read a credential: ${why}`)
  }
}

/**
 * Writes a credential as bytes.
 *
 * @returns a new array, as secret as the credential, which the caller wipes
 * @throws {RangeError} when it would be longer than {@link LONGEST_CREDENTIAL_RECORD}
 * @throws {TypeError} when a name holds half a surrogate pair, which UTF-8 cannot tell from another
 */
export function encodeCredentials(credentials: Credentials): Uint8Array {
  const fields = fieldsOf(credentials)
  let length = HEADER_BYTES
  for (const field of fields) length += field === undefined ? 0 : LENGTH_BYTES + field.length
  if (length > LONGEST_CREDENTIAL_RECORD) {
    throw new RangeError(
      `Cannot keep a credential: it takes ${length} bytes, ${LONGEST_CREDENTIAL_RECORD} is the most`,
    )
  }
  const record = new Uint8Array(length)
  const view = new DataView(record.buffer)
  record[0] = VERSION
  record[1] = kinds.indexOf(credentials.kind)
  let at = HEADER_BYTES
  for (const [place, field] of fields.entries()) {
    if (field === undefined) continue
    record[2] = (record[2] ?? 0) | (1 << place)
    view.setUint32(at, field.length)
    at += LENGTH_BYTES
    if (field instanceof Secret) field.use((bytes) => record.set(bytes, at))
    else record.set(field, at)
    at += field.length
  }
  return record
}

/**
 * Reads what {@link encodeCredentials} wrote.
 *
 * @param record stays the caller's, who wipes it; what is secret is copied out of it
 * @returns a credential whose secrets belong to the caller
 * @throws {CredentialRecordError}
 */
export function decodeCredentials(record: Uint8Array): Credentials {
  if (record.length > LONGEST_CREDENTIAL_RECORD) throw new CredentialRecordError('it is too long')
  const [version, number = kinds.length, present = 0] = record
  if (version !== VERSION) throw new CredentialRecordError('its version is unknown')
  const kind = kinds[number]
  if (kind === undefined || record.length < HEADER_BYTES) {
    throw new CredentialRecordError('its kind is unknown')
  }
  const fields = new RecordFields(record, present)
  const credentials = build(kind, fields)
  fields.end()
  return credentials
}

/** A field as it is written: a secret is copied only into the record. */
type Field = Uint8Array | Secret | undefined

/** The fields of each kind, in the order in which {@link build} reads them. */
function fieldsOf(credentials: Credentials): readonly Field[] {
  switch (credentials.kind) {
    case 'password':
      return [text(credentials.userName), credentials.password]
    case 'implicit':
      return []
    case 'keytab':
      return [text(credentials.principal), text(credentials.keytab)]
    case 'tickets':
      return [text(credentials.cache), optionalText(credentials.principal)]
    case 'bearer':
      return [credentials.token]
    case 'client':
      return [
        text(credentials.clientId),
        credentials.clientSecret,
        text(credentials.tokenUrl),
        optionalText(credentials.scope),
      ]
    default:
      return credentials satisfies never
  }
}

function build(kind: Kind, fields: RecordFields): Credentials {
  switch (kind) {
    case 'password':
      return { kind, userName: fields.text(), password: fields.secret() }
    case 'implicit':
      return { kind }
    case 'keytab':
      return { kind, principal: fields.text(), keytab: fields.text() }
    case 'tickets': {
      const cache = fields.text()
      const principal = fields.optionalText()
      return { kind, cache, ...(principal === undefined ? {} : { principal }) }
    }
    case 'bearer':
      return { kind, token: fields.secret() }
    case 'client': {
      const clientId = fields.text()
      const clientSecret = fields.secret()
      const tokenUrl = fields.text()
      const scope = fields.optionalText()
      return { kind, clientId, clientSecret, tokenUrl, ...(scope === undefined ? {} : { scope }) }
    }
    default:
      return kind satisfies never
  }
}

function text(value: string): Uint8Array {
  if (value.isWellFormed()) return new TextEncoder().encode(value)
  throw new TypeError('Cannot keep a credential: a name in it is not well-formed text')
}

function optionalText(value: string | undefined): Uint8Array | undefined {
  return value === undefined ? undefined : text(value)
}

/** Reads fields one after another. Secrets that were read before something was refused are wiped. */
class RecordFields {
  readonly #record: Uint8Array
  readonly #present: number
  readonly #secrets: Secret[] = []
  #place = 0
  #at = HEADER_BYTES

  constructor(record: Uint8Array, present: number) {
    this.#record = record
    this.#present = present
  }

  text(): string {
    return this.optionalText() ?? this.#refuse('a field is missing')
  }

  optionalText(): string | undefined {
    const bytes = this.#next()
    if (bytes === undefined) return undefined
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    } catch {
      return this.#refuse('a name is not UTF-8')
    }
  }

  secret(): Secret {
    const bytes = this.#next() ?? this.#refuse('a field is missing')
    const secret = new Secret(bytes.slice())
    this.#secrets.push(secret)
    return secret
  }

  /** Refuses what follows the last field. */
  end(): void {
    const isAtEnd = this.#at === this.#record.length && this.#present >> this.#place === 0
    if (!isAtEnd) this.#refuse('it is longer than its fields')
  }

  /** The bytes of the next field, within the record. */
  #next(): Uint8Array | undefined {
    const isPresent = (this.#present & (1 << this.#place)) !== 0
    this.#place += 1
    if (!isPresent) return undefined
    const start = this.#at + LENGTH_BYTES
    if (start > this.#record.length) return this.#refuse('it ends within a field')
    const { buffer, byteOffset } = this.#record
    const length = new DataView(buffer, byteOffset).getUint32(this.#at)
    if (length > this.#record.length - start) return this.#refuse('it ends within a field')
    this.#at = start + length
    return this.#record.subarray(start, this.#at)
  }

  #refuse(why: string): never {
    for (const secret of this.#secrets) secret.wipe()
    throw new CredentialRecordError(why)
  }
}
