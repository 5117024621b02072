/** A secur32.dll whose functions are written in the test: they get real memory, and follow the pointers in it. */

import { requireKoffi } from '../gssapi/koffi.ts'
import { SspiForeign } from './sspi-foreign.ts'

/** What a function is given: numbers, memory, NULL. */
export type Secur32Value = number | Uint8Array | Uint32Array | null

/** Functions by their names; each returns a SECURITY_STATUS. */
export type Secur32 = Readonly<Record<string, (...values: readonly Secur32Value[]) => number>>

/** A structure as the function finds it, laid out as on every 64-bit Windows. */
export class FoundMemory {
  readonly bytes: Uint8Array
  readonly #view: DataView

  constructor(value: Secur32Value | undefined) {
    if (!(value instanceof Uint8Array)) throw new Error('a structure is memory')
    this.bytes = value
    this.#view = new DataView(value.buffer, value.byteOffset, value.byteLength)
  }

  /** The unsigned long at an offset. */
  number(at: number): number {
    return this.#view.getUint32(at, true)
  }

  setNumber(at: number, value: number): void {
    this.#view.setUint32(at, value, true)
  }

  /** What the pointer at an offset points at. */
  follow(at: number, length: number): FoundMemory {
    const address = this.#view.getBigUint64(at, true)
    return new FoundMemory(
      length === 0 ? new Uint8Array() : new Uint8Array(requireKoffi().view(address, length)),
    )
  }

  /** As UTF-16, up to the end or its NUL. */
  get text(): string {
    return Buffer.from(this.bytes).toString('utf16le').replace(/\0.*$/su, '')
  }
}

/** One `SecBuffer`. */
export interface FoundBuffer {
  readonly type: number
  readonly bytes: Uint8Array
  /** Writes into the buffer, and says how much is in it now. */
  readonly fill: (bytes: Uint8Array) => void
}

const BUFFER_BYTES = 16

/** An open library that has these functions. */
export function secur32(functions: Secur32): SspiForeign {
  return new SspiForeign(requireKoffi(), (name) => {
    const found = functions[name]
    if (found === undefined) throw new Error(`there is no ${name}`)
    // SspiForeign passes what is declared: numbers and pointers.
    return (...values) => found(...(values as Secur32Value[]))
  })
}

/** Follows a `SecBufferDesc`. */
export function followBuffers(value: Secur32Value | undefined): readonly FoundBuffer[] {
  const descriptor = new FoundMemory(value)
  const count = descriptor.number(4)
  return Array.from({ length: count }, (_, at) => {
    const array = descriptor.follow(8, count * BUFFER_BYTES)
    const buffer = new FoundMemory(array.bytes.subarray(at * BUFFER_BYTES))
    const { bytes } = buffer.follow(8, buffer.number(0))
    return {
      type: buffer.number(4),
      bytes,
      fill: (filling) => {
        bytes.set(filling)
        buffer.setNumber(0, filling.length)
      },
    }
  })
}
