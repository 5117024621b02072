/** Lets a service begin anew once its code was replaced: at once when nothing is transferred, else when nothing is. */

import type { Log } from '../base/log.ts'
import type { CodeView } from '../rpc/contract.ts'
import type { CodeWatch } from './code-watch.ts'

/** How often code that is still being replaced is looked at again. */
const LOOK_AGAIN_MS = 500

/** What it decides by, and what it does. */
export interface RenewalWorld {
  readonly code: CodeWatch
  /** Whether nothing is transferred, renamed or looked into. */
  readonly isIdle: () => boolean
  /** Ends the service and begins the next one; absent where that is not ours to do: in another's process. */
  readonly begin: (() => void) | undefined
  readonly log: Log
}

/** Watches over one service. */
export class Renewal implements Disposable {
  readonly #world: RenewalWorld
  #hasTold = false
  #timer: NodeJS.Timeout | undefined

  constructor(world: RenewalWorld) {
    this.#world = world
  }

  /** What is to be said of the code; begins anew when that is due and harms nobody. */
  consider(): CodeView {
    const { code, isIdle, begin } = this.#world
    if (!code.isReplaced(true)) return { state: 'current', isRestarting: false }
    this.#tell()
    const isDue = begin !== undefined && isIdle() && code.isSettled()
    if (isDue) begin()
    return { state: 'replaced', isRestarting: isDue }
  }

  /**
   * Whether the next service is to do what a new carrier would be started for, because it would be of another version.
   * Begins anew then, as soon as all of the code is there.
   */
  leavesWork(): boolean {
    const { code, begin } = this.#world
    if (begin === undefined || !code.isReplaced()) return false
    this.#tell()
    this.#beginWhenSettled(begin)
    return true
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
  }

  #beginWhenSettled(begin: () => void): void {
    // Every order that finds no carrier asks: one look ahead will do.
    clearTimeout(this.#timer)
    if (this.#world.code.isSettled()) return begin()
    this.#timer = setTimeout(() => this.#beginWhenSettled(begin), LOOK_AGAIN_MS)
  }

  #tell(): void {
    if (this.#hasTold) return
    this.#hasTold = true
    this.#world.log.write(
      'warn',
      'The code of this service was replaced: it begins anew once nothing is transferred',
    )
  }
}
