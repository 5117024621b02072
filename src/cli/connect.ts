/** How commands reach the service of this user. */

import { findHome } from '../client/home.ts'
import { connect as connectTo } from '../client/start-service.ts'
import type { RpcClient } from '../rpc/client.ts'

/** What was said once is not said again: who follows a job may connect many times. */
let isTold = false

/**
 * A client of the service, which is started when none answers and `start` allows it; says on standard error when the two
 * are of different versions.
 *
 * @throws {UnreachableError} {LullError} as the client does
 */
export function connect({ start }: { readonly start: boolean }): Promise<RpcClient> {
  return connectTo(findHome(), { start, tell })
}

function tell(sentence: string): void {
  if (!isTold) process.stderr.write(`${sentence}\n`)
  isTold = true
}
