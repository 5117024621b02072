/** What of a certificate Node does not tell: its issuer and number as they were written, and its extensions. */

import type { X509Certificate } from 'node:crypto'
import { contextTag, decodeOid, DerReader, derTags } from '../../auth/spnego/der.ts'

/** An extension (RFC 5280 §4.2). */
export interface Extension {
  /** Whether who does not know it must not use what it is in. */
  readonly isCritical: boolean
  /** The content of its OCTET STRING. */
  readonly value: Uint8Array
}

/** Extensions by their object identifiers, dotted. */
export type Extensions = ReadonlyMap<string, Extension>

/** Parts of a certificate; views of its bytes. */
export interface CertificateParts {
  /** The content of the INTEGER. */
  readonly serial: Uint8Array
  /** The elements of the names, whole. */
  readonly issuer: Uint8Array
  readonly subject: Uint8Array
  readonly extensions: Extensions
}

/** Identifier octets that {@link derTags} does not have. */
export const certificateTags = { boolean: 0x01, integer: 0x02, utcTime: 0x17, generalizedTime: 0x18 } as const // prettier-ignore

const oids = {
  keyUsage: '2.5.29.15',
  basicConstraints: '2.5.29.19',
  distributionPoints: '2.5.29.31',
} as const

/** The bit for signing lists of revoked certificates (RFC 5280 §4.2.1.3). */
const CRL_SIGN = 0x02

/** @throws {ProtocolError} `ERR_DER_TAG` and its kin when it is no certificate */
export function partsOf({ raw }: X509Certificate): CertificateParts {
  const fields = new DerReader(raw).enter(derTags.sequence).enter(derTags.sequence)
  fields.optional(contextTag(0)) // version
  const serial = fields.content(certificateTags.integer)
  fields.content(derTags.sequence) // signature
  const issuer = fields.element(derTags.sequence)
  fields.content(derTags.sequence) // validity
  const subject = fields.element(derTags.sequence)
  fields.content(derTags.sequence) // subjectPublicKeyInfo
  let extensions: Extensions = new Map()
  while (fields.nextTag !== undefined) {
    const tag = fields.nextTag
    if (tag === contextTag(3)) extensions = readExtensions(fields.enter(tag))
    else fields.content(tag) // unique identifiers
  }
  return { serial, issuer, subject, extensions }
}

/** @throws {ProtocolError} `ERR_DER_TAG` and its kin */
export function readExtensions(around: DerReader): Extensions {
  const extensions = new Map<string, Extension>()
  const list = around.enter(derTags.sequence)
  while (!list.atEnd) {
    const fields = list.enter(derTags.sequence)
    const id = decodeOid(fields.content(derTags.oid))
    const isCritical = (fields.optional(certificateTags.boolean)?.[0] ?? 0) !== 0
    extensions.set(id, { isCritical, value: fields.content(derTags.octetString) })
  }
  return extensions
}

/** Whether the key may sign lists of revoked certificates. @throws {ProtocolError} `ERR_DER_TAG` and its kin */
export function maySignLists({ extensions }: CertificateParts): boolean {
  const usage = extensions.get(oids.keyUsage)
  // Without the extension it is for everything. The first octet of the bits is behind the count of unused ones.
  if (usage === undefined) return true
  return ((new DerReader(usage.value).content(derTags.bitString)[1] ?? 0) & CRL_SIGN) !== 0
}

/**
 * How many authorities may stand below this one (RFC 5280 §4.2.1.9).
 *
 * @returns `Infinity` when it does not say
 * @throws {ProtocolError} `ERR_DER_TAG` and its kin
 */
export function pathLengthOf({ extensions }: CertificateParts): number {
  const constraints = extensions.get(oids.basicConstraints)
  if (constraints === undefined) return Infinity
  const fields = new DerReader(constraints.value).enter(derTags.sequence)
  fields.optional(certificateTags.boolean) // cA
  const length = fields.optional(certificateTags.integer)
  return length?.reduce((sum, octet) => sum * 256 + octet, 0) ?? Infinity
}

/** Where a list of revoked certificates is that tells of one (RFC 5280 §4.2.1.13). */
export interface DistributionPoint {
  /** The elements of its names, whole. */
  readonly names: readonly Uint8Array[]
  /** Those of them that are URLs, in their order. */
  readonly urls: readonly string[]
}

/**
 * Where the lists are that the issuer itself signs and that tell of every reason; others are left out.
 *
 * @throws {ProtocolError} `ERR_DER_TAG` and its kin
 */
export function distributionPointsOf({
  extensions,
}: CertificateParts): readonly DistributionPoint[] {
  const extension = extensions.get(oids.distributionPoints)
  if (extension === undefined) return []
  const points: DistributionPoint[] = []
  const list = new DerReader(extension.value).enter(derTags.sequence)
  while (!list.atEnd) {
    const fields = list.enter(derTags.sequence)
    const names =
      fields.nextTag === contextTag(0) ? readPointNames(fields.enter(contextTag(0))) : []
    // Behind the names: only some reasons, or a list of somebody else's.
    if (fields.atEnd && names.length > 0) points.push({ names, urls: urlsIn(names) })
  }
  return points
}

/** The full names of a DistributionPointName; none of one that is relative to its issuer. */
export function readPointNames(point: DerReader): readonly Uint8Array[] {
  if (point.nextTag !== contextTag(0)) return []
  const list = point.enter(contextTag(0))
  const names: Uint8Array[] = []
  for (let tag = list.nextTag; tag !== undefined; tag = list.nextTag) names.push(list.element(tag))
  return names
}

/** `[6]`, the URL among the kinds of names (RFC 5280 §4.2.1.6). */
const URL_NAME = 0x86

function urlsIn(names: readonly Uint8Array[]): readonly string[] {
  return names
    .filter(([tag]) => tag === URL_NAME)
    .map((name) => Buffer.from(new DerReader(name).content(URL_NAME)).toString('latin1'))
}
