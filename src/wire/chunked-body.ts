/** The chunked transfer coding, read. */

import type { ProtocolError } from '../base/error.ts'
import type { BodyDecoder } from './body.ts'
import { Fields } from './fields.ts'
import type { Input } from './input.ts'
import type { WireLimits } from './limits.ts'
import { CR, HTAB, LF, octetAt, SEMICOLON, skipText, SP } from './octet.ts'
import { SectionScanner } from './section-scanner.ts'
import { wireError } from './wire-error.ts'

/** What the decoder stands before. `blank` has seen white space, which only an extension may follow (BWS). */
type State =
  | 'size'
  | 'blank'
  | 'extension'
  | 'sizeLf'
  | 'data'
  | 'dataCr'
  | 'dataLf'
  | 'trailers'
  | 'whole'

/**
 * Decodes one chunked body. Extensions are skipped (RFC 9112 §7.1.1), trailers are kept apart.
 *
 * Lines end with CRLF here and with nothing else: the leave to take LF alone (§2.2) is for the lines of a head, and
 * peers that disagree on where the line of a chunk ends have been played off against each other.
 *
 * @see RFC 9112 §7.1
 */
export class ChunkedBody implements BodyDecoder {
  readonly #limits: WireLimits
  #state: State = 'size'
  /** The size as far as it was read; then how much of the chunk is left. */
  #left = 0
  #digits = 0
  #extensionBytes = 0
  #scanner: SectionScanner | undefined
  #trailers = Fields.empty

  constructor(limits: WireLimits) {
    this.#limits = limits
  }

  get trailers(): Fields {
    return this.#trailers
  }

  get shortage(): string {
    return this.#state === 'data'
      ? `${this.#left} bytes of a chunk are missing`
      : 'the last chunk is missing'
  }

  isWhole(): boolean {
    return this.#state === 'whole'
  }

  next(input: Input): Uint8Array | undefined {
    while (input.left > 0) {
      switch (this.#state) {
        case 'data':
          return this.#data(input)
        case 'extension':
          this.#extension(input)
          break
        case 'trailers':
          this.#readTrailers(input)
          break
        case 'whole':
          return undefined
        case 'size':
          this.#size(input.takeOctet())
          break
        case 'blank':
          this.#blank(input.takeOctet())
          break
        case 'sizeLf':
          this.#endLine(input.takeOctet())
          break
        case 'dataCr':
          if (input.takeOctet() !== CR) throw chunkError('its data is longer than its size')
          this.#state = 'dataLf'
          break
        case 'dataLf':
          if (input.takeOctet() !== LF) throw chunkError('its data is not followed by CRLF')
          this.#beginChunk()
          break
        default:
          this.#state satisfies never
      }
    }
    return undefined
  }

  #data(input: Input): Uint8Array {
    const count = Math.min(this.#left, input.left)
    this.#left -= count
    if (this.#left === 0) this.#state = 'dataCr'
    return input.take(count)
  }

  #beginChunk(): void {
    this.#state = 'size'
    this.#digits = 0
    this.#extensionBytes = 0
  }

  #size(octet: number): void {
    const digit = hexDigit(octet)
    if (digit >= 0) return this.#digit(digit)
    if (this.#digits === 0) throw chunkError('its size is missing')
    this.#endSize(octet)
  }

  #digit(digit: number): void {
    const { maxChunkSizeDigits } = this.#limits
    this.#digits++
    this.#left = this.#left * 16 + digit
    // RFC 9112 §7.1: recipients must expect large sizes and not overflow.
    if (this.#digits > maxChunkSizeDigits || this.#left > Number.MAX_SAFE_INTEGER) {
      throw wireError(
        'ERR_WIRE_CHUNK_SIZE_TOO_LONG',
        `Cannot read a chunk size: the limit is ${maxChunkSizeDigits} digits and 2^53 - 1`,
      )
    }
  }

  #endSize(octet: number): void {
    if (octet === CR) this.#state = 'sizeLf'
    else if (octet === SEMICOLON) this.#state = 'extension'
    else if (octet === SP || octet === HTAB) this.#state = 'blank'
    else throw chunkError('its size is not a hexadecimal number')
  }

  #endLine(octet: number): void {
    if (octet !== LF) throw chunkError('its size is not followed by CRLF')
    this.#state = this.#left === 0 ? 'trailers' : 'data'
  }

  #blank(octet: number): void {
    this.#extensionBytes++
    if (this.#extensionBytes > this.#limits.maxChunkExtensionBytes) throw this.#extensionTooLong()
    if (octet === SEMICOLON) this.#state = 'extension'
    else if (octet !== SP && octet !== HTAB) {
      throw chunkError('white space after its size is not followed by an extension')
    }
  }

  #extension(input: Input): void {
    const { bytes, at } = input
    const room = this.#limits.maxChunkExtensionBytes - this.#extensionBytes
    // One octet past the limit is looked at: it may be the CR.
    const end = skipText(bytes, at, Math.min(bytes.length, at + room + 1))
    this.#extensionBytes += end - at
    if (end - at > room) throw this.#extensionTooLong()
    input.at = end
    if (end === bytes.length) return
    if (octetAt(bytes, end) !== CR) throw chunkError('its extension holds a control character')
    this.#state = 'sizeLf'
    input.at++
  }

  #extensionTooLong(): ProtocolError {
    const limit = this.#limits.maxChunkExtensionBytes
    return wireError(
      'ERR_WIRE_CHUNK_EXTENSION_TOO_LONG',
      `Cannot read the extensions of a chunk: the limit is ${limit} bytes`,
    )
  }

  #readTrailers(input: Input): void {
    this.#scanner ??= new SectionScanner({
      hasStartLine: false,
      prefix: '',
      forgivesBareLf: false,
      maxStartLineBytes: 0,
      maxFieldBytes: this.#limits.maxFieldBytes,
      maxFields: this.#limits.maxFields,
      maxBytes: this.#limits.maxTrailerBytes,
      tooLong: 'ERR_WIRE_TRAILERS_TOO_LONG',
    })
    const trailers = this.#scanner.scan(input)
    if (trailers === undefined) return
    this.#trailers = trailers
    this.#state = 'whole'
  }
}

/** The value of a hexadecimal digit, any case; -1 for any other octet. */
function hexDigit(octet: number): number {
  if (octet >= 0x30 && octet <= 0x39) return octet - 0x30
  const lowerCase = octet | 0x20
  return lowerCase >= 0x61 && lowerCase <= 0x66 ? lowerCase - 0x57 : -1
}

function chunkError(what: string): ProtocolError {
  return wireError('ERR_WIRE_CHUNK', `Cannot read a chunk: ${what}`)
}
