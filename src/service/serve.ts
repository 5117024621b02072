/** A service as a process: composed, listening, ending on a signal with everything synced. */

import { findHome, type Home } from '../client/home.ts'
import { compose } from './compose.ts'
import { listen, type SocketServer } from './socket-server.ts'

/** A service that answers. */
export interface RunningService {
  readonly home: Home
  /** Resolves when the service has ended: with whether the next one is to be begun, with the code that is there now. */
  readonly ended: Promise<{ readonly isRenewed: boolean }>
  /** Ends it; may be called twice. */
  stop(): void
}

/**
 * Starts a service in this process and ends it on SIGTERM, SIGINT or a client's request.
 *
 * @throws {LullError} as `compose` and `listen` do
 */
export async function serve(home: Home = findHome()): Promise<RunningService> {
  const { promise: requested, resolve: request } = Promise.withResolvers<void>()
  // The answer to the call that asks for it goes out first.
  let server: SocketServer | undefined
  let isRenewed = false
  // Whoever wants it to end is heard also while it makes room for the next one, and before.
  let isStopped = false
  const stop = (): void => {
    isStopped = true
    service.announce(false)
    request()
  }
  const stopRequested = (): void => {
    isStopped = true
    service.announce(false)
    setImmediate(() => {
      server?.endStreams()
      request()
    })
  }
  const renewalRequested = (): void => {
    // Streams are not ended in order: whoever follows a job comes back to the next service.
    setImmediate(() => {
      isRenewed = true
      service.announce(!isStopped)
      request()
    })
  }
  const service = compose(home, { stopRequested, renewalRequested, isComing: true })
  try {
    const listening = await listen(home.socket, service)
    server = listening
    service.announce(false)
    // Heard again and again: a second signal must not end what the first is still syncing.
    process.on('SIGTERM', stop)
    process.on('SIGINT', stop)
    const ended = requested.then(async () => {
      await Promise.all([listening.stop(), service.stop()])
      return { isRenewed: isRenewed && !isStopped }
    })
    return { home, ended, stop }
  } catch (error) {
    service.announce(false)
    await service.stop()
    throw error
  }
}
