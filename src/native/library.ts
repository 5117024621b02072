/** Opens the C library through koffi, on first use. */

import { createRequire } from 'node:module'
import type * as koffi from 'koffi'
import { available, missing } from './capability.ts'
import type { Capability } from './capability.ts'

/** The C types that this room passes; bytes go as `void *`, paths as `str` (UTF-8, ends at the first NUL). */
export type ArgumentType = 'int' | 'uint' | 'int64_t' | 'str' | 'void *' | '...'

/** What a C function is given. An array is passed as its own memory: the function may write into it during the call. */
export type ForeignValue = number | string | Uint8Array | Uint32Array

/** A C function that returns `int`, with -1 for failure. */
export interface ForeignFunction {
  /**
   * Calls it on this thread.
   *
   * @returns what it returned; minus the error number where that is -1, as the kernel itself would say it
   */
  call(...values: readonly ForeignValue[]): number
  /**
   * Calls it on a thread of libuv's pool, of which a process has four unless `UV_THREADPOOL_SIZE` says otherwise, and
   * which the file system and name resolution share. A call under way cannot be taken back: a worker thread that is
   * terminated, and a process that exits, wait for it.
   *
   * @returns what `call` would have returned
   * @throws when 256 calls are already waiting
   */
  callAsync(...values: readonly ForeignValue[]): Promise<number>
}

/** An open C library. */
export interface ForeignLibrary {
  /** The name it was opened by. */
  readonly name: string
  /** Looks up a function. `...` as the last argument makes it variadic: a call then gives each type before its value. */
  declare(name: string, types: readonly ArgumentType[]): Capability<ForeignFunction>
}

/** The part of koffi that is used here. */
export type Koffi = Pick<typeof koffi, 'load' | 'errno'>

/**
 * Opens the first library that exists among `names`.
 *
 * @param names file names as the dynamic loader knows them, best first
 * @param loadKoffi how to come by koffi; throws where there is no binary of it for this platform
 * @returns the library, or why there is none; never throws
 */
export function openLibrary(
  names: readonly string[],
  loadKoffi: () => Koffi = requireKoffi,
): Capability<ForeignLibrary> {
  let foreign: Koffi
  try {
    foreign = loadKoffi()
  } catch (error) {
    return missing(`koffi cannot be loaded: ${firstLine(error)}`)
  }
  let failure = 'no name to open it by is known'
  for (const name of names) {
    try {
      return available(wrapLibrary(name, foreign, foreign.load(name)))
    } catch (error) {
      failure = firstLine(error)
    }
  }
  return missing(`the C library cannot be opened as ${names.join(' or ')}: ${failure}`)
}

/**
 * Looks up a function under the first of `names` that the library has.
 *
 * @returns the function, or why there is none: the library's own absence comes first
 */
export function declare(
  library: Capability<ForeignLibrary>,
  names: readonly string[],
  types: readonly ArgumentType[],
): Capability<ForeignFunction> {
  if (library.kind === 'missing') return library
  for (const name of names) {
    const found = library.value.declare(name, types)
    if (found.kind === 'available') return found
  }
  return missing(`${library.value.name} has no ${names.join(' and no ')}`)
}

/** `require`, because it loads in the middle of a call; an import would make every first use a promise. */
function requireKoffi(): Koffi {
  const loaded: unknown = createRequire(import.meta.url)('koffi')
  // koffi's own declarations describe what its CommonJS entry exports; `require` is typed as knowing nothing.
  return loaded as Koffi
}

function wrapLibrary(name: string, foreign: Koffi, library: koffi.LibraryHandle): ForeignLibrary {
  return {
    name,
    declare(symbol, types) {
      try {
        return available(wrapFunction(foreign, library.func(symbol, 'int', [...types])))
      } catch (error) {
        return missing(firstLine(error))
      }
    },
  }
}

function wrapFunction(
  foreign: Koffi,
  native: ReturnType<koffi.LibraryHandle['func']>,
): ForeignFunction {
  // `errno` belongs to the thread and to the last call: it is read before anything else can fail. After an
  // asynchronous call koffi carries the pool thread's value over for as long as the callback runs.
  const outcome = (result: number): number => (result === -1 ? -foreign.errno() : result)
  return {
    call: (...values) => outcome(Number(native(...values))),
    callAsync: (...values) =>
      new Promise((resolve, reject) => {
        native.async(...values, (error: Error | null, result: number) => {
          if (error === null) resolve(outcome(result))
          else reject(error)
        })
      }),
  }
}

/** Of a message of several lines, such as a module's require stack, the one for people. */
function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message.split('\n', 1)[0] ?? message
}
