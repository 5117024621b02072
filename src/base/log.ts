/** The log as the pure rooms see it. No secret ever enters it. */

/** How much a line matters. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** Where lines go. */
export interface Log {
  /**
   * Writes one line.
   *
   * @param event a short sentence, sentence case, no full stop
   * @param facts plain values that belong to it; never a credential, a header's value or a URL with user information
   */
  write(level: LogLevel, event: string, facts?: Readonly<Record<string, unknown>>): void
}

/** A log that keeps nothing. */
export const silentLog: Log = { write: () => undefined }
