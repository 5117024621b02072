/** What the three messages of NTLM have in common: signature, type, and fields that point into a payload. */

import { MisuseError, ProtocolError } from '../../base/error.ts'
import { joinBytes, viewOf } from './bytes.ts'

/** The messages by name, with the number each carries (MS-NLMP §2.2.1). */
export const messageTypes = { NEGOTIATE: 1, CHALLENGE: 2, AUTHENTICATE: 3 } as const

/** The name of one message. */
export type MessageType = keyof typeof messageTypes

/** `NTLMSSP` and a zero; also what tells a raw NTLM token from SPNEGO (A288). */
export const signature: Uint8Array = new TextEncoder().encode('NTLMSSP\0')

/** More than any honest message needs: two responses and five names of at most 65,535 bytes are never all long. */
export const maximumMessageBytes = 65_536

const maximumFieldBytes = 0xffff

/** Whether a token is an NTLM message of this type. Looks at the first twelve bytes only. */
export function isNtlmMessage(token: Uint8Array, type?: MessageType): boolean {
  if (token.length < 12 || !signature.every((byte, index) => token[index] === byte)) return false
  return type === undefined || viewOf(token).getUint32(8, true) === messageTypes[type]
}

/** Reads one message; every access is checked against its end. */
export class MessageReader {
  readonly #type: MessageType
  readonly #bytes: Uint8Array
  readonly #view: DataView

  /**
   * @throws {ProtocolError} `ERR_NTLM_TOO_LONG` above {@link maximumMessageBytes}, `ERR_NTLM_TRUNCATED` when there is
   *   not even a type, `ERR_NTLM_TYPE` when it is another message or none of NTLM
   */
  constructor(type: MessageType, bytes: Uint8Array) {
    this.#type = type
    this.#bytes = bytes
    this.#view = viewOf(bytes)
    if (bytes.length > maximumMessageBytes) {
      throw new ProtocolError(
        'ERR_NTLM_TOO_LONG',
        `Cannot read ${type}: ${bytes.length} bytes, at most ${maximumMessageBytes}`,
      )
    }
    this.require(12)
    if (!isNtlmMessage(bytes, type)) {
      throw new ProtocolError('ERR_NTLM_TYPE', `Cannot read ${type}: another kind of message`)
    }
  }

  /** The length of the whole message. */
  get length(): number {
    return this.#bytes.length
  }

  /**
   * States that the message has at least this many bytes.
   *
   * @throws {ProtocolError} `ERR_NTLM_TRUNCATED` when it has not
   */
  require(length: number): void {
    if (this.#bytes.length >= length) return
    throw new ProtocolError(
      'ERR_NTLM_TRUNCATED',
      `Cannot read ${this.#type}: ${this.#bytes.length} bytes, at least ${length} promised`,
    )
  }

  /** The number at an offset. @throws {ProtocolError} `ERR_NTLM_TRUNCATED` */
  uint32(offset: number): number {
    this.require(offset + 4)
    return this.#view.getUint32(offset, true)
  }

  /** A copy of the bytes at an offset. @throws {ProtocolError} `ERR_NTLM_TRUNCATED` */
  bytes(offset: number, length: number): Uint8Array {
    this.require(offset + length)
    return this.#bytes.slice(offset, offset + length)
  }

  /**
   * A copy of what the descriptor at an offset points to (A240). An empty field may point anywhere.
   *
   * @throws {ProtocolError} `ERR_NTLM_TRUNCATED` when it points past the end
   */
  field(offset: number): Uint8Array {
    this.require(offset + 8)
    const length = this.#view.getUint16(offset, true)
    return length === 0 ? new Uint8Array() : this.bytes(this.uint32(offset + 4), length)
  }

  /** The version at an offset. @throws {ProtocolError} `ERR_NTLM_TRUNCATED` */
  version(offset: number): NtlmVersion {
    this.require(offset + 8)
    return {
      major: this.#view.getUint8(offset),
      minor: this.#view.getUint8(offset + 1),
      build: this.#view.getUint16(offset + 2, true),
      revision: this.#view.getUint8(offset + 7),
    }
  }
}

/** Writes one message: a header of fixed length, then the payload in the order of {@link field}. */
export class MessageWriter {
  readonly #type: MessageType
  readonly #header: Uint8Array
  readonly #payload: Uint8Array[] = []
  #end: number

  /** @param headerLength where the payload begins */
  constructor(type: MessageType, headerLength: number) {
    this.#type = type
    this.#header = new Uint8Array(headerLength)
    this.#header.set(signature)
    this.#end = headerLength
    this.uint32(8, messageTypes[type])
  }

  /** Writes a number into the header. */
  uint32(offset: number, value: number): void {
    viewOf(this.#header).setUint32(offset, value, true)
  }

  /** Writes bytes into the header. */
  bytes(offset: number, bytes: Uint8Array): void {
    this.#header.set(bytes, offset)
  }

  /**
   * Appends bytes to the payload, and their descriptor to the header. A descriptor that is never written stays zero.
   *
   * @throws {MisuseError} `ERR_NTLM_FIELD_TOO_LONG` above 65,535 bytes
   */
  field(offset: number, bytes: Uint8Array): void {
    if (bytes.length > maximumFieldBytes) {
      throw new MisuseError(
        'ERR_NTLM_FIELD_TOO_LONG',
        `Cannot write ${this.#type}: a field of ${bytes.length} bytes, at most ${maximumFieldBytes}`,
      )
    }
    const header = viewOf(this.#header)
    header.setUint16(offset, bytes.length, true)
    header.setUint16(offset + 2, bytes.length, true)
    header.setUint32(offset + 4, this.#end, true)
    this.#payload.push(bytes)
    this.#end += bytes.length
  }

  /** Writes a version into the header; without one its eight bytes stay zero. */
  version(offset: number, version: NtlmVersion | undefined): void {
    if (version === undefined) return
    const header = viewOf(this.#header)
    header.setUint8(offset, version.major)
    header.setUint8(offset + 1, version.minor)
    header.setUint16(offset + 2, version.build, true)
    header.setUint8(offset + 7, version.revision)
  }

  /**
   * The whole message, in a new array that belongs to the caller.
   *
   * @throws {MisuseError} `ERR_NTLM_TOO_LONG` above {@link maximumMessageBytes}, which no reader would take
   */
  finish(): Uint8Array {
    if (this.#end > maximumMessageBytes) {
      throw new MisuseError(
        'ERR_NTLM_TOO_LONG',
        `Cannot write ${this.#type}: ${this.#end} bytes, at most ${maximumMessageBytes}`,
      )
    }
    return joinBytes(this.#header, ...this.#payload)
  }
}

/** The software that wrote a message, for debugging only (MS-NLMP §2.2.2.10); each number an unsigned byte or, `build`, two. */
export interface NtlmVersion {
  readonly major: number
  readonly minor: number
  readonly build: number
  /** Always 15 (`NTLMSSP_REVISION_W2K3`). */
  readonly revision: number
}

/**
 * What our messages say. Some acceptors take no NEGOTIATE without a version, and a constant tells nothing about the
 * machine.
 */
export const ourVersion: NtlmVersion = { major: 10, minor: 0, build: 19_041, revision: 15 }
