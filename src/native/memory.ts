/** Memory of the C library. */

import { systemCalls } from './system.ts'
import type { SystemCalls } from './system-calls.ts'

/**
 * Gives back to the system what the C library has of free memory. Takes a few milliseconds: for a process that has
 * nothing to do.
 *
 * @param calls the operating system's, chosen by default
 * @returns `unsupported` where there is no such call (all but Linux with glibc) or no koffi
 * @see malloc_trim(3)
 */
export function trimMemory(calls: SystemCalls = systemCalls()): 'trimmed' | 'unsupported' {
  if (calls.trimMemory.kind === 'missing') return 'unsupported'
  calls.trimMemory.value()
  return 'trimmed'
}
