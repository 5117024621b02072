/** An operating system that this room knows no calls of. */

import { missing } from './capability.ts'
import type { SystemCalls } from './system-calls.ts'

/**
 * No calls at all.
 *
 * @param reason why, as one sentence without capital and full stop
 */
export function openElsewhere(reason: string): SystemCalls {
  const none = missing(reason)
  return {
    library: none,
    peerCredentials: none,
    allocate: none,
    syncFileSystem: none,
    startWriteback: none,
    renameNoReplace: none,
    trimMemory: none,
    networkNews: none,
  }
}
