/** Another client, to prove the servers of the lab before they prove ours. */

import { execFile } from 'node:child_process'
import { whyMissing } from './installed.ts'

/** Why there is no curl here; `false` when there is. */
export const cannotCurl: string | false = whyMissing({ curl: 'curl' })

/** What curl says: the status of the server, or of the proxy that refused to connect; 0 when neither answered. */
export async function curl(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<number> {
  const told = ['-s', '-o', '/dev/null', '-w', '%{http_code} %{http_connect}', '--max-time', '10']
  return new Promise((resolve) => {
    const options = { env: { PATH: process.env['PATH'], ...env } }
    // It fails where the connection does, and tells what it has seen all the same.
    execFile('curl', [...told, '--http1.1', '--noproxy', '', ...args], options, (_, stdout) => {
      const [status = 0, connect = 0] = stdout.split(' ').map(Number)
      resolve(status === 0 ? connect : status)
    })
  })
}
