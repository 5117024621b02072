/** What lies beside the lock of a home: who holds it, and whether somebody will answer who does not answer yet. */

/** The holder of a home. */
export interface Holder {
  /** The process id. */
  readonly pid: number
  /** Whether it starts, or makes room for the next service, which will be the same process. */
  readonly isComing: boolean
}

/** The line that says so. */
export function formatHolder({ pid, isComing }: Holder): string {
  return isComing ? `${pid} coming\n` : `${pid}\n`
}

/** Reads that line; `undefined` when it is none. */
export function parseHolder(text: string): Holder | undefined {
  const [, digits, coming] = /^([1-9]\d{0,14})( coming)?\n?$/u.exec(text) ?? []
  return digits === undefined ? undefined : { pid: Number(digits), isComing: coming !== undefined }
}
