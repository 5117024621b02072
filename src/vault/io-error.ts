/** What the operating system refuses, as an error of the vault. */

import { VaultError } from '../engine/ports/vault.ts'

/**
 * What was thrown, in the terms of this room: a system error becomes a {@link VaultError}, everything else stays.
 *
 * @param attempt the words after "Cannot"
 */
export function ioError(error: unknown, attempt: string): unknown {
  if (!(error instanceof Error) || systemCode(error) === undefined) return error
  return new VaultError('ERR_VAULT_IO', `Cannot ${attempt}: ${error.message}`, { cause: error })
}

/** The code of an error of the operating system: `ENOENT`; `undefined` for any other error. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
