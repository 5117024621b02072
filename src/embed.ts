/** The engine inside the caller's process: for programs that bring their own service. */

import { BackgroundCopyManager } from './client/background-copy-manager.ts'
import { currentWorld, findHome } from './client/home.ts'
import { embedTransport } from './service/embed-transport.ts'
import { compose } from './service/compose.ts'
import { RpcClient } from './rpc/client.ts'

export { BackgroundCopyManager }

/** An engine in this process. */
export interface Embedded extends AsyncDisposable {
  readonly manager: BackgroundCopyManager
  /** Everything synced and committed; the home is free for another service. */
  stop(): Promise<void>
}

/**
 * Runs the engine in this process. Its queue lives in `home`, which no other service may hold meanwhile; jobs that are
 * not final when it stops go on with the next one.
 *
 * @param options `home` is the folder of the queue; without it LULL_HOME or the platform's usual place
 * @throws {LullError} `ERR_SERVICE_LOCKED` when another service holds this home
 */
export function embed({ home }: { readonly home?: string } = {}): Promise<Embedded> {
  const world = currentWorld()
  const place = findHome(
    home === undefined ? world : { ...world, env: { ...world.env, LULL_HOME: home } },
  )
  const service = compose(place, { stopRequested: () => undefined })
  const manager = new BackgroundCopyManager(new RpcClient(embedTransport(service)))
  let stopped: Promise<void> | undefined
  const stop = (): Promise<void> => (stopped ??= service.stop())
  return Promise.resolve({ manager, stop, [Symbol.asyncDispose]: stop })
}
