/** Who issued which certificate. */

import type { X509Certificate } from 'node:crypto'

/** Whether the one was issued by the other: by its name, its right to issue, and its signature. */
export function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  if (certificate.issuer !== issuer.subject || !issuer.ca) return false
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
}

/** Whether both are the same, bit by bit. */
export function isSameCertificate(left: X509Certificate, right: X509Certificate): boolean {
  return left.fingerprint256 === right.fingerprint256
}
