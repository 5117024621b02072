/**
 * Digests that a server sends along, and digests that a person gives.
 *
 * | field          | covers                                              | standard             |
 * |----------------|-----------------------------------------------------|----------------------|
 * | Repr-Digest    | the whole representation, whatever part is sent     | RFC 9530 §3          |
 * | Content-Digest | the content of this one message                     | RFC 9530 §2          |
 * | Digest         | the whole instance, as Repr-Digest                  | RFC 3230 §4.3.2      |
 * | Content-MD5    | the body of this one message                        | RFC 1864, RFC 2616 §14.15 |
 *
 * All of them count bytes as they are sent, with a content coding still on: a receiver that decodes gzip must not hold
 * them against what it has decoded.
 *
 * A server's digest is advice (RFC 9530 §2: a recipient may ignore any or all). So a field that cannot be read is as good
 * as absent, and a digest of an unknown algorithm or of a wrong length is listed and left out: neither ever fails a
 * transfer. A digest that *can* be read and does not agree with the bytes is for the caller to act upon. The older
 * algorithms find broken transfers and prove nothing against somebody who wants to deceive (RFC 9530 §5).
 */

import { MisuseError, ProtocolError } from '../base/error.ts'
import { decodeBase64 } from './base64.ts'
import { excerpt } from './excerpt.ts'
import {
  DICTIONARY_MEMBERS,
  LONGEST_STRUCTURED_FIELD,
  parseDictionary,
} from './structured-field.ts'

/** Every algorithm that is understood, strongest first. */
export const digestAlgorithms = ['sha-512', 'sha-256', 'sha-1', 'md5'] as const

/** One of {@link digestAlgorithms}. */
export type DigestAlgorithm = (typeof digestAlgorithms)[number]

/** What an algorithm made of some bytes. */
export interface Digest {
  readonly algorithm: DigestAlgorithm
  /** As long as the algorithm says. */
  readonly bytes: Uint8Array
}

/** What one field brought. */
export interface DigestField {
  /** Strongest first, one per algorithm. */
  readonly digests: readonly Digest[]
  /** The algorithms, as written, whose values are unknown or not as long as they must be. */
  readonly ignored: readonly string[]
}

/** Lengths in bytes. */
const lengths: Readonly<Record<DigestAlgorithm, number>> = {
  'sha-512': 64,
  'sha-256': 32,
  'sha-1': 20,
  md5: 16,
}

/** Keys that RFC 9530 §5 calls active; the deprecated ones must not be relied upon in these fields. */
const integrityNames: ReadonlyMap<string, DigestAlgorithm> = new Map([
  ['sha-512', 'sha-512'],
  ['sha-256', 'sha-256'],
])

/** Algorithm names of RFC 3230 §4.1.1 and RFC 5843, lower case. */
const legacyNames: ReadonlyMap<string, DigestAlgorithm> = new Map([
  ...integrityNames,
  ['sha', 'sha-1'],
  ['md5', 'md5'],
])

/** How people write the names, lower case. */
const optionNames: ReadonlyMap<string, DigestAlgorithm> = new Map([
  ...legacyNames,
  ['sha512', 'sha-512'],
  ['sha256', 'sha-256'],
  ['sha-1', 'sha-1'],
  ['sha1', 'sha-1'],
  ['md-5', 'md5'],
])

/**
 * Reads an integrity field, Repr-Digest or Content-Digest: the algorithms sha-512 and sha-256.
 *
 * @param value all lines of the field, joined with `, `; `undefined` when it was absent
 * @returns `undefined` when the field is absent or cannot be read
 * @see RFC 9530 §2, §3
 */
export function parseIntegrityField(value: string | undefined): DigestField | undefined {
  if (value === undefined) return undefined
  try {
    return select(parseDictionary(value), integrityNames)
  } catch (error) {
    if (error instanceof ProtocolError) return undefined
    throw error
  }
}

/**
 * Reads a Digest field of the obsolete RFC 3230: `SHA-512`, `SHA-256`, `SHA` and `MD5` in any case, each with its digest
 * in base64.
 *
 * @param value all lines of the field, joined with `, `; `undefined` when it was absent
 * @returns `undefined` when the field is absent or cannot be read; of two values for one algorithm the last counts
 * @see RFC 3230 §4.3.2, RFC 5843
 */
export function parseLegacyDigest(value: string | undefined): DigestField | undefined {
  if (value === undefined || value.length > LONGEST_STRUCTURED_FIELD) return undefined
  const members = new Map<string, Uint8Array | undefined>()
  const instanceDigests = value.split(',')
  if (instanceDigests.length > DICTIONARY_MEMBERS) return undefined
  for (const instanceDigest of instanceDigests) {
    const [, name, encoded = ''] = /^([\w.*+-]+)=(\S*)$/.exec(instanceDigest.trim()) ?? []
    if (name !== undefined) members.set(name.toLowerCase(), decodeBase64(encoded))
    // A recipient ignores empty list elements (RFC 9110 §5.6.1.2).
    else if (instanceDigest.trim() !== '') return undefined
  }
  return select(members, legacyNames)
}

/**
 * Reads a Content-MD5 field.
 *
 * @param value `undefined` when it was absent
 * @returns `undefined` when the field is absent or is not 16 bytes in base64
 * @see RFC 1864 §2
 */
export function parseContentMd5(value: string | undefined): Digest | undefined {
  const bytes = value === undefined ? undefined : decodeBase64(value)
  return bytes?.length === lengths.md5 ? { algorithm: 'md5', bytes } : undefined
}

/** What most servers say. */
const noDigests: readonly Digest[] = []

/** Everything a response says about digests, each field with all its lines joined with `, `. */
export interface DigestFieldValues {
  readonly reprDigest?: string | undefined
  readonly contentDigest?: string | undefined
  readonly digest?: string | undefined
  readonly contentMd5?: string | undefined
}

/**
 * The digests that hold for the whole file, not only for the part that one response carries.
 *
 * Of a 206 that is Repr-Digest and Digest: its Content-Digest covers the part (RFC 9530 §B.3), and what Content-MD5 of a
 * part covers was never agreed upon (RFC 7231 Appendix B). The Content-Digest of the answer to HEAD is that of no content
 * at all (RFC 9530 §B.2). Any other status than 200 and 206 speaks of something else than the file.
 *
 * @param status of the final response
 * @param method of the request
 * @returns strongest algorithm first; of fields that name the same algorithm the one that stands higher in the table at
 *   the top of this file. The first digest is the one worth checking
 */
export function wholeFileDigests(
  status: number,
  fields: DigestFieldValues,
  method: 'GET' | 'HEAD' = 'GET',
): readonly Digest[] {
  if (status !== 200 && status !== 206) return noDigests
  const { reprDigest, contentDigest, digest, contentMd5: md5 } = fields
  if ((reprDigest ?? contentDigest ?? digest ?? md5) === undefined) return noDigests
  const found = [...(parseIntegrityField(fields.reprDigest)?.digests ?? [])]
  if (status === 200 && method === 'GET') {
    found.push(...(parseIntegrityField(fields.contentDigest)?.digests ?? []))
  }
  found.push(...(parseLegacyDigest(fields.digest)?.digests ?? []))
  const contentMd5 = status === 200 ? parseContentMd5(fields.contentMd5) : undefined
  if (contentMd5 !== undefined) found.push(contentMd5)
  return strongestFirst(found)
}

/**
 * Reads a digest that a person gives: `sha256:` and hexadecimal, or hexadecimal alone, whose length tells the algorithm.
 *
 * Names are those of {@link digestAlgorithms} in any case, with or without the hyphen, `sha` for `sha-1`, and `=` does as
 * well as `:`.
 *
 * @throws {MisuseError} `ERR_WIRE_DIGEST_OPTION` when the algorithm is unknown, or what follows is not hexadecimal or
 *   not as long as the algorithm says
 */
export function parseDigestOption(text: string): Digest {
  const [, name, hex] = /^(?:([^:=]*)[:=])?([0-9a-f]*)$/i.exec(text.trim()) ?? []
  if (hex === undefined || hex.length % 2 !== 0) {
    throw optionError(`algorithm:hexadecimal was expected: ${excerpt(text)}`)
  }
  const length = hex.length / 2
  const algorithm =
    name === undefined
      ? digestAlgorithms.find((algorithm) => lengths[algorithm] === length)
      : optionNames.get(name.trim().toLowerCase())
  if (algorithm === undefined) {
    throw optionError(`only ${digestAlgorithms.join(', ')} can be checked: ${excerpt(text)}`)
  }
  if (lengths[algorithm] !== length) {
    throw optionError(`${algorithm} has ${lengths[algorithm]} bytes: ${length}`)
  }
  return { algorithm, bytes: decodeHex(hex) }
}

/** The bytes of a digest as lower-case hexadecimal. */
export function formatDigestHex({ bytes }: Digest): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function select(
  members: ReadonlyMap<string, Uint8Array | undefined>,
  names: ReadonlyMap<string, DigestAlgorithm>,
): DigestField {
  const digests: Digest[] = []
  const ignored: string[] = []
  for (const [name, bytes] of members) {
    const algorithm = names.get(name)
    if (algorithm !== undefined && bytes?.length === lengths[algorithm]) {
      digests.push({ algorithm, bytes })
    } else ignored.push(name)
  }
  return { digests: strongestFirst(digests), ignored }
}

/** One digest per algorithm, the first that is found, in the order of {@link digestAlgorithms}. */
export function strongestFirst(digests: readonly Digest[]): readonly Digest[] {
  return digestAlgorithms.flatMap(
    (algorithm) => digests.find((digest) => digest.algorithm === algorithm) ?? [],
  )
}

function decodeHex(hex: string): Uint8Array {
  return Uint8Array.from({ length: hex.length / 2 }, (_, index) =>
    Number.parseInt(hex.slice(index * 2, index * 2 + 2), 16),
  )
}

function optionError(reason: string): MisuseError {
  return new MisuseError('ERR_WIRE_DIGEST_OPTION', `Cannot use a digest, ${reason}`)
}
