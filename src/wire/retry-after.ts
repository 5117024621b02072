/** Retry-After: when a server wants to be asked again (RFC 9110 §10.2.3). */

import type { Instant } from '../base/clock.ts'
import { parseHttpDate } from './http-date.ts'

/** The longest delay that is taken from a server; a mistyped number must not put a job to sleep for years. */
export const LONGEST_RETRY_AFTER_MS = 30 * 24 * 60 * 60 * 1000

/**
 * Reads a Retry-After field, seconds or a date.
 *
 * @param value as received; `undefined` when the field was absent
 * @param now the wall clock
 * @returns milliseconds from `now`, 0 to {@link LONGEST_RETRY_AFTER_MS}, what lies outside brought to the nearer end;
 *   `undefined` when the field says nothing
 */
export function parseRetryAfter(value: string | undefined, now: Instant): number | undefined {
  if (value === undefined) return undefined
  const delayMs = /^\d+$/.test(value) ? Number(value) * 1000 : untilDate(value, now)
  return delayMs === undefined ? undefined : Math.min(Math.max(delayMs, 0), LONGEST_RETRY_AFTER_MS)
}

function untilDate(value: string, now: Instant): number | undefined {
  const date = parseHttpDate(value, now)
  return date === undefined ? undefined : date - now
}
