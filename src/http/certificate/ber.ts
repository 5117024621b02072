/** BER as DER (X.690 §8, §10): PKCS#12 files of some programs use the freedoms that DER takes away. */

import { ProtocolError } from '../../base/error.ts'
import { DerReader, encodeDer } from '../../auth/spnego/der.ts'

const CONSTRUCTED = 0x20
const OCTET_STRING = 0x04
const INDEFINITE = 0x80
const LONG_TAG = 0x1f

/** No file nests as deep. */
const MAX_DEPTH = 32

/** Reads elements written in BER. What is inside octet strings is bytes to it, and has to be given to it again. */
export function readBer(bytes: Uint8Array): DerReader {
  return new DerReader(new Rewriter(bytes).all())
}

/** Writes elements again: with lengths that are definite, octet strings in one piece. */
class Rewriter {
  readonly #bytes: Uint8Array
  readonly #depth: number
  #at = 0

  constructor(bytes: Uint8Array, depth = 0) {
    if (depth > MAX_DEPTH) throw broken(`deeper than ${MAX_DEPTH}`)
    this.#bytes = bytes
    this.#depth = depth
  }

  all(): Uint8Array {
    const elements: Uint8Array[] = []
    while (this.#at < this.#bytes.length) elements.push(this.#element())
    return Buffer.concat(elements)
  }

  #element(): Uint8Array {
    const tag = this.#octet()
    if ((tag & LONG_TAG) === LONG_TAG) throw broken('a tag of several octets')
    const first = this.#octet()
    if (first === INDEFINITE) return this.#indefinite(tag)
    const content = this.#take(first < INDEFINITE ? first : this.#longLength(first & 0x7f))
    if ((tag & CONSTRUCTED) === 0) return encodeDer(tag, content)
    return build(tag, new Rewriter(content, this.#depth + 1).#elements())
  }

  #elements(): readonly Uint8Array[] {
    const elements: Uint8Array[] = []
    while (this.#at < this.#bytes.length) elements.push(this.#element())
    return elements
  }

  /** X.690 §8.1.3.6: up to two zero octets. */
  #indefinite(tag: number): Uint8Array {
    if ((tag & CONSTRUCTED) === 0) throw broken('bytes without a length')
    const inside = new Rewriter(this.#bytes.subarray(this.#at), this.#depth + 1)
    const elements: Uint8Array[] = []
    while (!inside.#isAtEndMark()) elements.push(inside.#element())
    this.#at += inside.#at + 2
    return build(tag, elements)
  }

  #isAtEndMark(): boolean {
    if (this.#at + 2 > this.#bytes.length) throw broken('cut off')
    return this.#bytes[this.#at] === 0 && this.#bytes[this.#at + 1] === 0
  }

  #longLength(octets: number): number {
    if (octets > 4) throw broken(`a length of ${octets} octets`)
    let length = 0
    for (let place = 0; place < octets; place++) length = length * 256 + this.#octet()
    return length
  }

  #octet(): number {
    return this.#take(1)[0] ?? 0
  }

  #take(length: number): Uint8Array {
    if (length > this.#bytes.length - this.#at) throw broken('cut off')
    return this.#bytes.subarray(this.#at, (this.#at += length))
  }
}

/** X.690 §8.7.3: an octet string may come in pieces. */
function build(tag: number, elements: readonly Uint8Array[]): Uint8Array {
  if (tag !== (OCTET_STRING | CONSTRUCTED)) return encodeDer(tag, ...elements)
  return encodeDer(
    OCTET_STRING,
    ...elements.map((piece) => new DerReader(piece).content(OCTET_STRING)),
  )
}

function broken(why: string): ProtocolError {
  return new ProtocolError('ERR_BER', `Cannot read an element: ${why}`)
}
