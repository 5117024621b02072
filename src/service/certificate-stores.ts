/** The certificate stores of this machine. */

import type { CertificateStores } from '../engine/ports/certificates.ts'
import { findInSystem, hostStore } from '../http/certificate/host-store.ts'
import { checkOwnFiles } from '../http/certificate/owner.ts'
import type { PlatformStore } from '../http/certificate/platform-store.ts'
import { findStored, type StoredName } from '../http/certificate/store.ts'
import { storeFolders, type StoreWorld } from '../http/certificate/store-folders.ts'
import type { CertificateFiles } from '../job/certificate.ts'
import { JobError } from '../job/failure.ts'

/** What was found in a store of the system is true for so long: to ask takes as long as to start a program. */
const REMEMBERED_MS = 10 * 60_000

/**
 * The stores as seen by a service whose jobs are those of one user: our own folders, then what the system keeps.
 *
 * @param system the system's stores; `undefined` where there are none
 */
export function certificateStores(
  world: StoreWorld,
  system: PlatformStore | undefined = hostStore(world.platform),
): CertificateStores {
  const folders = storeFolders(world)
  const found = new Map<string, { readonly path: string; readonly until: number }>()

  /** What the folders do not have may be in the system's stores. */
  function inSystem(named: StoredName, now: Date): CertificateFiles | undefined {
    if (system === undefined) return undefined
    const key = JSON.stringify(named)
    const known = found.get(key)
    if (known !== undefined && now.getTime() < known.until) return { certificateFile: known.path }
    const path = findInSystem(named, system, now)
    found.delete(key)
    if (path === undefined) return undefined
    found.set(key, { path, until: now.getTime() + REMEMBERED_MS })
    return { certificateFile: path }
  }

  function find(named: StoredName, now: Date): CertificateFiles {
    try {
      return findStored(named, folders, now).order
    } catch (error) {
      const isNowhere = error instanceof JobError && missing.has(error.code)
      const elsewhere = isNowhere ? inSystem(named, now) : undefined
      if (elsewhere === undefined) throw error
      return elsewhere
    }
  }

  return {
    find(owner, certificate) {
      const files = 'certificateFile' in certificate ? certificate : find(certificate, new Date())
      checkOwnFiles(files, owner.id)
      return files
    },
  }
}

/** What the folders say of a store, or of a certificate, that they do not have. */
const missing: ReadonlySet<string> = new Set(['ERROR_FILE_NOT_FOUND', 'CRYPT_E_NOT_FOUND'])
