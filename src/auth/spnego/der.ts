/** As much of ASN.1's Distinguished Encoding Rules (X.690) as tokens and certificates need, with limits. */

import { ProtocolError } from '../../base/error.ts'
import { joinBytes } from '../ntlm/bytes.ts'

/** Identifier octets. */
export const derTags = {
  octetString: 0x04,
  oid: 0x06,
  enumerated: 0x0a,
  generalString: 0x1b,
  bitString: 0x03,
  sequence: 0x30,
} as const

/** The identifier octet of `[number]`, constructed. */
export function contextTag(number: number): number {
  return 0xa0 | number
}

/** Deeper than any token or certificate that is read here. */
const maximumDepth = 16

/** X.690 §8.1.2.4: identifiers of more than one octet begin like this. */
const manyOctetTag = 0x1f

/**
 * Reads elements one after the other. Takes the long forms of lengths that BER allows and DER does not, because senders
 * use them (A281); a length is never taken beyond the end, and never indefinite.
 */
export class DerReader {
  readonly #bytes: Uint8Array
  readonly #depth: number
  #offset = 0

  /** @param bytes not copied, and what is read out of them is not either */
  constructor(bytes: Uint8Array, depth = 0) {
    this.#bytes = bytes
    this.#depth = depth
  }

  /** Whether everything has been read. */
  get atEnd(): boolean {
    return this.#offset >= this.#bytes.length
  }

  /** The identifier octet of the next element; `undefined` at the end. */
  get nextTag(): number | undefined {
    return this.#bytes[this.#offset]
  }

  /**
   * The content of the next element.
   *
   * @throws {ProtocolError} `ERR_DER_TAG` when it is another element or none, `ERR_DER_LENGTH` when its length is
   *   indefinite or absurd, `ERR_DER_TRUNCATED` when it is cut off
   */
  content(tag: number): Uint8Array {
    const found = this.nextTag
    if (found !== tag || (found & manyOctetTag) === manyOctetTag) {
      throw new ProtocolError(
        'ERR_DER_TAG',
        `Cannot read an element: expected tag ${tag}, found ${found ?? 'the end'}`,
      )
    }
    this.#offset++
    const length = this.#length()
    const start = this.#offset
    if (length > this.#bytes.length - start) {
      throw new ProtocolError(
        'ERR_DER_TRUNCATED',
        `Cannot read an element: ${length} bytes promised, ${this.#bytes.length - start} there`,
      )
    }
    this.#offset = start + length
    return this.#bytes.subarray(start, this.#offset)
  }

  /** The content of the next element if it has this tag. @throws {ProtocolError} as {@link content} */
  optional(tag: number): Uint8Array | undefined {
    return this.nextTag === tag ? this.content(tag) : undefined
  }

  /** A reader of what is in the next element. @throws {ProtocolError} as {@link content}; `ERR_DER_DEPTH` */
  enter(tag: number): DerReader {
    if (this.#depth >= maximumDepth) {
      throw new ProtocolError(
        'ERR_DER_DEPTH',
        `Cannot read an element: deeper than ${maximumDepth}`,
      )
    }
    return new DerReader(this.content(tag), this.#depth + 1)
  }

  /** As {@link enter}, if the next element has this tag. */
  enterOptional(tag: number): DerReader | undefined {
    return this.nextTag === tag ? this.enter(tag) : undefined
  }

  /** The next element whole, with tag and length. @throws {ProtocolError} as {@link content} */
  element(tag: number): Uint8Array {
    const start = this.#offset
    this.content(tag)
    return this.#bytes.subarray(start, this.#offset)
  }

  /** X.690 §8.1.3. */
  #length(): number {
    const first = this.#bytes[this.#offset++] ?? 0
    if (first < 0x80) return first
    const count = first & 0x7f
    if (count === 0 || count > 4) {
      throw new ProtocolError(
        'ERR_DER_LENGTH',
        `Cannot read an element: its length has ${count === 0 ? 'no' : count} octets`,
      )
    }
    let length = 0
    for (let octet = 0; octet < count; octet++) {
      length = length * 256 + (this.#bytes[this.#offset++] ?? 0)
    }
    return length
  }
}

/** One element: tag, the shortest length that fits, and the contents one after the other. */
export function encodeDer(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const length = contents.reduce((sum, { length }) => sum + length, 0)
  return joinBytes(new Uint8Array([tag, ...encodeLength(length)]), ...contents)
}

function encodeLength(length: number): readonly number[] {
  if (length < 0x80) return [length]
  const octets: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256)
  return [0x80 | octets.length, ...octets]
}

/** More than any mechanism or algorithm has. */
const maximumOidBytes = 64

/**
 * An object identifier in dotted form, from the content of its element.
 *
 * @throws {ProtocolError} `ERR_DER_OID` when it is empty, cut off, or longer than 64 bytes
 */
export function decodeOid(content: Uint8Array): string {
  const last = content.at(-1)
  if (last === undefined || last >= 0x80 || content.length > maximumOidBytes) {
    throw new ProtocolError(
      'ERR_DER_OID',
      `Cannot read an object identifier: ${content.length} bytes`,
    )
  }
  const arcs: bigint[] = []
  let arc = 0n
  for (const octet of content) {
    arc = (arc << 7n) | BigInt(octet & 0x7f)
    if (octet >= 0x80) continue
    arcs.push(arc)
    arc = 0n
  }
  const [joined = 0n, ...others] = arcs
  // X.690 §8.19.4: the first two arcs are one number.
  const first = joined < 80n ? joined / 40n : 2n
  return [first, joined - first * 40n, ...others].join('.')
}

/** The element of an object identifier in dotted form. */
export function encodeOid(dotted: string): Uint8Array {
  const [first = 0n, second = 0n, ...others] = dotted.split('.').map(BigInt)
  const octets = [first * 40n + second, ...others].flatMap(encodeArc)
  return encodeDer(derTags.oid, new Uint8Array(octets))
}

function encodeArc(arc: bigint): readonly number[] {
  const octets = [Number(arc & 0x7fn)]
  for (let rest = arc >> 7n; rest > 0n; rest >>= 7n) octets.unshift(0x80 | Number(rest & 0x7fn))
  return octets
}
