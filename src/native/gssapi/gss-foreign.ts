/** A GSSAPI library (RFC 2744) through koffi: its types in C, and functions that return statuses. */

import type * as koffi from 'koffi'
import { available, missing } from '../capability.ts'
import type { Capability } from '../capability.ts'
import { requireKoffi } from './koffi.ts'

/** A pointer to what only the library knows: a name, a credential, a context. */
export type Handle = bigint

/** GSS_C_NO_NAME, GSS_C_NO_CREDENTIAL, GSS_C_NO_CONTEXT. */
export const noHandle: Handle = 0n

/** GSS_C_AF_UNSPEC. */
const UNSPECIFIED_ADDRESS = 0

/** What a function returns (RFC 2744 §3.9). */
export interface Status {
  /** GSSAPI's own code: errors in the upper half, supplementary bits in the lower. */
  readonly major: number
  /** The mechanism's code. */
  readonly minor: number
}

/** A function of the library; its first argument, the minor status, is not among the values. */
export type GssFunction = (...values: readonly unknown[]) => Status

/** A `gss_buffer_desc`. */
export interface BufferDescriptor {
  readonly length: number | bigint
  readonly value: bigint | null
  /** What one of ours points at: an address alone would not keep it from the collector until the call is done. */
  readonly bytes?: Uint8Array
}

/**
 * How an argument is declared. A structure is given as an object, what a pointer leads to as an array of one value;
 * `Out` is written by the function, `InOut` read as well.
 */
export type GssArgument =
  | 'number'
  | 'numberOut'
  | 'numberInOut'
  | 'handle'
  | 'handleOut'
  | 'handleInOut'
  | 'buffer'
  | 'bufferOut'
  | 'bufferInOut'
  | 'objectId'
  | 'objectIdSet'
  | 'bindings'

/** The part of koffi that is used here. */
export type GssKoffi = Pick<
  typeof koffi,
  'load' | 'struct' | 'pointer' | 'out' | 'inout' | 'address' | 'decode'
>

/** How koffi describes a type. */
type ForeignType = Parameters<typeof koffi.out>[0]

/** Where the library is, best first: MIT's, then Heimdal's. Apple's is Heimdal. */
export function gssLibraryNames(platform: NodeJS.Platform = process.platform): readonly string[] {
  return platform === 'darwin'
    ? ['/System/Library/Frameworks/GSS.framework/GSS']
    : ['libgssapi_krb5.so.2', 'libgssapi.so.3']
}

/**
 * Opens the first library that exists among `names`.
 *
 * @param names as the dynamic loader knows them, best first
 * @param loadKoffi how to come by koffi; throws where there is no binary of it for this platform
 * @returns the library, or why there is none and which package brings it; never throws
 */
export function openGssForeign(
  names: readonly string[] = gssLibraryNames(),
  loadKoffi: () => GssKoffi = requireKoffi,
): Capability<GssForeign> {
  let foreign: GssKoffi
  try {
    foreign = loadKoffi()
  } catch (error) {
    return missing(`koffi cannot be loaded: ${firstLine(error)}`)
  }
  for (const name of names) {
    try {
      return available(new GssForeign(foreign, name))
    } catch {
      // The next name may do; when none does, a package to install says more than the loader.
    }
  }
  return missing(
    'GSSAPI is not installed; install libgssapi-krb5-2 (Debian, Ubuntu) or krb5-libs (Fedora, Alpine)',
  )
}

/** An open library. */
export class GssForeign {
  /** The name it was opened by. */
  readonly name: string
  readonly #koffi: GssKoffi
  readonly #library: koffi.LibraryHandle
  readonly #types: Readonly<Record<GssArgument, ForeignType>>
  readonly #releaseBuffer: GssFunction

  /** @throws when there is no such library, or it is no GSSAPI */
  constructor(foreign: GssKoffi, name: string) {
    this.name = name
    this.#koffi = foreign
    this.#library = foreign.load(name)
    this.#types = declareTypes(foreign)
    this.#releaseBuffer = this.declare('gss_release_buffer', ['bufferInOut'])
  }

  /**
   * Looks up a function that returns a status.
   *
   * @param types of the arguments after the minor status
   * @throws when the library has no such function
   */
  declare(name: string, types: readonly GssArgument[]): GssFunction {
    const all = [this.#types.numberOut, ...types.map((type) => this.#types[type])]
    const native = this.#library.func(name, 'uint32_t', all)
    return (...values) => {
      const minor = [0]
      const major = Number(native(minor, ...values))
      return { major, minor: minor[0] ?? 0 }
    }
  }

  /** A descriptor of bytes, for one call; nothing is copied. */
  lend(bytes: Uint8Array): BufferDescriptor {
    const value = bytes.length === 0 ? null : this.#koffi.address(bytes)
    return { length: bytes.length, value, bytes }
  }

  /** A `gss_OID_desc` for one call. @param octets the content of its DER */
  lendObjectId(octets: Uint8Array): object {
    return { length: octets.length, elements: this.#koffi.address(octets), octets }
  }

  /** A `gss_channel_bindings_struct` for one call, with application data and without addresses (A401). */
  lendBindings(applicationData: Uint8Array): object {
    const nobody = { length: 0, value: null }
    return {
      initiatorAddressType: UNSPECIFIED_ADDRESS,
      initiatorAddress: nobody,
      acceptorAddressType: UNSPECIFIED_ADDRESS,
      acceptorAddress: nobody,
      applicationData: this.lend(applicationData),
    }
  }

  /** A copy of what a function has written; its memory goes back to the library. */
  take(buffer: Partial<BufferDescriptor>): Uint8Array {
    const { length = 0, value = null } = buffer
    // koffi declares that it decodes anything; of `uint8_t` it makes a typed array with memory of its own.
    const bytes =
      value === null
        ? new Uint8Array()
        : (this.#koffi.decode(value, 'uint8_t', Number(length)) as Uint8Array)
    this.#releaseBuffer(buffer)
    return bytes
  }
}

/** The types of RFC 2744 §3. */
function declareTypes(foreign: GssKoffi): Readonly<Record<GssArgument, ForeignType>> {
  const { pointer, out, inout } = foreign
  // On Intel Macs the header packs its structures, as MIT's did for the PowerPC.
  const alignment = process.platform === 'darwin' && process.arch === 'x64' ? 2 : undefined
  const struct = (members: Readonly<Record<string, ForeignType>>): koffi.TypeObject => {
    if (alignment === undefined) return foreign.struct({ ...members })
    const packed = Object.entries(members).map(([name, type]) => [name, [alignment, type]] as const)
    return foreign.struct(Object.fromEntries(packed) as Record<string, [number, ForeignType]>)
  }
  const handle = 'void *'
  const buffer = struct({ length: 'size_t', value: handle })
  const objectId = struct({ length: 'uint32_t', elements: handle })
  const bindings = struct({
    initiatorAddressType: 'uint32_t',
    initiatorAddress: buffer,
    acceptorAddressType: 'uint32_t',
    acceptorAddress: buffer,
    applicationData: buffer,
  })
  return {
    number: 'uint32_t',
    numberOut: out(pointer('uint32_t')),
    numberInOut: inout(pointer('uint32_t')),
    handle,
    handleOut: out(pointer(handle)),
    handleInOut: inout(pointer(handle)),
    buffer: pointer(buffer),
    bufferOut: out(pointer(buffer)),
    bufferInOut: inout(pointer(buffer)),
    objectId: pointer(objectId),
    objectIdSet: pointer(struct({ count: 'size_t', elements: pointer(objectId) })),
    bindings: pointer(bindings),
  }
}

/** Of a message of several lines, such as a module's require stack, the one for people. */
function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message.split('\n', 1)[0] ?? message
}
