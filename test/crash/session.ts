/** A client that does not mind when its service dies: it calls again, which starts the next one. */

import { setTimeout as delay } from 'node:timers/promises'
import { BackgroundCopyError, type BackgroundCopyManager } from 'lull'
import type { LullHome } from '../lab/lull.ts'

/** What happens to a call while the service dies or starts; everything else is an answer. */
const unanswered = new Set(['ERR_RPC_UNREACHABLE', 'ERR_SERVICE_START'])

const AGAIN_MS = 20
const PATIENCE_MS = 30_000

/** Calls of one round. */
export class Session {
  readonly #home: LullHome
  #manager: BackgroundCopyManager | undefined
  #starts = 0

  constructor(home: LullHome) {
    this.#home = home
  }

  /** How many times a service was looked for. */
  get connects(): number {
    return this.#starts
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
      this.#manager ??= await this.#connect()
      return await make(this.#manager)
    } catch (error) {
      if (isUnanswered(error)) this.#manager = undefined
      throw error
    }
  }

  #connect(): Promise<BackgroundCopyManager> {
    this.#starts++
    return this.#home.manager()
  }
}

/** Whether an error says that nobody answered. */
export function isUnanswered(error: unknown): boolean {
  return error instanceof Error && 'code' in error && unanswered.has(String(error.code))
}

/** Whether an error is the service's refusal, with this symbol if one is given. */
export function isRefusal(error: unknown, symbol?: string): boolean {
  return error instanceof BackgroundCopyError && (symbol === undefined || error.symbol === symbol)
}
