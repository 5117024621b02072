/** Questions about the way to a URL, and the carriers that find the answers. */

import type { Owner } from '../job/job.ts'
import type { Core } from './core.ts'
import type { ExamineOrder, Finding, Report } from './order.ts'

/** Examinations under way. Nothing of them outlives the service. */
export class Examinations {
  readonly #core: Core
  readonly #waiting = new Map<string, (findings: readonly Finding[]) => void>()
  #count = 0

  constructor(core: Core) {
    this.#core = core
  }

  /**
   * Has a carrier find out.
   *
   * @param order what is secret in it belongs to the carrier
   * @returns empty when the carrier is gone before it knew
   */
  begin(
    owner: Owner,
    order: Omit<ExamineOrder, 'kind' | 'examination'>,
  ): Promise<readonly Finding[]> {
    const { promise, resolve } = Promise.withResolvers<readonly Finding[]>()
    const examination = `examination ${++this.#count}`
    this.#waiting.set(examination, resolve)
    this.#core.world.carriers.send(owner, { ...order, kind: 'examine', examination })
    return promise
  }

  examined({ examination, findings }: Extract<Report, { kind: 'examined' }>): void {
    this.#waiting.get(examination)?.(findings)
    this.#waiting.delete(examination)
  }

  /** The carrier is gone. */
  lost(): void {
    for (const resolve of this.#waiting.values()) resolve([])
    this.#waiting.clear()
  }
}
