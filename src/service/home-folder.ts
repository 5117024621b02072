/** The folder that holds everything a service owns must be its user's alone. */

import { chmodSync, statSync } from 'node:fs'
import { LullError } from '../base/error.ts'
import { makeFolder } from '../client/make-folder.ts'

/** Bits of a folder's mode: what others may, and that everybody may write but not delete what is another's. */
const OTHERS = 0o077
const STICKY = 0o1000

/**
 * Makes the folder if it is not there, and closes it to others: who could read the lock could hold it.
 *
 * @throws {LullError} `ERR_SERVICE_HOME` when it cannot be made, belongs to another user, or is shared on purpose
 */
export function prepareHomeFolder(folder: string): void {
  const refuse = (why: string, cause?: unknown): LullError =>
    new LullError('ERR_SERVICE_HOME', `Cannot keep the queue in ${folder}: ${why}`, { cause })
  let facts
  try {
    makeFolder(folder)
    facts = statSync(folder)
  } catch (error) {
    throw refuse(error instanceof Error ? error.message : String(error), error)
  }
  const uid = process.getuid?.()
  if (uid === undefined) return
  if (facts.uid !== uid) throw refuse('the folder belongs to another user')
  // What is sticky, like /tmp, is for everybody: to take it from them would break other programs.
  if ((facts.mode & STICKY) !== 0)
    throw refuse('everybody may write there, name a folder of its own')
  if ((facts.mode & OTHERS) !== 0) chmodSync(folder, 0o700)
}
