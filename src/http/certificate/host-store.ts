/** The certificate store of this machine's system, where it has one. */

import { failure, FailureError, JobError } from '../../job/failure.ts'
import type { HresultSymbol } from '../../job/hresult.ts'
import { keychainStore } from './keychain.ts'
import {
  findAmong,
  formatPlace,
  StoreError,
  type PlatformStore,
  type StorePlace,
  type TakenIdentity,
} from './platform-store.ts'
import type { StoredName } from './store.ts'
import { windowsStore } from './windows-store.ts'

/** `undefined` where the folders are all there is. */
export function hostStore(platform: NodeJS.Platform = process.platform): PlatformStore | undefined {
  if (platform === 'darwin') return keychainStore()
  return platform === 'win32' ? windowsStore() : undefined
}

const codes: Readonly<Record<StoreError['reason'], HresultSymbol>> = {
  missing: 'CRYPT_E_NOT_FOUND',
  locked: 'ERROR_WINHTTP_CLIENT_CERT_NO_ACCESS_PRIVATE_KEY',
  broken: 'E_FAIL',
}

/**
 * Finds a certificate in a store of the system.
 *
 * @returns what stands for a file of it; `undefined` when it is not there, or the system has no such location or store
 * @throws {JobError} `E_FAIL` when the system does not tell
 */
export function findInSystem(
  named: StoredName,
  system: PlatformStore,
  now: Date,
): string | undefined {
  const { location, store } = named
  if (location !== 'currentUser' && location !== 'localMachine') return undefined
  try {
    const hash = findAmong(system.certificates(location, store) ?? [], named, now)
    return hash === undefined ? undefined : formatPlace({ location, store, hash })
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    const sentence = `Cannot look for the client certificate: ${error.message}`
    throw new JobError(codes[error.reason], sentence, { cause: error })
  }
}

/**
 * Takes a certificate and its key out.
 *
 * @throws {FailureError} fatal: `CRYPT_E_NOT_FOUND`; `ERROR_WINHTTP_CLIENT_CERT_NO_ACCESS_PRIVATE_KEY` where the key may
 *   not leave; `E_FAIL` when the system does not say why
 */
export function takeFromSystem(
  place: StorePlace,
  system: PlatformStore | undefined,
): TakenIdentity {
  try {
    if (system === undefined) throw new StoreError('missing', 'this system has no such store')
    return system.take(place)
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    const sentence = `Cannot use the client certificate ${place.hash} of ${place.location}/${place.store}: ${error.message}`
    throw new FailureError(failure(codes[error.reason], 'LOCAL_FILE', sentence), { cause: error })
  }
}
