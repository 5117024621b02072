/** A C library whose functions are written in the test: for what no file system or kernel at hand answers. */

import { available, missing } from './capability.ts'
import type { Capability } from './capability.ts'
import type { ForeignLibrary, ForeignValue } from './library.ts'

/** A C function by its name: arguments in, result or minus the error number out. */
export type ForeignFunctions = Readonly<
  Record<string, (...values: readonly ForeignValue[]) => number>
>

/** A library that has these functions and no others. */
export function foreignLibrary(functions: ForeignFunctions): Capability<ForeignLibrary> {
  return available({
    name: 'libtest.so',
    declare(name) {
      const call = functions[name]
      if (call === undefined) return missing(`there is no ${name}`)
      return available({ call, callAsync: async (...values) => call(...values) })
    },
  })
}

/** What has to be there for a test to go on. */
export function take<Value>(capability: Capability<Value>): Value {
  if (capability.kind === 'missing') throw new Error(`Missing: ${capability.reason}`)
  return capability.value
}
