/** Happy eyeballs: addresses tried side by side until one of them answers (RFC 8305 §5). */

import type { Socket } from 'node:net'
import { endOf, type Journey } from './journey.ts'

/** How long an attempt is alone before the next one is begun beside it: the Connection Attempt Delay. */
export const ATTEMPT_DELAY_MS = 250

/**
 * Connects to whichever address answers first.
 *
 * An attempt that is slow goes on while others are tried: on a slow link every one of them is slow. One that fails has
 * the next one begun at once.
 *
 * @param addresses in the order in which they are tried; at least one
 * @param begin begins to connect; the sockets that are not wanted any more are destroyed
 * @returns a socket that has just connected
 * @throws the error of the only attempt, or an `AggregateError` of all of them; the reason of a journey broken off
 */
export function race<Kind extends Socket>(
  addresses: readonly string[],
  begin: (address: string) => Kind,
  journey: Journey,
): Promise<Kind> {
  const contest = new Race(addresses, begin, journey)
  contest.next()
  return contest.winner
}

class Race<Kind extends Socket> {
  readonly winner: Promise<Kind>
  readonly #result = Promise.withResolvers<Kind>()
  readonly #waiting: string[]
  readonly #begin: (address: string) => Kind
  readonly #journey: Journey
  readonly #running = new Set<Kind>()
  readonly #errors: Error[] = []
  #alarm: Disposable | undefined

  constructor(addresses: readonly string[], begin: (address: string) => Kind, journey: Journey) {
    this.#waiting = [...addresses]
    this.#begin = begin
    this.#journey = journey
    this.winner = this.#result.promise
  }

  /** Tries the next address, if there is one. */
  next(): void {
    this.#alarm?.[Symbol.dispose]()
    const address = this.#journey.signal.aborted ? undefined : this.#waiting.shift()
    if (address === undefined) {
      if (this.#running.size === 0) this.#result.reject(this.#reason())
      return
    }
    const socket = this.#journey.own(this.#begin(address))
    this.#running.add(socket)
    this.#journey.progressed()
    socket.once('connect', () => this.#win(socket))
    socket.once('close', () => this.#lose(socket))
    if (this.#waiting.length === 0) return
    this.#alarm = this.#journey.clock.alarm(ATTEMPT_DELAY_MS, () => this.next())
  }

  #win(socket: Kind): void {
    this.#alarm?.[Symbol.dispose]()
    this.#running.delete(socket)
    for (const other of this.#running) other.destroy()
    this.#running.clear()
    this.#result.resolve(socket)
  }

  #lose(socket: Kind): void {
    // Those that were beaten, and the winner when it closes one day, have no say.
    if (!this.#running.delete(socket)) return
    this.#errors.push(endOf(socket))
    this.next()
  }

  #reason(): unknown {
    const { signal } = this.#journey
    if (signal.aborted) return signal.reason
    return this.#errors.length === 1 ? this.#errors[0] : new AggregateError(this.#errors)
  }
}
