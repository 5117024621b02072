/** Reading whole conversations in tests: text in, events as plain data out. */

import { ProtocolError } from '../base/error.ts'
import type { Field, Fields } from './fields.ts'
import type { WireLimits } from './limits.ts'
import { decodeOctets, encodeOctets } from './octet.ts'
import { RequestReader } from './request-reader.ts'
import { ResponseReader } from './response-reader.ts'
import type { RequestEvent, RequestHead, ResponseEvent, ResponseHead } from './wire.ts'

type Plain<Head> = Omit<Head, 'fields'> & { readonly fields: readonly Field[] }

/** An event that can be compared: fields as a list, bodies as text, an error, or what is not HTTP, last. */
export type Seen =
  | { readonly kind: 'head'; readonly head: Plain<ResponseHead> | Plain<RequestHead> }
  | { readonly kind: 'interim'; readonly status: number; readonly fields: readonly Field[] }
  | { readonly kind: 'body'; readonly text: string }
  | { readonly kind: 'end'; readonly trailers: readonly Field[] }
  | { readonly kind: 'closed' }
  | { readonly kind: 'rest'; readonly text: string }
  | { readonly kind: 'error'; readonly code: string }

/** What both readers have. */
interface Reader {
  push(bytes: Uint8Array): void
  end(): void
  next(): ResponseEvent | RequestEvent | undefined
  readonly isSwitched: boolean
  takeRest(): Uint8Array
}

/** How a conversation is read. */
export interface Reading {
  /** Whether the peer closes after the last piece. */
  readonly ends?: boolean
  readonly limits?: Partial<WireLimits>
}

/** Text with a character for each octet. */
export function octets(text: string): Uint8Array {
  return encodeOctets(text)
}

/** What a client reads that has sent requests with these methods. */
export function readResponses(
  pieces: readonly string[],
  methods: readonly string[],
  { ends = false, limits = {} }: Reading = {},
): readonly Seen[] {
  const reader = new ResponseReader({ limits })
  for (const method of methods) reader.expect(method)
  return readAll(reader, pieces, ends)
}

/** What a server reads. */
export function readRequests(
  pieces: readonly string[],
  { ends = false, limits = {} }: Reading = {},
): readonly Seen[] {
  return readAll(new RequestReader({ limits }), pieces, ends)
}

/** A text cut into single octets. */
export function bytewise(text: string): readonly string[] {
  return text.split('')
}

/** The code of the error that a reading ended with. */
export function failureOf(seen: readonly Seen[]): string | undefined {
  const last = seen.at(-1)
  return last?.kind === 'error' ? last.code : undefined
}

function readAll(reader: Reader, pieces: readonly string[], ends: boolean): readonly Seen[] {
  const seen: Seen[] = []
  try {
    pushAll(reader, pieces, ends, seen)
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    seen.push({ kind: 'error', code: error.code })
  }
  return seen
}

/** Pushes every piece in the same array: what a reader keeps of one without copying it is overwritten by the next. */
function pushAll(reader: Reader, pieces: readonly string[], ends: boolean, seen: Seen[]): void {
  const slab = new Uint8Array(Math.max(0, ...pieces.map((piece) => piece.length)))
  for (const [index, piece] of pieces.entries()) {
    slab.fill(0xff)
    slab.set(octets(piece))
    reader.push(slab.subarray(0, piece.length))
    drain(reader, seen)
    if (reader.isSwitched) {
      const rest = decodeOctets(reader.takeRest()) + pieces.slice(index + 1).join('')
      seen.push({ kind: 'rest', text: rest })
      return
    }
  }
  if (!ends) return
  slab.fill(0xff)
  reader.end()
  drain(reader, seen)
}

/** Takes every event. Body events that follow each other are made one, so that only what was read is compared. */
function drain(reader: Reader, seen: Seen[]): void {
  for (let event = reader.next(); event !== undefined; event = reader.next()) {
    const plain = plainOf(event)
    const last = seen.at(-1)
    if (plain.kind === 'body' && last?.kind === 'body') {
      seen.splice(-1, 1, { kind: 'body', text: last.text + plain.text })
    } else {
      seen.push(plain)
    }
  }
}

function plainOf(event: ResponseEvent | RequestEvent): Seen {
  switch (event.kind) {
    case 'head':
      return { kind: 'head', head: { ...event.head, fields: listOf(event.head.fields) } }
    case 'interim':
      return { ...event, fields: listOf(event.fields) }
    case 'body':
      return { kind: 'body', text: decodeOctets(event.bytes) }
    case 'end':
      return { kind: 'end', trailers: listOf(event.trailers) }
    case 'closed':
      return event
    default:
      return event satisfies never
  }
}

/** The fields as a list of pairs. */
export function listOf(fields: Fields): readonly Field[] {
  return [...fields]
}
