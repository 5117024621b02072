/** Stands in for certificate stores on a machine that has none. */

import type { CertificateStores } from '../engine/ports/certificates.ts'
import { JobError } from '../job/failure.ts'

export const noCertificateStores: CertificateStores = {
  find() {
    throw new JobError(
      'E_NOTIMPL',
      'Cannot look into a certificate store: there is none here; name the files of the certificate instead',
    )
  },
}
