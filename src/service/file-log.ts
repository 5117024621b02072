/** The service's log: one JSON object a line, in a file that is turned over before it grows large. */

import { appendFileSync, renameSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Log, LogLevel } from '../base/log.ts'
import { makeFolder } from '../client/make-folder.ts'

/** At this many bytes the file becomes `NAME.1`, and what was `NAME.1` is gone. */
const TURN_OVER_BYTES = 4 * 1024 * 1024

/** Lines in between two looks at the file's size. */
const LOOK_EVERY = 256

/** Opens the log at `path`; a log that cannot be written never stops a transfer. */
export function fileLog(path: string, { debug = false }: { readonly debug?: boolean } = {}): Log {
  let lines = 0
  return {
    write(level: LogLevel, event: string, facts = {}) {
      if (level === 'debug' && !debug) return
      const line = JSON.stringify({ time: new Date().toISOString(), level, event, ...facts })
      try {
        if (lines === 0) makeFolder(dirname(path))
        if (lines++ % LOOK_EVERY === 0) turnOver(path)
        appendFileSync(path, `${line}\n`, { mode: 0o600 })
      } catch {
        // The disk may be full; the queue says so where it matters.
      }
    },
  }
}

function turnOver(path: string): void {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  if (size >= TURN_OVER_BYTES) renameSync(path, `${path}.1`)
}
