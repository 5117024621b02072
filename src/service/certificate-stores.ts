/** The certificate stores of this machine. */

import type { CertificateStores } from '../engine/ports/certificates.ts'
import { checkOwnFiles } from '../http/certificate/owner.ts'
import { findStored } from '../http/certificate/store.ts'
import { storeFolders, type StoreWorld } from '../http/certificate/store-folders.ts'

/** The stores as seen by a service whose jobs are those of one user. */
export function certificateStores(world: StoreWorld): CertificateStores {
  const folders = storeFolders(world)
  return {
    find(owner, certificate) {
      const files =
        'certificateFile' in certificate
          ? certificate
          : findStored(certificate, folders, new Date()).order
      checkOwnFiles(files, owner.id)
      return files
    },
  }
}
