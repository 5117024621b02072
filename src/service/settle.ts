/** Gives back what a large job has used, once there is nothing to do. */

import { trimMemory } from '../native/memory.ts'

/** After a thread has ended, the engine keeps its pages for another one for some eight seconds. */
const SETTLED_MS = 10_000

/**
 * Collects now, and again when what the carrier had is free for good. A service that was started for it has the means
 * (client/service-arguments.ts); embedded in somebody's process it does nothing.
 */
export function settle(): void {
  const { gc } = globalThis
  if (gc === undefined) return
  gc()
  setTimeout(() => {
    // The last resort before a heap would be full is the one collection that gives every free page back.
    gc({ type: 'major', execution: 'sync', flavor: 'last-resort' })
    trimMemory()
  }, SETTLED_MS).unref()
}
