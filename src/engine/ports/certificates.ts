/** Client certificates as the engine needs them. */

import type { CertificateFiles, ClientCertificate } from '../../job/certificate.ts'
import type { Owner } from '../../job/job.ts'

/** Finds the certificates of owners (A81). Synchronous, and asked anew with every turn: what is found may move. */
export interface CertificateStores {
  /**
   * The files of a certificate; of the first that fits when several in a store do (A72).
   *
   * @throws {JobError} `E_NOTIMPL` for a location that this machine does not have, `ERROR_FILE_NOT_FOUND` when there is no
   *   such store or file, `CRYPT_E_NOT_FOUND` when there is no such certificate in the store (A73), `E_ACCESSDENIED` when
   *   it is not the owner's to use (A76)
   */
  find(owner: Owner, certificate: ClientCertificate): CertificateFiles
}
