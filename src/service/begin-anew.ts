/** The end of a service that makes room for the next one. */

import { spawn } from 'node:child_process'

/**
 * Begins this program anew, with the code that is there now. Where the system can, the process stays the same one, so that
 * whoever watches over it (a unit of systemd, a terminal) sees no end; elsewhere another one goes on in the background.
 *
 * Everything has to be closed before.
 */
export function beginAnew(): void {
  const words = [...process.execArgv, ...process.argv.slice(1)]
  if (process.platform !== 'win32' && process.execve !== undefined) {
    process.execve(process.execPath, [process.execPath, ...words], process.env)
  }
  spawn(process.execPath, words, { detached: true, stdio: 'ignore', windowsHide: true }).unref()
}
