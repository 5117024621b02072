/** A carrier that is none: of a service that is about to end, which leaves its work to the next one. */

import type { StartHost } from './hosted-carriers.ts'

/** Takes orders and does nothing about them, until it is told to end. */
export const noHost: StartHost = ({ gone }) => {
  const end = (): void => gone('there is no carrier any more')
  return {
    processId: undefined,
    send: ({ kind }) => {
      if (kind === 'end') queueMicrotask(end)
    },
    kill: end,
  }
}
