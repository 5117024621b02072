/** The service's language without a socket: for an engine in the caller's own process. */

import { LullError } from '../base/error.ts'
import type { Caller } from '../engine/access.ts'
import type { Engine } from '../engine/engine.ts'
import { JobError } from '../job/failure.ts'
import { refusalIn, type Transport } from '../rpc/client.ts'
import { answer, errorResponse } from '../rpc/dispatch.ts'
import type { ComposedService } from './compose.ts'
import { EventStream } from './event-stream.ts'

/** Characters that wait for a reader before news are only remembered. */
const FULL_AT = 1024 * 1024

/**
 * The transport to a service in this process.
 *
 * @param ended aborted when the service ends: streams end with it, and calls are refused
 */
export function embedTransport(
  { engine, dispatch, self }: ComposedService,
  ended: AbortSignal,
): Transport {
  const checkOpen = (): void => {
    if (ended.aborted)
      throw new LullError('ERR_SERVICE_STOPPED', 'Cannot ask: the engine was stopped')
  }
  return {
    async post(message) {
      checkOpen()
      return Buffer.concat((await answer(message, self, dispatch)) ?? []).toString('utf8')
    },
    async *events(jobs, { signal }) {
      signal.throwIfAborted()
      checkOpen()
      yield* events(engine, self, idsOf(engine, self, jobs), AbortSignal.any([signal, ended]))
      signal.throwIfAborted()
    },
  }
}

/** @throws {RefusedError} as over the socket */
function idsOf(
  engine: Engine,
  self: Caller,
  jobs: readonly string[] | undefined,
): readonly string[] | undefined {
  try {
    return jobs?.map((id) => engine.get(self, id).id)
  } catch (error) {
    throw error instanceof JobError ? refusalIn(errorResponse(error)) : error
  }
}

async function* events(
  engine: Engine,
  self: Caller,
  ids: readonly string[] | undefined,
  signal: AbortSignal,
): AsyncGenerator<string, void> {
  let waiting = ''
  let news = Promise.withResolvers<void>()
  const sink = {
    get isFull() {
      return waiting.length >= FULL_AT
    },
    write(text: string) {
      waiting += text
      news.resolve()
    },
  }
  const onAbort = (): void => news.resolve()
  signal.addEventListener('abort', onAbort, { once: true })
  using stream = new EventStream(engine, self, ids, sink)
  try {
    while (!signal.aborted) {
      if (waiting === '') {
        await news.promise
        news = Promise.withResolvers<void>()
        continue
      }
      const text = waiting
      waiting = ''
      yield text
      stream.drained()
    }
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
