/** A client that does not mind when its service dies: it calls again, which starts the next one. */

import { setTimeout as delay } from 'node:timers/promises'
import { BackgroundCopyError, type BackgroundCopyManager } from 'lull'
import type { LullHome } from '../lab/lull.ts'

/** What no other service of the same home would mend. */
const isFinal = /^ERR_(?:CONFIG|STORE_(?:DAMAGED|NEWER|FOREIGN))/u

const AGAIN_MS = 20
const PATIENCE_MS = 30_000

/** Calls of one round. */
export class Session {
  readonly #home: LullHome
  #manager: BackgroundCopyManager | undefined

  constructor(home: LullHome) {
    this.#home = home
  }

  /** Makes a call until it is answered; it may be made more than once. @throws {BackgroundCopyError} the answer */
  async call<T>(make: (manager: BackgroundCopyManager) => Promise<T>): Promise<T> {
    const limit = performance.now() + PATIENCE_MS
    for (;;) {
      try {
        return await this.once(make)
      } catch (error) {
        if (!isUnanswered(error) || performance.now() > limit) throw error
        await delay(AGAIN_MS)
      }
    }
  }

  /** Makes a call once. @throws what {@link isUnanswered} knows, when nobody knows whether it was heard */
  async once<T>(make: (manager: BackgroundCopyManager) => Promise<T>): Promise<T> {
    try {
      this.#manager ??= await this.#home.manager()
      return await make(this.#manager)
    } catch (error) {
      if (isUnanswered(error)) this.#manager = undefined
      throw error
    }
  }
}

/** Whether an error says that nobody answered: the service died, is ending with the call half done, or is starting. */
export function isUnanswered(error: unknown): boolean {
  if (!(error instanceof BackgroundCopyError)) return false
  if (error.symbol === 'ERROR_CANCELLED') return true
  return error.symbol === 'RPC_S_SERVER_UNAVAILABLE' && !isFinal.test(error.code)
}

/** Whether an error is the service's refusal, with this symbol if one is given. */
export function isRefusal(error: unknown, symbol?: string): boolean {
  if (!(error instanceof BackgroundCopyError) || isUnanswered(error)) return false
  return symbol === undefined || error.symbol === symbol
}
