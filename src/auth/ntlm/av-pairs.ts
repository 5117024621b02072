/** AV_PAIR: what a server tells about itself, and what a client adds before it signs (MS-NLMP §2.2.2.1). */

import { MisuseError, ProtocolError } from '../../base/error.ts'
import { joinBytes, viewOf } from './bytes.ts'

/** What a pair means (A242). */
export const avIds = {
  endOfList: 0,
  nbComputerName: 1,
  nbDomainName: 2,
  dnsComputerName: 3,
  dnsDomainName: 4,
  dnsTreeName: 5,
  flags: 6,
  timestamp: 7,
  singleHost: 8,
  targetName: 9,
  channelBindings: 10,
} as const

/** Bits of the pair `flags` (A242). */
export const avFlags = { constrained: 1, micPresent: 2, untrustedTargetName: 4 } as const

/** One pair; the end of the list is not one. */
export interface AvPair {
  readonly id: number
  /** Text is UTF-16LE, whatever the flags of the message say; numbers are little-endian. */
  readonly value: Uint8Array
}

/** Pairs whose length is fixed. */
const fixedLengths: ReadonlyMap<number, number> = new Map([
  [avIds.flags, 4],
  [avIds.timestamp, 8],
  [avIds.channelBindings, 16],
])

const headerBytes = 4

/**
 * Encodes pairs in order, and the end of the list.
 *
 * @returns a new array that belongs to the caller
 * @throws {MisuseError} `ERR_NTLM_FIELD_TOO_LONG` when a value is longer than 65,535 bytes
 */
export function encodeAvPairs(pairs: readonly AvPair[]): Uint8Array {
  return joinBytes(...pairs.map(encodeAvPair), new Uint8Array(headerBytes))
}

function encodeAvPair({ id, value }: AvPair): Uint8Array {
  if (value.length > 0xffff) {
    throw new MisuseError(
      'ERR_NTLM_FIELD_TOO_LONG',
      `Cannot write an AV pair: ${value.length} bytes, at most 65535`,
    )
  }
  const bytes = new Uint8Array(headerBytes + value.length)
  viewOf(bytes).setUint16(0, id, true)
  viewOf(bytes).setUint16(2, value.length, true)
  bytes.set(value, headerBytes)
  return bytes
}

/**
 * Decodes pairs up to the end of the list; what follows it is ignored.
 *
 * @returns the pairs in wire order, repeated and unknown ones too; values are copies
 * @throws {ProtocolError} `ERR_NTLM_TRUNCATED` when a pair or the end of the list is cut off, `ERR_NTLM_AV_LENGTH`
 *   when a number or a hash has another length than it must
 */
export function decodeAvPairs(bytes: Uint8Array): readonly AvPair[] {
  const view = viewOf(bytes)
  const pairs: AvPair[] = []
  for (let offset = 0; ;) {
    const start = offset + headerBytes
    if (start > bytes.length) throw truncated(bytes.length)
    const id = view.getUint16(offset, true)
    const length = view.getUint16(offset + 2, true)
    if (id === avIds.endOfList) return pairs
    if (start + length > bytes.length) throw truncated(bytes.length)
    if ((fixedLengths.get(id) ?? length) !== length) {
      throw new ProtocolError('ERR_NTLM_AV_LENGTH', `Cannot read AV pair ${id}: ${length} bytes`)
    }
    pairs.push({ id, value: bytes.slice(start, start + length) })
    offset = start + length
  }
}

function truncated(length: number): ProtocolError {
  return new ProtocolError(
    'ERR_NTLM_TRUNCATED',
    `Cannot read AV pairs: the list is longer than its ${length} bytes`,
  )
}

/** The value of the first pair with this id. */
export function findAvPair(pairs: readonly AvPair[], id: number): Uint8Array | undefined {
  return pairs.find((pair) => pair.id === id)?.value
}

/** The bits of the pair `flags`; 0 without one. */
export function readAvFlags(pairs: readonly AvPair[]): number {
  const value = findAvPair(pairs, avIds.flags)
  return value === undefined ? 0 : viewOf(value).getUint32(0, true)
}
