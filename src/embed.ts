/** The engine inside the caller's process: for programs that bring their own service. */

import './needed-node.ts'
import { BackgroundCopyManager } from './client/background-copy-manager.ts'
import { translate } from './client/errors.ts'
import { currentWorld, findHome, type Home } from './client/home.ts'
import type { ComposedService } from './service/compose.ts'
import { RpcClient } from './rpc/client.ts'

export { BackgroundCopyManager }

/** An engine in this process. */
export interface Embedded extends AsyncDisposable {
  readonly manager: BackgroundCopyManager
  /** Everything synced and committed; the home is free for another service. */
  readonly stop: () => Promise<void>
}

/**
 * Runs the engine in this process. Its queue lives in `home`, which no other service may hold meanwhile; jobs that are
 * not final when it stops go on with the next one.
 *
 * @param options `home` is the folder of the queue; without it LULL_HOME or the platform's usual place
 * @throws {BackgroundCopyError} `RPC_S_SERVER_UNAVAILABLE`; its `code` says more precisely why: `ERR_SERVICE_LOCKED`
 *   when another service holds this home, `ERR_CONFIG`, `ERR_STORE_NEWER` and the like
 */
export async function embed({ home }: { readonly home?: string } = {}): Promise<Embedded> {
  const world = currentWorld()
  const place = findHome(
    home === undefined ? world : { ...world, env: { ...world.env, LULL_HOME: home } },
  )
  const { embedTransport } = await import('./service/embed-transport.ts')
  const service = await composed(place)
  const ended = new AbortController()
  const client = new RpcClient(embedTransport(service, ended.signal))
  let stopped: Promise<void> | undefined
  const stop = (): Promise<void> => {
    ended.abort()
    return (stopped ??= service.stop())
  }
  return { manager: new BackgroundCopyManager(client), stop, [Symbol.asyncDispose]: stop }
}

/** Loaded here alone: what an older Node lacks would fail before it could be said. */
async function composed(place: Home): Promise<ComposedService> {
  const { compose } = await import('./service/compose.ts')
  try {
    return compose(place, { stopRequested: () => undefined })
  } catch (error) {
    throw translate(error)
  }
}
