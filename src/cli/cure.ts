/** What a person can do about a job that failed. */

import type { JobView } from '../rpc/contract.ts'

/** What has to be set, by the error that says it is missing; then `resume` goes on from the bytes there are (A140). */
const cures: ReadonlyMap<string, readonly [what: string, command: string]> = new Map([
  ['BG_E_HTTP_ERROR_401', ['credentials for the server', 'lull credentials set ID --user NAME']],
  [
    'BG_E_HTTP_ERROR_407',
    ['credentials for the proxy', 'lull credentials set ID --proxy-user NAME'],
  ],
  [
    'ERROR_WINHTTP_CLIENT_AUTH_CERT_NEEDED',
    ['a client certificate', 'lull credentials set ID --cert FILE'],
  ],
  ['BG_E_INVALID_PROXY_INFO', ['another proxy', 'lull proxy set ID --proxy PROXY']],
])

/** What mends the job's error before it is resumed; `undefined` where nothing is known to. */
export function cureOf({ id, state, error }: JobView): string | undefined {
  if (state !== 'ERROR' || error === null) return undefined
  const [what, command] = cures.get(error.symbol) ?? []
  if (what === undefined || command === undefined) return undefined
  const short = id.slice(0, 8)
  return `${command.replace('ID', short)} sets ${what}, then lull resume ${short} goes on with what is there`
}
