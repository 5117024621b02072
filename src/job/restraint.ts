/**
 * How a job goes easy on a server that refuses because it is asked too much, and does not say when to come again.
 *
 * The refusal ends the turn, and the retry delay follows (bits-jobs.md §20.1): a turn that asks as before would be refused
 * after as few files again. So each refusal makes the next turns gentler by one step: half of the connections, and twice the
 * time between two requests; a minute without one takes a step back.
 */

import type { Failure } from './failure.ts'
import { httpStatusHresult } from './hresult.ts'

/** Steps, the last of which may have been eased in part: 0 is no restraint at all. */
export type Restraint = number

/** Between two requests at the first step: forty in a second. */
const LEAST_SPACING_MS = 25

/** At the last step the time between two requests is longer than BITS's shortest retry delay. */
const MOST: Restraint = 9

/** How long a step lasts. */
const STEP_MS = 60_000

/** Too many requests (RFC 6585 §4), and overloaded (RFC 9110 §15.6.4). */
const tooMuch = new Set([429, 503].map(httpStatusHresult))

/** Whether a server refused because it is asked too much. One that says when to come again is taken at its word. */
export function isTooMuch({ hresult, retryAfterMs }: Failure): boolean {
  return tooMuch.has(hresult) && retryAfterMs === undefined
}

/** What is left of a restraint after so many milliseconds without a refusal, in how many turns ever. */
export function eased(restraint: Restraint, elapsedMs: number): Restraint {
  return Math.max(0, restraint - elapsedMs / STEP_MS)
}

/**
 * The restraint after a refusal: of whole steps, because the last one begins anew.
 *
 * @param hasProgressed whether anything came before it: a server that is down refuses whoever asks, however gently
 */
export function tightened(restraint: Restraint, hasProgressed: boolean): Restraint {
  const step = Math.ceil(restraint)
  return step > 0 && !hasProgressed ? step : Math.min(MOST, step + 1)
}

/** How a turn asks. */
export interface Pressure {
  /** How many files of it may be on their way. */
  readonly connections: number
  /** Milliseconds from one request to the next. */
  readonly spacingMs: number
}

/** How a turn asks at this step, until nothing of it is left. @param connections how many it may have without restraint */
export function pressureOf(restraint: Restraint, connections: number): Pressure {
  const step = Math.ceil(restraint)
  if (step <= 0) return { connections, spacingMs: 0 }
  return {
    connections: Math.max(1, Math.floor(connections / 2 ** step)),
    spacingMs: LEAST_SPACING_MS * 2 ** (step - 1),
  }
}
