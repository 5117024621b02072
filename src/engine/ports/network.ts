/** Whether there is a network at all, as the engine needs to know it. */

/** Watches for networks. */
export interface NetworkMonitor {
  /**
   * Calls `back` once, when an address that is not loopback's appears or changes; watching costs nothing before this
   * call and after the disposal.
   */
  whenBack(back: () => void): Disposable
}
