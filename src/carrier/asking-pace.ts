/** Spaces the requests of a turn whose job goes easy on a server (job/restraint). */

import type { Clock, Monotonic } from '../base/clock.ts'
import { eased, pressureOf, type Pressure, type Restraint } from '../job/restraint.ts'

/** The pace of one turn, from its first request on. */
export class AskingPace implements Disposable {
  readonly #restraint: Restraint
  readonly #connections: number
  readonly #clock: Clock
  readonly #since: Monotonic
  #nextAt: Monotonic
  #alarm: Disposable | undefined

  /** @param connections how many the turn may have without restraint */
  constructor(restraint: Restraint, connections: number, clock: Clock) {
    this.#restraint = restraint
    this.#connections = connections
    this.#clock = clock
    this.#since = clock.monotonic()
    this.#nextAt = this.#since
  }

  /** How many files may be on their way now; `undefined` when there is no restraint any more. */
  get window(): number | undefined {
    const { connections, spacingMs } = this.#pressure
    return spacingMs === 0 ? undefined : connections
  }

  /** Takes the place of one request now; else calls `again` once when there is one. */
  admits(again: () => void): boolean {
    const { spacingMs } = this.#pressure
    const now = this.#clock.monotonic()
    if (now >= this.#nextAt) {
      this.#nextAt = now + spacingMs
      return true
    }
    this.#alarm ??= this.#clock.alarm(this.#nextAt - now, () => {
      this.#alarm = undefined
      again()
    })
    return false
  }

  [Symbol.dispose](): void {
    this.#alarm?.[Symbol.dispose]()
  }

  get #pressure(): Pressure {
    const elapsedMs = this.#clock.monotonic() - this.#since
    return pressureOf(eased(this.#restraint, elapsedMs), this.#connections)
  }
}
