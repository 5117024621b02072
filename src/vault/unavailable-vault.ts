/** Stands in for a vault that did not open: the queue goes on, and credentials say why they cannot (N139). */

import { VaultError, type Vault } from '../engine/ports/vault.ts'

/**
 * @param reason why the vault did not open; every use of this one throws an error with its code and its message
 */
export function unavailableVault(reason: VaultError): Vault {
  const refuse = (): never => {
    throw new VaultError(reason.code, reason.message, { cause: reason })
  }
  return {
    seal: refuse,
    open: refuse,
    holdsKeyOf: () => false,
    isRotating: false,
    beginRotation: refuse,
    close() {},
  }
}
