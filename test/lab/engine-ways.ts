/** The SDK over each kind of engine. */

import type { BackgroundCopyManager } from 'lull'
import { embed } from 'lull/embed'
import type { LullHome } from './lull.ts'

/** Both ways to an engine; the promises are the same. */
export const ways: readonly {
  readonly name: string
  readonly open: (home: LullHome) => Promise<BackgroundCopyManager & Partial<AsyncDisposable>>
}[] = [
  { name: 'over the socket', open: (home) => home.manager() },
  {
    name: 'in this process',
    open: async (home) => {
      const embedded = await embed({ home: home.home })
      return Object.assign(embedded.manager, {
        [Symbol.asyncDispose]: () => embedded[Symbol.asyncDispose](),
      })
    },
  },
]
