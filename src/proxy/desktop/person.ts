/** Whose settings are read (N6, A110): everything a place needs to know of a person. */

import type { Environment } from '../program.ts'

/** A person; the process that reads is this person's own. */
export interface Person {
  readonly environment: Environment
  /** Full path. */
  readonly home: string
  /** Where the system has numbers for people. */
  readonly uid?: number | undefined
}
