/**
 * What travels between us and a helper, as bytes: a head in JSON, and parts that are bytes.
 *
 * A part may be a password. It is never made into a string, and a frame has memory of its own, so that whoever has used
 * it can wipe it.
 *
 * On the wire: the number of segments, the length of each, the segments; all numbers 32 bits, little-endian. The first
 * segment is the head.
 */

import { ProtocolError } from '../../base/error.ts'

/** A message. */
export interface Frame<Head> {
  readonly head: Head
  readonly parts: readonly Uint8Array[]
}

const NUMBER_BYTES = 4
/** A head and its parts. */
const MAXIMUM_SEGMENTS = 8
/** More than a token with every group of a user in it. */
const MAXIMUM_SEGMENT_BYTES = 1 << 20

/** A message as bytes, in memory that nothing else lies in. */
export function encodeFrame({ head, parts }: Frame<unknown>): Uint8Array {
  const segments = [new TextEncoder().encode(JSON.stringify(head)), ...parts]
  const numbers = [segments.length, ...segments.map(({ length }) => length)]
  const bytes = new Uint8Array(
    numbers.length * NUMBER_BYTES + segments.reduce((sum, { length }) => sum + length, 0),
  )
  const view = new DataView(bytes.buffer)
  for (const [at, number] of numbers.entries()) view.setUint32(at * NUMBER_BYTES, number, true)
  let offset = numbers.length * NUMBER_BYTES
  for (const segment of segments) {
    bytes.set(segment, offset)
    offset += segment.length
  }
  return bytes
}

/**
 * Reads one message.
 *
 * @param read gives exactly so many bytes, or `undefined` when there are not so many; what it gave stays as it is until
 *   the message was used
 * @returns `undefined` when there is no whole message; the type of the head is the caller's promise
 * @throws {ProtocolError} `ERR_FRAME_SIZE` when it is larger than any message
 */
export function readFrame<Head>(
  read: (length: number) => Uint8Array | undefined,
): Frame<Head> | undefined {
  const count = numbersIn(read(NUMBER_BYTES))?.[0]
  if (count === undefined) return undefined
  if (count === 0 || count > MAXIMUM_SEGMENTS) throw tooLarge(`${count} segments`)
  const lengths = numbersIn(read(count * NUMBER_BYTES))
  if (lengths === undefined) return undefined
  const [head, ...parts] = lengths.map((length) => {
    if (length > MAXIMUM_SEGMENT_BYTES) throw tooLarge(`a segment of ${length} bytes`)
    return length === 0 ? new Uint8Array() : read(length)
  })
  if (head === undefined || !parts.every((part) => part !== undefined)) return undefined
  // Written by our own other side in the same version.
  return { head: JSON.parse(new TextDecoder().decode(head)) as Head, parts }
}

/** Collects what arrives in pieces, and gives whole messages. */
export class FrameCollector<Head> {
  #rest: Uint8Array = new Uint8Array()

  /**
   * Takes a piece.
   *
   * @returns the messages that are whole now; their parts stay as they are
   * @throws {ProtocolError} as {@link readFrame}
   */
  take(piece: Uint8Array): readonly Frame<Head>[] {
    const bytes = Buffer.concat([this.#rest, piece])
    const frames: Frame<Head>[] = []
    let used = 0
    for (;;) {
      let at = used
      const frame = readFrame<Head>((length) => {
        at += length
        return at > bytes.length ? undefined : bytes.subarray(at - length, at)
      })
      if (frame === undefined) break
      frames.push(frame)
      used = at
    }
    this.#rest = bytes.subarray(used)
    return frames
  }
}

function numbersIn(bytes: Uint8Array | undefined): readonly number[] | undefined {
  if (bytes === undefined) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: bytes.length / NUMBER_BYTES }, (_, at) =>
    view.getUint32(at * NUMBER_BYTES, true),
  )
}

function tooLarge(what: string): ProtocolError {
  return new ProtocolError('ERR_FRAME_SIZE', `Cannot read a message of a helper: ${what}`)
}
