/** What scripts decided: the same URL gets the same answer for a while (N67). */

import type { Clock, Monotonic } from '../../base/clock.ts'

/** How long an answer is good (N67). */
export const DECISION_LIFE_MS = 5 * 60_000

/** More answers of one script are not kept. */
const MOST_DECISIONS = 4_000

/** URLs and answers that are longer are not kept, in characters. */
const LONGEST_TEXT = 1_024

interface Decision {
  readonly answer: string
  readonly until: Monotonic
}

/** The answers of one script by the URL as it saw it. */
export class Decisions {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #decisions = new Map<string, Decision>()

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock
  }

  /** @returns undefined when nothing was decided, or too long ago */
  find(url: string): string | undefined {
    const decision = this.#decisions.get(url)
    if (decision === undefined) return undefined
    if (decision.until > this.#clock.monotonic()) return decision.answer
    this.#decisions.delete(url)
    return undefined
  }

  /** Keeps an answer; the oldest goes when there are too many. */
  add(url: string, answer: string): void {
    if (url.length > LONGEST_TEXT || answer.length > LONGEST_TEXT) return
    this.#decisions.delete(url)
    this.#decisions.set(url, { answer, until: this.#clock.monotonic() + DECISION_LIFE_MS })
    if (this.#decisions.size <= MOST_DECISIONS) return
    const [oldest] = this.#decisions.keys()
    if (oldest !== undefined) this.#decisions.delete(oldest)
  }
}
