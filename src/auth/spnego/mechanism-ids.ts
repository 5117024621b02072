/** Object identifiers of mechanisms (A280), in dotted form. */

/** The mechanisms by name. */
export const mechanismIds = {
  spnego: '1.3.6.1.5.5.2',
  kerberos: '1.2.840.113554.1.2.2',
  /** What Microsoft wrote by mistake and still sends: Kerberos nevertheless. */
  microsoftKerberos: '1.2.840.48018.1.2.2',
  kerberosUserToUser: '1.2.840.113554.1.2.2.3',
  ntlm: '1.3.6.1.4.1.311.2.2.10',
  negoEx: '1.3.6.1.4.1.311.2.2.30',
} as const

/** Whether two identifiers mean the same mechanism: both of Kerberos do (A283). */
export function isSameMechanism(left: string, right: string): boolean {
  return canonical(left) === canonical(right)
}

function canonical(id: string): string {
  return id === mechanismIds.microsoftKerberos ? mechanismIds.kerberos : id
}
