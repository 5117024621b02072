/** The subject of a certificate as BITS searches it (A72). */

import type { X509Certificate } from 'node:crypto'

/**
 * The values of a subject in the order in which the certificate has them, which is from the country down to the common
 * name in most: `DE, Example Corp, alice`. Written the other way round, as RFC 4514 does it, names come in reverse
 * order; this is what a search is made in.
 */
export function subjectText({ subject }: Pick<X509Certificate, 'subject'>): string {
  // A certificate may have none.
  const names = (subject as string | undefined) ?? ''
  return names.split('\n').map(valuesOf).join(', ')
}

/** Whether a part of the subject is this, whatever the case of its letters. */
export function isSubjectLike(
  certificate: Pick<X509Certificate, 'subject'>,
  part: string,
): boolean {
  return subjectText(certificate).toLowerCase().includes(part.toLowerCase())
}

/** One relative name: `CN=alice`, `OU=a + O=b`. */
function valuesOf(name: string): string {
  // A plus sign within a value is escaped.
  return name
    .split(/ \+ (?=[^\s=]+=)/u)
    .map(valueOf)
    .join(' + ')
}

/** RFC 4514 §2.4: what is special has a backslash in front, or is one with two digits. */
function valueOf(pair: string): string {
  const value = pair.slice(pair.indexOf('=') + 1)
  return value.replaceAll(/\\([0-9A-F]{2}|.)/gu, (_, escaped: string) =>
    escaped.length === 2 ? String.fromCharCode(Number.parseInt(escaped, 16)) : escaped,
  )
}
