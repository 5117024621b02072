/**
 * Judging servers' certificates: a program that looks at each before anything is sent to its server, after the checks
 * that everybody makes (A84, IBackgroundCopyServerCertificateValidationCallback).
 *
 * A certificate that nobody has judged stops the job in ERROR, and the error has it with it; the program judges, and a
 * job whose certificate was accepted goes on from the bytes it has. So nothing depends on the program being there.
 */

import { JobError } from './failure.ts'
import type { Job } from './job.ts'
import { isActive } from './moves.ts'

/** What a server has shown. */
export interface ShownServer {
  /** `host:port`, lower case; IPv6 in brackets. */
  readonly server: string
  /** DER in Base64: its own first, behind it those of its authorities. */
  readonly certificates: readonly string[]
}

/** What was said of one certificate. */
export interface Judgement {
  readonly server: string
  /** SHA-256 of the certificate's DER: 64 hexadecimal digits, lower case. */
  readonly hash: string
  readonly isAccepted: boolean
}

/** Pairs that one job remembers: those that were accepted last. */
const MOST_ACCEPTED = 256

/** How a pair is remembered, and compared. */
export function acceptedPair({ server, hash }: Pick<Judgement, 'server' | 'hash'>): string {
  return `${server} ${hash}`
}

/** What a job remembers after one more was accepted. */
export function withAccepted(accepted: readonly string[], judgement: Judgement): readonly string[] {
  const pair = acceptedPair(judgement)
  return [...accepted.filter((known) => known !== pair), pair].slice(-MOST_ACCEPTED)
}

/** @throws {JobError} `E_INVALIDARG` for what is no name of a server, or no hash */
export function checkJudgement({ server, hash }: Judgement): void {
  const isServer = server.length <= 300 && /^[^\s]+:\d{1,5}$/u.test(server)
  if (isServer && /^[0-9a-f]{64}$/u.test(hash)) return
  throw new JobError(
    'E_INVALIDARG',
    'Cannot judge a certificate: it is named by host:port and its SHA-256 in 64 hexadecimal digits',
  )
}

/** @throws {JobError} `BG_E_READ_ONLY_WHEN_JOB_ACTIVE` unless the job is SUSPENDED, in ERROR or TRANSFERRED */
export function checkMaySetValidation({ id, state: { kind } }: Job): void {
  if (!isActive(kind) && kind !== 'queued' && kind !== 'transientError') return
  throw new JobError(
    'BG_E_READ_ONLY_WHEN_JOB_ACTIVE',
    `Cannot set who judges the servers of job ${id} while it is active: suspend it first`,
  )
}
