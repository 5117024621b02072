/** TLS over a way that is already made, or to be made with it. */

import type { SecureContext } from 'node:tls'

/** What makes a connection one of TLS. */
export interface ConnectionTls {
  readonly context: SecureContext
  /** Of an earlier connection to the same peer (RFC 8446 §2.2). */
  readonly session: Buffer | undefined
  /** Hears of sessions for the next connection. */
  readonly keepSession: (session: Buffer) => void
}
