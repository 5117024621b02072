/** Messages of DHCP, as far as a client needs them that has an address already (RFC 2131, RFC 2132, RFC 3396). */

import { ProtocolError } from '../../base/error.ts'

/** Values of the option "message type" (RFC 2132 §9.6). */
export const messageTypes = { ack: 5, inform: 8 } as const

/** Options that are read or written here. */
export const dhcpOptions = { messageType: 53, parameters: 55, proxyScript: 252 } as const

/** What a client that has an address asks for. */
export interface InformMessage {
  /** 32 bits; the answer has the same. */
  readonly transaction: number
  /** The client's address, four bytes. */
  readonly clientAddress: Uint8Array
  /** The address of its network card, up to 16 bytes. */
  readonly hardwareAddress: Uint8Array
  /** The options that it wants to know. */
  readonly wanted: readonly number[]
}

/** An answer of a server. */
export interface ServerMessage {
  readonly transaction: number
  readonly hardwareAddress: Uint8Array
  /** By number; options in several parts are joined (RFC 3396). Copied out of the message. */
  readonly options: ReadonlyMap<number, Uint8Array>
}

const REQUEST = 1
const REPLY = 2
const ETHERNET = 1

/** `sname` and `file` may hold options too (RFC 2132 §9.3). */
const SERVER_NAME = { start: 44, end: 108 } as const
const FILE_NAME = { start: 108, end: 236 } as const
const MAGIC_AT = 236
const MAGIC = 0x63825363
const OPTIONS_AT = 240

/** What some servers take for the shortest message (RFC 1542 §2.1). */
const SHORTEST_SENT = 300

/** No datagram of a sensible network is longer, in bytes. */
const LONGEST = 9_000

const PAD = 0
const END = 255
const OVERLOAD = 52

/** Writes a DHCPINFORM (RFC 2131 §4.4.3). */
export function encodeInform(message: InformMessage): Uint8Array<ArrayBuffer> {
  const { transaction, clientAddress, hardwareAddress, wanted } = message
  const options = [
    ...option(dhcpOptions.messageType, messageTypes.inform),
    ...option(dhcpOptions.parameters, ...wanted),
    END,
  ]
  const bytes = new Uint8Array(Math.max(SHORTEST_SENT, OPTIONS_AT + options.length))
  const view = new DataView(bytes.buffer)
  bytes.set([REQUEST, ETHERNET, hardwareAddress.length], 0)
  view.setUint32(4, transaction)
  bytes.set(clientAddress, 12)
  bytes.set(hardwareAddress, 28)
  view.setUint32(MAGIC_AT, MAGIC)
  bytes.set(options, OPTIONS_AT)
  return bytes
}

/**
 * Reads an answer.
 *
 * @throws {ProtocolError} `ERR_DHCP_MALFORMED` for what is none: another direction, cut off, options past the end
 */
export function decodeReply(bytes: Uint8Array): ServerMessage {
  if (bytes.length < OPTIONS_AT || bytes.length > LONGEST) throw malformed(`${bytes.length} bytes`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.getUint8(0) !== REPLY) throw malformed(`direction ${view.getUint8(0)}`)
  if (view.getUint32(MAGIC_AT) !== MAGIC) throw malformed('no magic cookie')
  const hardwareLength = view.getUint8(2)
  if (hardwareLength > 16) throw malformed(`a hardware address of ${hardwareLength} bytes`)
  const parts = new Map<number, number[]>()
  collect(bytes.subarray(OPTIONS_AT), parts)
  const overload = parts.get(OVERLOAD)?.[0] ?? 0
  if ((overload & 1) !== 0) collect(bytes.subarray(FILE_NAME.start, FILE_NAME.end), parts)
  if ((overload & 2) !== 0) collect(bytes.subarray(SERVER_NAME.start, SERVER_NAME.end), parts)
  return {
    transaction: view.getUint32(4),
    hardwareAddress: bytes.slice(28, 28 + hardwareLength),
    options: new Map([...parts].map(([option, each]) => [option, Uint8Array.from(each)])),
  }
}

function option(code: number, ...value: readonly number[]): readonly number[] {
  return [code, value.length, ...value]
}

/** Adds the options of one field to those before it. */
function collect(field: Uint8Array, parts: Map<number, number[]>): void {
  let at = 0
  for (;;) {
    const option = field[at]
    // Servers that fill the field to its last byte leave the end out.
    if (option === undefined || option === END) return
    at++
    if (option === PAD) continue
    const length = field[at]
    if (length === undefined || at + 1 + length > field.length) {
      throw malformed(`option ${option} goes past the end`)
    }
    const known = parts.get(option) ?? []
    known.push(...field.subarray(at + 1, at + 1 + length))
    parts.set(option, known)
    at += 1 + length
  }
}

function malformed(what: string): ProtocolError {
  return new ProtocolError('ERR_DHCP_MALFORMED', `Cannot read a DHCP message: ${what}`)
}
