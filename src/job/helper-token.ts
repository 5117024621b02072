/** Helper tokens: a second identity of a job (authentication.md, section 7). */

import { JobError } from './failure.ts'

/** What a helper token is used for, by BITS's numbers (A6). */
export const helperTokenFlags = {
  /** Local files are opened as the helper. A service that runs as one user opens every file as that user. */
  localFile: 0x0001,
  /** Implicit credentials and the detection of proxies are the helper's (A90). */
  network: 0x0002,
} as const

/** @throws {JobError} `E_INVALIDARG` for bits that mean nothing */
export function checkHelperTokenFlags(flags: number): void {
  if (flags >= 0 && flags <= (helperTokenFlags.localFile | helperTokenFlags.network)) return
  throw new JobError(
    'E_INVALIDARG',
    `Cannot set helper token flags to ${flags}: 1 is for local files, 2 for the network`,
  )
}
