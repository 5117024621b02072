/** The process that a client starts in the background. Its fourth channel says in one line how the start went. */

import { closeSync, fstatSync, writeSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { LullError } from '../base/error.ts'
import { beginAnew } from './begin-anew.ts'
import { fileLog } from './file-log.ts'
import { serve } from './serve.ts'

/** The channel that the starter reads. */
const CHANNEL = 3

enableCompileCache()

try {
  const { home, ended } = await serve()
  // Nobody sees the standard error of a service: what ends it by surprise stands in the log.
  process.on('uncaughtExceptionMonitor', (error) => {
    fileLog(home.log).write('error', 'The service met a defect and ends', { error: error.stack })
  })
  tell({})
  if ((await ended).isRenewed) beginAnew()
} catch (error) {
  const code = error instanceof LullError ? error.code : 'ERR_SERVICE_START'
  tell({ code, message: error instanceof Error ? error.message : String(error) })
  process.exitCode = 1
}

function tell(outcome: { readonly code?: string; readonly message?: string }): void {
  try {
    fstatSync(CHANNEL)
    writeSync(CHANNEL, `${JSON.stringify(outcome)}\n`)
    closeSync(CHANNEL)
  } catch {
    // Started without a channel, or the starter is gone: the log has it too.
  }
}
