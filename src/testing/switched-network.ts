/** A network that a test switches on and off. */

import type { NetworkChange, NetworkMonitor } from '../engine/ports/network.ts'

/** There until {@link SwitchedNetwork.goAway}; what it costs is unknown until {@link SwitchedNetwork.charge}. */
export class SwitchedNetwork implements NetworkMonitor {
  readonly #watchers = new Set<(change: NetworkChange) => void>()
  readonly #costWatchers = new Set<() => void>()
  #isThere: boolean
  #cost: number | undefined

  constructor({ isThere = true }: { readonly isThere?: boolean } = {}) {
    this.#isThere = isThere
  }

  isThere(): boolean {
    return this.#isThere
  }

  watch(changed: (change: NetworkChange) => void): Disposable {
    this.#watchers.add(changed)
    return { [Symbol.dispose]: () => this.#watchers.delete(changed) }
  }

  cost(): number | undefined {
    return this.#costWatchers.size === 0 ? undefined : this.#cost
  }

  watchCost(changed: () => void): Disposable {
    this.#costWatchers.add(changed)
    return { [Symbol.dispose]: () => this.#costWatchers.delete(changed) }
  }

  /** How many watch whether it is there. */
  get watchers(): number {
    return this.#watchers.size
  }

  /** How many watch what it costs. */
  get costWatchers(): number {
    return this.#costWatchers.size
  }

  /** The last address goes. */
  goAway(): void {
    this.#isThere = false
    this.#tell({ somethingCame: false })
  }

  /** It goes, and nobody is told yet. */
  goAwaySilently(): void {
    this.#isThere = false
  }

  /** An address comes, the first or another one. */
  comeBack(): void {
    this.#isThere = true
    this.#tell({ somethingCame: true })
  }

  /** It costs this from now on. @param cost of `costStates` */
  charge(cost: number): void {
    this.#cost = cost
    for (const changed of this.#costWatchers) changed()
  }

  #tell(change: NetworkChange): void {
    for (const changed of this.#watchers) changed(change)
  }
}
