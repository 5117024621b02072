/** How much a script may have. */

/** Bounds of one script; each has its own failure. */
export interface ScriptLimits {
  /** How long one call may take, waiting for names included (N64). */
  readonly callMs: number
  /** How long one call may compute. A script that decides takes less than a millisecond. */
  readonly computeMs: number
  /** How long one name may take (N70). */
  readonly nameMs: number
  /** How many different names one call may ask for; as many as Chromium allows. */
  readonly names: number
  /** Bytes of memory (N64). */
  readonly memory: number
  /** Bytes of stack; the engine has one MiB. */
  readonly stack: number
  /** Characters of an answer. */
  readonly answer: number
  /** Characters that one call may write to the log; as many as Chromium takes. */
  readonly log: number
}

/** What scripts get. */
export const scriptLimits: ScriptLimits = {
  callMs: 10_000,
  computeMs: 2_000,
  nameMs: 5_000,
  names: 20,
  memory: 64 * 1024 * 1024,
  stack: 256 * 1024,
  answer: 65_536,
  log: 2_048,
}
