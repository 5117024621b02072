/** Reads a file that holds a key, if nobody else could have read or written it. */

import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, type Stats } from 'node:fs'
import { VaultError } from '../engine/ports/vault.ts'
import { ioError, systemCode } from './io-error.ts'

/** Who may own a private file, and what its mode may say. */
export interface Privacy {
  /** Whether the administrator may own it besides this process's user. */
  readonly ofRoot: boolean
  /** Mode bits that nobody may have. */
  readonly forbidden: number
  /** What to do when they are set: a sentence without capital and full stop. */
  readonly remedy: string
}

/** A file of ours: nobody else reads or writes it. POSIX access lists show in the group's bits, so they count, too. */
export const ownFile: Privacy = {
  ofRoot: false,
  forbidden: 0o077,
  remedy: 'set the mode to 0600 and rotate the key, which others may have read',
}

/**
 * A credential that systemd lends us: 0400, root's or ours. When it is root's an access list lets us read it, and the
 * mask of that list shows in the group's bits as 0440.
 *
 * @see systemd.exec(5), Credentials
 */
export const lentFile: Privacy = {
  ofRoot: true,
  forbidden: 0o037,
  remedy: 'let systemd make it, with LoadCredentialEncrypted= or LoadCredential= in the unit',
}

/** The administrator's user id. */
const ROOT = 0

/** Missing on Windows, where a look before has to do. */
const NO_LINK = constants.O_NOFOLLOW ?? 0

/** Opening a pipe must not wait for its other end. */
const NO_WAIT = constants.O_NONBLOCK ?? 0

/**
 * Reads a whole file.
 *
 * @param path full
 * @param name for messages: `the key file /home/alice/.local/share/lull/master.key`
 * @param limit of more bytes than this only one is read, so that the length shows that there are more
 * @returns its bytes, which the caller wipes; `undefined` when there is no such file
 * @throws {VaultError} `ERR_VAULT_KEY_REFUSED` when it is a link or no plain file, or its owner or mode let others at
 *   it (Windows: its folder alone keeps them out); `ERR_VAULT_IO`
 */
export function readPrivateFile(
  path: string,
  name: string,
  { limit, privacy }: { readonly limit: number; readonly privacy: Privacy },
): Uint8Array | undefined {
  const fd = openWithoutLink(path, name)
  if (fd === undefined) return undefined
  try {
    const reason = whyNotPrivate(fstatSync(fd), privacy)
    if (reason !== undefined) throw refused(name, reason)
    return readUpTo(fd, limit + 1)
  } catch (error) {
    throw ioError(error, `read ${name}`)
  } finally {
    closeSync(fd)
  }
}

function openWithoutLink(path: string, name: string): number | undefined {
  try {
    if (NO_LINK === 0 && lstatSync(path).isSymbolicLink()) throw refused(name, linkReason)
    return openSync(path, constants.O_RDONLY | NO_LINK | NO_WAIT)
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ENOENT') return undefined
    // ELOOP says so on Linux and macOS, EMLINK on FreeBSD.
    if (code === 'ELOOP' || code === 'EMLINK') throw refused(name, linkReason)
    throw ioError(error, `read ${name}`)
  }
}

const linkReason = 'it is a symbolic link; put the file itself in its place'

function whyNotPrivate(stats: Stats, { ofRoot, forbidden, remedy }: Privacy): string | undefined {
  if (!stats.isFile()) return 'it is no plain file'
  const self = process.geteuid?.()
  // Windows knows neither; the folder in the user's profile has its access list.
  if (self === undefined) return undefined
  if (stats.uid !== self && !(ofRoot && stats.uid === ROOT)) {
    return `it belongs to the user with id ${stats.uid}, not to ${self}`
  }
  const mode = stats.mode & 0o777
  if ((mode & forbidden) === 0) return undefined
  return `its mode ${mode.toString(8).padStart(4, '0')} lets others at it; ${remedy}`
}

function refused(name: string, reason: string): VaultError {
  return new VaultError('ERR_VAULT_KEY_REFUSED', `Cannot use ${name}: ${reason}`)
}

function readUpTo(fd: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let filled = 0
  while (filled < length) {
    const read = readSync(fd, bytes, filled, length - filled, null)
    if (read === 0) break
    filled += read
  }
  return bytes.subarray(0, filled)
}
