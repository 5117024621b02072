/** Where rounds are played one after another: homes in which one service follows the other, and the queue grows. */

import type { JobView } from 'lull'
import { LullHome } from '../lab/lull.ts'
import type { RoundPlan } from './plan.ts'

/** The homes of one player. */
export class Stage implements AsyncDisposable {
  readonly #homes = new Map<RoundPlan['carriers'], LullHome>()
  readonly #acknowledged = new Map<LullHome, string[]>()

  /** The home whose carriers are of this kind. */
  home(carriers: RoundPlan['carriers']): LullHome {
    const known = this.#homes.get(carriers)
    if (known !== undefined) return known
    const home = new LullHome({ config: configOf(carriers) })
    this.#homes.set(carriers, home)
    return home
  }

  /** Remembers jobs that a service of this home has acknowledged. */
  remember(home: LullHome, ids: readonly string[]): void {
    this.#acknowledged.set(home, [...(this.#acknowledged.get(home) ?? []), ...ids])
  }

  /** Gives a home up in which something went wrong: the next round gets another. */
  async giveUp(carriers: RoundPlan['carriers']): Promise<void> {
    const home = this.#homes.get(carriers)
    this.#homes.delete(carriers)
    await home?.[Symbol.asyncDispose]()
  }

  /** Jobs of earlier rounds that nobody knows any more. */
  async forgotten(): Promise<readonly string[]> {
    const found = Array.from(this.#homes.values(), async (home) => {
      // The command's own words.
      const jobs = (await home.json(['jobs', '--all'])) as readonly JobView[]
      const ids = new Set(jobs.map(({ id }) => id))
      return (this.#acknowledged.get(home) ?? []).filter((id) => !ids.has(id))
    })
    return (await Promise.all(found)).flat()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const home of this.#homes.values()) await home[Symbol.asyncDispose]()
  }
}

/** What the service of a round is told. */
export function configOf(carriers: RoundPlan['carriers']): {
  carrierProcesses: boolean
  debug: true
} {
  return { carrierProcesses: carriers === 'processes', debug: true }
}
