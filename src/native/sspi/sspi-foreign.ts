/** SSPI (secur32.dll) through koffi: its structures in memory, and functions that return statuses. */

import type * as koffi from 'koffi'
import { available, missing } from '../capability.ts'
import type { Capability } from '../capability.ts'
import { requireKoffi } from '../gssapi/koffi.ts'

/** The part of koffi that is used here. */
export type SspiKoffi = Pick<
  typeof koffi,
  'load' | 'struct' | 'sizeof' | 'address' | 'encode' | 'decode'
>

/** What a `SecBuffer` holds. */
export const bufferTypes = { data: 1, token: 2, channelBindings: 14 } as const

/** One `SecBuffer`. */
export interface SecurityBuffer {
  readonly type: keyof typeof bufferTypes
  /** Where it points at; the function may write into it. */
  readonly bytes: Uint8Array
}

/** Structures that point at each other, to be passed to one call. */
export interface Lent {
  /** What the function is given. */
  readonly memory: Uint8Array
  /** What that points at: an address alone would not keep it from the collector until the call is done. */
  readonly held: readonly unknown[]
}

/** A value for a C function: a number, what it points at, or NULL. */
export type SspiValue = number | Uint8Array | Uint32Array | Lent | null

/** The arguments of each function: `n` is an unsigned long, `p` a pointer. */
const signatures = {
  AcquireCredentialsHandleW: 'ppnpppppp',
  FreeCredentialsHandle: 'p',
  InitializeSecurityContextW: 'pppnnnpnpppp',
  CompleteAuthToken: 'pp',
  DeleteSecurityContext: 'p',
  QueryContextAttributesW: 'pnp',
  MakeSignature: 'pnpn',
  VerifySignature: 'ppnp',
} as const

/** Looks up a function that returns a SECURITY_STATUS. */
export type DeclareFunction = (
  name: string,
  types: readonly ('uint32_t' | 'void *')[],
) => (...values: unknown[]) => unknown

/** SECBUFFER_VERSION. */
const BUFFER_VERSION = 0
/** SEC_WINNT_AUTH_IDENTITY_UNICODE. */
const UNICODE = 2
/** A `SEC_CHANNEL_BINDINGS`: eight unsigned longs, then the data. */
const BINDINGS_BYTES = 32
const BINDINGS_LENGTH_AT = 24
const BINDINGS_OFFSET_AT = 28

/**
 * Opens the library.
 *
 * @param loadKoffi how to come by koffi; throws where there is no binary of it for this platform
 * @returns the library, or why there is none; never throws
 */
export function openSspiForeign(
  loadKoffi: () => SspiKoffi = requireKoffi,
): Capability<SspiForeign> {
  if (process.platform !== 'win32') return missing('SSPI is a part of Windows')
  try {
    const foreign = loadKoffi()
    const library = foreign.load('secur32.dll')
    const declare: DeclareFunction = (name, types) => library.func(name, 'uint32_t', [...types])
    return available(new SspiForeign(foreign, declare))
  } catch (error) {
    return missing(`SSPI cannot be opened: ${error instanceof Error ? error.message : 'unknown'}`)
  }
}

/** An open library. */
export class SspiForeign {
  readonly #koffi: SspiKoffi
  readonly #library: DeclareFunction
  readonly #functions = new Map<string, (...values: unknown[]) => unknown>()
  readonly #buffer: koffi.TypeObject
  readonly #descriptor: koffi.TypeObject
  readonly #identity: koffi.TypeObject
  /** What the call under way points at. */
  readonly #held = new Set<unknown>()

  constructor(foreign: SspiKoffi, library: DeclareFunction) {
    this.#koffi = foreign
    this.#library = library
    this.#buffer = foreign.struct({ length: 'uint32_t', type: 'uint32_t', bytes: 'void *' })
    this.#descriptor = foreign.struct({
      version: 'uint32_t',
      count: 'uint32_t',
      buffers: 'void *',
    })
    this.#identity = foreign.struct({
      user: 'void *',
      userLength: 'uint32_t',
      domain: 'void *',
      domainLength: 'uint32_t',
      password: 'void *',
      passwordLength: 'uint32_t',
      flags: 'uint32_t',
    })
  }

  /** Calls a function. @returns its SECURITY_STATUS, unsigned */
  call(name: keyof typeof signatures, ...values: readonly SspiValue[]): number {
    const known = this.#functions.get(name) ?? this.#declare(name)
    this.#functions.set(name, known)
    this.#held.add(values)
    try {
      return Number(known(...values.map(pointerOf)))
    } finally {
      this.#held.delete(values)
    }
  }

  /** A `SecBufferDesc` with its buffers. */
  lendBuffers(buffers: readonly SecurityBuffer[]): Lent {
    const size = this.#koffi.sizeof(this.#buffer)
    const array = new Uint8Array(size * buffers.length)
    for (const [at, { type, bytes }] of buffers.entries()) {
      this.#koffi.encode(array, at * size, this.#buffer, {
        length: bytes.length,
        type: bufferTypes[type],
        bytes: this.#addressOf(bytes),
      })
    }
    const memory = this.#encode(this.#descriptor, {
      version: BUFFER_VERSION,
      count: buffers.length,
      buffers: this.#addressOf(array),
    })
    return { memory, held: [array, ...buffers] }
  }

  /** How many bytes a function has left in each buffer. @param lent by {@link lendBuffers} */
  lengthsOf({ held }: Lent): readonly number[] {
    const [array] = held
    if (!(array instanceof Uint8Array)) return []
    const size = this.#koffi.sizeof(this.#buffer)
    return Array.from({ length: array.length / size }, (_, at) => {
      // Decoded by the type above.
      const { length } = this.#koffi.decode(array, at * size, this.#buffer) as { length: number }
      return length
    })
  }

  /** A `SEC_WINNT_AUTH_IDENTITY_W`. Its strings are UTF-16LE without terminator; nothing is copied. */
  lendIdentity(identity: {
    readonly user: Uint8Array
    readonly domain: Uint8Array
    readonly password: Uint8Array
  }): Lent {
    const { user, domain, password } = identity
    const memory = this.#encode(this.#identity, {
      user: this.#addressOf(user),
      userLength: user.length / 2,
      domain: this.#addressOf(domain),
      domainLength: domain.length / 2,
      password: this.#addressOf(password),
      passwordLength: password.length / 2,
      flags: UNICODE,
    })
    return { memory, held: [user, domain, password] }
  }

  #declare(name: keyof typeof signatures): (...values: unknown[]) => unknown {
    const types = signatures[name].split('').map((kind) => (kind === 'n' ? 'uint32_t' : 'void *'))
    return this.#library(name, types)
  }

  #encode(type: koffi.TypeObject, value: object): Uint8Array {
    const memory = new Uint8Array(this.#koffi.sizeof(type))
    this.#koffi.encode(memory, type, value)
    return memory
  }

  #addressOf(bytes: Uint8Array): bigint | null {
    return bytes.length === 0 ? null : this.#koffi.address(bytes)
  }
}

/** A `SEC_CHANNEL_BINDINGS` with application data and without addresses (A401). */
export function encodeChannelBindings(applicationData: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(BINDINGS_BYTES + applicationData.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(BINDINGS_LENGTH_AT, applicationData.length, true)
  view.setUint32(BINDINGS_OFFSET_AT, BINDINGS_BYTES, true)
  bytes.set(applicationData, BINDINGS_BYTES)
  return bytes
}

function pointerOf(value: SspiValue): unknown {
  return value !== null && typeof value === 'object' && 'memory' in value ? value.memory : value
}
