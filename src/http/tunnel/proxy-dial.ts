/** A connection to a proxy, before anything is said to it. */

import type { Socket } from 'node:net'
import { assert } from '../../base/error.ts'
import { dial } from './dial.ts'
import { proxySilent, unreachable } from './failure.ts'
import type { Journey } from './journey.ts'
import { PROXY_CONNECT_MS } from './limits.ts'
import type { Through } from './through.ts'

/**
 * Connects to a proxy.
 *
 * @param greet the rest of what makes a connection: within the same time, and with the same failure
 * @throws {ProxyUnreachableError} whatever the reason (N75)
 */
export async function dialProxy<Greeted>(
  { proxy, tls }: Through,
  journey: Journey,
  greet: (socket: Socket) => Greeted | Promise<Greeted>,
): Promise<Greeted> {
  assert(
    (proxy.scheme === 'https') === (tls !== undefined),
    'TLS is for https proxies, all of them',
  )
  using _limit = journey.limit(PROXY_CONNECT_MS, () => proxySilent(proxy, PROXY_CONNECT_MS))
  try {
    return await greet(await dial(proxy, tls, journey))
  } catch (error) {
    throw unreachable(error, proxy)
  }
}
