/** Whether a certificate may be shown by clients (RFC 5280 §4.2.1.12). */

import type { X509Certificate } from 'node:crypto'

/** Extended key usages with which we may use it. */
const clientUsages = new Set(['1.3.6.1.5.5.7.3.2', '2.5.29.37.0'])

/** Without the extension it is for everything. */
export function clientUsageOf({ keyUsage }: Pick<X509Certificate, 'keyUsage'>): boolean {
  const usages = keyUsage as readonly string[] | undefined
  return usages === undefined || usages.some((usage) => clientUsages.has(usage))
}
