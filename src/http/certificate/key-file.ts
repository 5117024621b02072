/** Reads the files of a client certificate. */

import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { codeOf, refusalOf } from './failure.ts'
import { parsePlace } from './platform-store.ts'

/** A file as it was when it was read. */
export interface KeyFile {
  readonly path: string
  /** What may be secret in it is wiped by whoever read it. */
  readonly bytes: Uint8Array
}

/** Certificates and keys are a few KiB; this is a file that is something else. */
const MAX_BYTES = 1024 * 1024

/** Opening a pipe must not wait for its other end. */
const NO_WAIT = constants.O_NONBLOCK ?? 0

/**
 * Reads a file.
 *
 * @throws {FailureError} `ERROR_FILE_NOT_FOUND`; `ERROR_WINHTTP_CLIENT_CERT_NO_ACCESS_PRIVATE_KEY` when we may not read
 *   it; `ERROR_INVALID_DATA` when it is no file or too long
 */
export function readKeyFile(path: string): KeyFile {
  const refuse = refusalOf(path)
  const fd = openFile(path)
  try {
    const facts = fstatSync(fd)
    if (!facts.isFile()) throw refuse('ERROR_INVALID_DATA', 'it is no file')
    if (facts.size > MAX_BYTES) throw refuse('ERROR_INVALID_DATA', 'it is too long for one')
    return { path, bytes: readAll(fd, facts.size) }
  } finally {
    closeSync(fd)
  }
}

function openFile(path: string): number {
  const refuse = refusalOf(path)
  try {
    return openSync(path, constants.O_RDONLY | NO_WAIT)
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw refuse('ERROR_FILE_NOT_FOUND', 'there is no such file', error)
    }
    const symbol = 'ERROR_WINHTTP_CLIENT_CERT_NO_ACCESS_PRIVATE_KEY'
    if (code === 'EACCES' || code === 'EPERM') throw refuse(symbol, 'we may not read it', error)
    throw refuse('ERROR_INVALID_DATA', `it cannot be read (${code})`, error)
  }
}

function readAll(fd: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let filled = 0
  while (filled < length) {
    const read = readSync(fd, bytes, filled, length - filled, null)
    if (read === 0) break
    filled += read
  }
  return bytes.subarray(0, filled)
}

/**
 * What changes when a file does; always the same for what is in a store of the system.
 *
 * @throws as {@link readKeyFile} when there is none
 */
export function stampOf(path: string): string {
  if (parsePlace(path) !== undefined) return ''
  try {
    const { mtimeMs, ctimeMs, size, ino } = statSync(path)
    return `${mtimeMs} ${ctimeMs} ${size} ${ino}`
  } catch {
    // Says why.
    readKeyFile(path).bytes.fill(0)
    return ''
  }
}
