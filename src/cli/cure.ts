/** What a person can do about a job that failed. */

import type { JobView } from '../rpc/contract.ts'

/** What mends a job, before it goes on from the bytes it has (A140). */
export interface Cure {
  /** What it lacks: `credentials for the server`. */
  readonly what: string
  /** To be typed one after the other. */
  readonly commands: readonly [string, string]
  /** What else is good to know. */
  readonly hint?: string
}

/** What mends the error of a job; `undefined` where it has none, or nothing is known to mend it. */
export function cureOf({ id, state, error }: JobView): Cure | undefined {
  if (state !== 'ERROR' || error === null) return undefined
  const short = id.slice(0, 8)
  const resume = `lull resume ${short}`
  switch (error.symbol) {
    case 'BG_E_HTTP_ERROR_401':
      return {
        what: 'credentials for the server',
        commands: [`lull credentials set ${short} --user NAME`, resume],
        ...(error.remoteName?.startsWith('http:') === true ? { hint: hints.server } : {}),
      }
    case 'BG_E_HTTP_ERROR_407':
      return {
        what: 'credentials for the proxy',
        commands: [`lull credentials set ${short} --proxy-user NAME`, resume],
        hint: hints.proxy,
      }
    case 'ERROR_WINHTTP_CLIENT_AUTH_CERT_NEEDED':
      return {
        what: 'a client certificate',
        commands: [`lull credentials set ${short} --cert FILE`, resume],
      }
    case 'ERROR_WINHTTP_SECURE_INVALID_CA':
      return {
        what: 'the authority that has issued the certificate',
        commands: [`lull trust set ${short} --cacert FILE`, resume],
        hint: hints.authority,
      }
    case 'BG_E_INVALID_PROXY_INFO':
      return {
        what: 'another proxy',
        commands: [`lull proxy set ${short} --proxy PROXY`, resume],
      }
    default:
      return undefined
  }
}

/** What is good to know besides. Nobody's password is shown on the way unless that was asked for. */
const hints = {
  authority:
    'One that is in the store of the system, as a company puts its own there, needs lull resume alone',
  server:
    'A server that knows Basic alone needs --scheme basic too; the password can then be read on the way',
  proxy:
    'A proxy that knows Basic alone needs --proxy-scheme basic too; the password can then be read on the way',
} as const
