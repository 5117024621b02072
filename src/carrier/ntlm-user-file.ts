/** The file that says as whom NTLM proves who is logged on, where the platform has no word for it (N121). */

import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import type { NtlmIdentity } from '../auth/ntlm/initiator.ts'
import { parseUserFile } from '../auth/ntlm/user-file.ts'

/** The variable that names it. Where it names none, none is looked for: what Samba keeps is a server's (N122). */
export const NTLM_USER_FILE = 'NTLM_USER_FILE'

/** Longer ones are not read further. */
const LONGEST_FILE = 65_536

/** Bits of the mode that let others at it. */
const OTHERS = 0o077

/** Missing on Windows, where the platform itself knows who is logged on. */
const NO_LINK = constants.O_NOFOLLOW ?? 0
const NO_WAIT = constants.O_NONBLOCK ?? 0

/** Who is in the file, or why nobody is: for people, a part of a sentence. Secrets belong to the caller. */
export function readUserFile(path: string): NtlmIdentity | string {
  let file: number
  try {
    // A link could lead to somebody else's, and a pipe must not keep anybody waiting.
    file = openSync(path, constants.O_RDONLY | NO_LINK | NO_WAIT)
  } catch {
    return `${path} cannot be opened`
  }
  const bytes = Buffer.alloc(LONGEST_FILE)
  try {
    const { uid, mode } = fstatSync(file)
    if ((mode & constants.S_IFMT) !== constants.S_IFREG) return `${path} is no file`
    if (uid !== process.geteuid?.()) return `${path} belongs to somebody else`
    if ((mode & OTHERS) !== 0) return `others can read ${path}: chmod 600 keeps it`
    const length = readSync(file, bytes, 0, bytes.length, 0)
    return parseUserFile(bytes.subarray(0, length)) ?? `${path} names nobody`
  } catch (error) {
    return `${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`
  } finally {
    bytes.fill(0)
    closeSync(file)
  }
}
