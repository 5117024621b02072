/** One way to find out which script the network names. */

/** Asks one thing in one way. */
export interface ScriptFinder {
  /** For the log: `DHCP`, `DNS`. */
  readonly name: string
  /**
   * Asks.
   *
   * @returns the URL of the script; undefined when this way names none, or cannot be gone here
   */
  find(signal: AbortSignal): Promise<string | undefined>
}
