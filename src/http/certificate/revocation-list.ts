/** A list of revoked certificates (CRL, RFC 5280 §5): what it says, of whom, and until when. */

import type { X509Certificate } from 'node:crypto'
import { contextTag, DerReader, derTags } from '../../auth/spnego/der.ts'
import { ProtocolError } from '../../base/error.ts'
import {
  certificateTags,
  maySignLists,
  readExtensions,
  readPointNames,
  type CertificateParts,
  type DistributionPoint,
  type Extension,
  type Extensions,
} from './extensions.ts'
import { parseTime } from './time.ts'
import { isSignedBy, type Signed } from './signature.ts'

const oids = { issuingPoint: '2.5.29.28' } as const

/** `[n]`, not constructed. */
const primitiveTag = (number: number): number => 0x80 | number

/** What a list is about (RFC 5280 §5.2.5); without the extension, everything its issuer has issued. */
interface Scope {
  /** The elements of the names of its distribution point; `undefined` when it does not say. */
  readonly names: readonly Uint8Array[] | undefined
  readonly isOf: 'all' | 'users' | 'authorities'
}

/** A certificate whose state is asked for. */
export interface Questioned {
  readonly certificate: X509Certificate
  readonly parts: CertificateParts
  /** Where the list came from. */
  readonly point: DistributionPoint
}

/** Who has issued it. */
export interface Issuer {
  readonly certificate: X509Certificate
  readonly parts: CertificateParts
}

/** One list. */
export class RevocationList {
  /** Until when it counts, milliseconds since 1970; `undefined` when it does not say. */
  readonly nextUpdate: number | undefined
  /** Bytes of it. */
  readonly size: number
  readonly #thisUpdate: number
  readonly #issuer: Uint8Array
  readonly #entries: Uint8Array
  readonly #extensions: Extensions
  readonly #signed: Signed
  /** SHA-256 of the certificates whose key has signed it: to hash a long list takes a while. */
  readonly #signers = new Set<string>()

  /**
   * @param bytes DER; kept
   * @throws {ProtocolError} `ERR_DER_TAG` and its kin when it is no list
   */
  constructor(bytes: Uint8Array) {
    this.size = bytes.length
    const whole = new DerReader(bytes).enter(derTags.sequence)
    const content = whole.element(derTags.sequence)
    const algorithm = whole.element(derTags.sequence)
    this.#signed = { content, algorithm, signature: whole.content(derTags.bitString) }
    const fields = new DerReader(content).enter(derTags.sequence)
    fields.optional(certificateTags.integer) // version
    if (!isEqual(fields.element(derTags.sequence), algorithm)) {
      throw new ProtocolError('ERR_CRL', 'Cannot read a list: it names two algorithms')
    }
    this.#issuer = fields.element(derTags.sequence)
    this.#thisUpdate = parseTime(fields)
    const { nextTag } = fields
    const isUpdated = nextTag === certificateTags.utcTime || nextTag === certificateTags.generalizedTime // prettier-ignore
    this.nextUpdate = isUpdated ? parseTime(fields) : undefined
    this.#entries = fields.optional(derTags.sequence) ?? new Uint8Array()
    const extensions = fields.enterOptional(contextTag(0))
    this.#extensions = extensions === undefined ? new Map() : readExtensions(extensions)
  }

  /**
   * Why the list says nothing about a certificate now; `undefined` when it does.
   *
   * @param now milliseconds since 1970
   * @throws {ProtocolError} `ERR_DER_TAG` and its kin
   */
  uselessFor(question: Questioned, issuer: Issuer, now: number): string | undefined {
    if (now < this.#thisUpdate) return 'it is not valid yet'
    if (this.nextUpdate !== undefined && now > this.nextUpdate) {
      return `it has expired on ${new Date(this.nextUpdate).toISOString()}`
    }
    if (!isEqual(this.#issuer, question.parts.issuer)) return 'it is of another issuer'
    if (!this.#isSignedBy(issuer)) return 'its issuer has not signed it'
    const scope = this.#scope()
    if (scope === undefined) return 'it tells only a part of what was revoked'
    const { names, isOf } = scope
    const isNamed = names?.some((name) => question.point.names.some((one) => isEqual(one, name)))
    const isOther = isOf !== 'all' && (isOf === 'authorities') !== question.certificate.ca
    return isNamed === false || isOther ? 'it is about other certificates' : undefined
  }

  /** Whether a number is in the list. @throws {ProtocolError} `ERR_DER_TAG` and its kin */
  has({ serial }: CertificateParts): boolean {
    // Lists are long, and mostly a certificate is in none: where its octets are not, there is no entry either.
    if (Buffer.from(this.#entries.buffer, this.#entries.byteOffset, this.#entries.length).indexOf(serial) === -1) return false // prettier-ignore
    const entries = new DerReader(this.#entries)
    while (!entries.atEnd) {
      const found = entries.enter(derTags.sequence).content(certificateTags.integer)
      if (isEqual(found, serial)) return true
    }
    return false
  }

  #isSignedBy({ certificate, parts }: Issuer): boolean {
    if (this.#signers.has(certificate.fingerprint256)) return true
    if (!maySignLists(parts) || !isSignedBy(this.#signed, certificate.publicKey)) return false
    this.#signers.add(certificate.fingerprint256)
    return true
  }

  /** `undefined` for a list that somebody else's certificates are in, or that has only what changed or some reasons. */
  #scope(): Scope | undefined {
    const unknown = [...this.#extensions].some(([id, { isCritical }]) => isCritical && id !== oids.issuingPoint) // prettier-ignore
    if (unknown) return undefined
    const point = this.#extensions.get(oids.issuingPoint)
    return point === undefined ? { names: undefined, isOf: 'all' } : readScope(point)
  }
}

function readScope({ value }: Extension): Scope | undefined {
  const fields = new DerReader(value).enter(derTags.sequence)
  let names: readonly Uint8Array[] | undefined
  let isOf: Scope['isOf'] = 'all'
  for (let tag = fields.nextTag; tag !== undefined; tag = fields.nextTag) {
    if (tag === contextTag(0)) {
      names = readPointNames(fields.enter(tag))
      continue
    }
    const isSet = fields.content(tag)[0] !== 0
    if (tag === primitiveTag(1)) isOf = isSet ? 'users' : isOf
    else if (tag === primitiveTag(2)) isOf = isSet ? 'authorities' : isOf
    // Only some reasons; of others' certificates; of attributes.
    else if (tag === primitiveTag(3) || isSet) return undefined
  }
  return { names, isOf }
}

function isEqual(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0
}
