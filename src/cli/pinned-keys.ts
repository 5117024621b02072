/** `--pinnedpubkey`: pins as they are, or the public key in a file. */

import { builtin } from '../client/builtin.ts'
import { readFileSync } from '../client/node-fs.ts'
import { JobError } from '../job/failure.ts'
import { checkPinnedKeys } from '../job/pinned-keys.ts'
import { usageError } from './cli-error.ts'
import { whyNot } from './wanted.ts'

/**
 * The pins that the option names.
 *
 * @param value `sha256//BASE64;sha256//BASE64`, or a file with a public key or a certificate, PEM or DER; empty for none
 * @throws {CliError} exit status 2
 */
export function pinnedKeysOf(value: string): readonly string[] {
  if (value === '') return []
  const pins = value.startsWith('sha256//') ? value.split(';') : [pinOfFile(value)]
  try {
    checkPinnedKeys(pins)
    return pins
  } catch (error) {
    if (error instanceof JobError) throw usageError(error.message)
    throw error
  }
}

function pinOfFile(path: string): string {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    throw usageError(`Cannot read the public key in ${path}: ${whyNot(error)}`)
  }
  const { createHash, createPublicKey } = builtin('node:crypto')
  try {
    const isPem = bytes.includes('-----BEGIN ')
    const key = isPem
      ? createPublicKey(bytes)
      : createPublicKey({ key: bytes, format: 'der', type: 'spki' })
    const der = key.export({ type: 'spki', format: 'der' })
    return `sha256//${createHash('sha256').update(der).digest('base64')}`
  } catch {
    throw usageError(`Cannot read the public key in ${path}: there is none in it`)
  }
}
