/** What one call has used of its limits. */

import type { ScriptLimits } from './limits.ts'

/** The time, the names and the words of one call. */
export class Budget {
  readonly #limits: ScriptLimits
  readonly #began = performance.now()
  readonly #names = new Map<string, string>()
  #waitedMs = 0
  #said = ''

  constructor(limits: ScriptLimits) {
    this.#limits = limits
  }

  /** Whether the time is used up. */
  get isOver(): boolean {
    const tookMs = performance.now() - this.#began
    return tookMs > this.#limits.callMs || tookMs - this.#waitedMs > this.#limits.computeMs
  }

  /** What the script wrote to the log. */
  get said(): string {
    return this.#said
  }

  /** Keeps a line while there is room for it. */
  say(line: string): void {
    const room = this.#limits.log - this.#said.length
    if (room > 0) this.#said += `${this.#said === '' ? '' : '\n'}${line}`.slice(0, room)
  }

  /**
   * Asks for a name once in a call (N70); the names after the last that is allowed have no address.
   *
   * @param ask stands still up to the milliseconds it is given
   */
  name(key: string, ask: (timeoutMs: number) => string): string {
    const known = this.#names.get(key)
    if (known !== undefined) return known
    if (this.#names.size >= this.#limits.names) {
      this.say(`More than ${this.#limits.names} names were asked for`)
      return ''
    }
    const before = performance.now()
    const leftMs = this.#began + this.#limits.callMs - before
    const answer = leftMs <= 0 ? '' : ask(Math.min(leftMs, this.#limits.nameMs))
    this.#waitedMs += performance.now() - before
    this.#names.set(key, answer)
    return answer
  }
}
