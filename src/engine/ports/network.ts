/** The network of this machine, as the engine needs to know it. */

/** What happened to the network. */
export interface NetworkChange {
  /** Whether something came that can be used: an address, or a way to everywhere. Otherwise something only went. */
  readonly somethingCame: boolean
}

/** Looks at the network. */
export interface NetworkMonitor {
  /** Whether this machine has an address that reaches further than itself and its links. Looked up anew, in microseconds. */
  isThere(): boolean
  /**
   * Tells of changes until it is disposed; a burst of them is told once, when it is over. What happened since the last
   * watch ended is told at the beginning of this one, once this call has returned. A change told that was none does no
   * harm; one that is not told costs a job its retry delay.
   */
  watch(changed: (change: NetworkChange) => void): Disposable
  /** What the network costs, a set of `costStates`; `undefined` until it is known, and while nobody watches. */
  cost(): number | undefined
  /** Finds out what the network costs, and tells when that is known or changes, until it is disposed; never at once. */
  watchCost(changed: () => void): Disposable
}
