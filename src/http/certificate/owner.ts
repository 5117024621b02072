/** A key is used with the rights of the job's owner, and never with those of the service (A76, A81). */

import { statSync } from 'node:fs'
import type { CertificateOrder } from '../../engine/order.ts'
import { JobError } from '../../job/failure.ts'
import { codeOf } from './failure.ts'

/**
 * Says no to files that are not the owner's, where the owner is another user than the service's: what the system would
 * let the service read, the owner perhaps could not.
 *
 * @param ownerId the owner's user id; of anything else, as on Windows, nothing is checked
 * @throws {JobError} `E_ACCESSDENIED` for a file of somebody else, `ERROR_FILE_NOT_FOUND`
 */
export function checkOwnFiles(
  { certificateFile, keyFile }: CertificateOrder,
  ownerId: string,
): void {
  const self = process.geteuid?.()
  if (self === undefined || !/^\d+$/u.test(ownerId) || Number(ownerId) === self) return
  for (const path of [certificateFile, ...(keyFile === undefined ? [] : [keyFile])]) {
    const { uid } = factsOf(path)
    if (uid === Number(ownerId)) continue
    const why = `${path} belongs to the user with id ${uid}, and the job to ${ownerId}`
    throw new JobError('E_ACCESSDENIED', `Cannot use the client certificate: ${why}`)
  }
}

function factsOf(path: string): { readonly uid: number } {
  try {
    return statSync(path)
  } catch (error) {
    const why = `${path} cannot be looked at (${codeOf(error)})`
    throw new JobError('ERROR_FILE_NOT_FOUND', `Cannot use the client certificate: ${why}`, {
      cause: error,
    })
  }
}
