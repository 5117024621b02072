/** The service's language without a socket: for an engine in the caller's own process. */

import type { Transport } from '../rpc/client.ts'
import { answer } from '../rpc/dispatch.ts'
import type { ComposedService } from './compose.ts'
import { EventStream } from './event-stream.ts'

/** Characters that wait for a reader before news are only remembered. */
const FULL_AT = 1024 * 1024

/** The transport to a service in this process. */
export function embedTransport({ engine, dispatch, self }: ComposedService): Transport {
  return {
    post: async (message) => (await answer(message, self, dispatch)) ?? '',
    async *events(jobs, { signal }) {
      signal.throwIfAborted()
      const ids = jobs?.map((id) => engine.get(self, id).id)
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
    },
  }
}
