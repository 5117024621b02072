/**
 * Every move a job may make, as one table (bits-jobs.md §18.2). A pair that is absent is `BG_E_INVALID_STATE`.
 *
 * Ten rows: the nine values of BG_JOB_STATE, and `none`, where a job is before CreateJob.
 *
 * | state | meaning |
 * |---|---|
 * | suspended | paused; every job starts here; nothing happens until Resume, Complete or Cancel |
 * | queued | ready, waiting for its turn |
 * | connecting | has its turn; no byte of an answer yet |
 * | transferring | data moves |
 * | transientError | a recoverable failure; the service goes on by itself when what it waits for is there |
 * | error | a failure that needs a person or a program |
 * | transferred | every byte is on disk under temporary names; waits for Complete |
 * | acknowledged | complete: final |
 * | cancelled | given up: final |
 */
export const moves = {
  none: { create: 'suspended' },
  suspended: {
    resume: 'queued',
    suspend: 'suspended',
    complete: 'acknowledged',
    cancel: 'cancelled',
    scavenge: 'cancelled',
  },
  queued: {
    activate: 'connecting',
    lose: 'transientError',
    fail: 'error',
    resume: 'queued',
    suspend: 'suspended',
    complete: 'acknowledged',
    cancel: 'cancelled',
    scavenge: 'cancelled',
  },
  connecting: {
    connect: 'transferring',
    yield: 'queued',
    lose: 'transientError',
    fail: 'error',
    finish: 'transferred',
    resume: 'connecting',
    suspend: 'suspended',
    complete: 'acknowledged',
    cancel: 'cancelled',
    scavenge: 'cancelled',
  },
  transferring: {
    connect: 'transferring',
    yield: 'queued',
    lose: 'transientError',
    fail: 'error',
    finish: 'transferred',
    pause: 'suspended',
    resume: 'transferring',
    suspend: 'suspended',
    complete: 'acknowledged',
    cancel: 'cancelled',
    scavenge: 'cancelled',
  },
  transientError: {
    retry: 'queued',
    lose: 'transientError',
    fail: 'error',
    resume: 'queued',
    suspend: 'suspended',
    complete: 'acknowledged',
    cancel: 'cancelled',
    scavenge: 'cancelled',
  },
  error: {
    resume: 'queued',
    suspend: 'error',
    complete: 'acknowledged',
    cancel: 'cancelled',
    scavenge: 'cancelled',
  },
  transferred: {
    resume: 'queued',
    suspend: 'transferred',
    reject: 'error',
    stumble: 'transferred',
    complete: 'acknowledged',
    cancel: 'cancelled',
    scavenge: 'cancelled',
  },
  acknowledged: {},
  cancelled: {},
} as const satisfies Readonly<
  Record<'none' | JobStateKind, Readonly<Partial<Record<JobEventKind, JobStateKind>>>>
>

/** The nine states of BG_JOB_STATE. */
export type JobStateKind =
  | 'queued'
  | 'connecting'
  | 'transferring'
  | 'suspended'
  | 'error'
  | 'transientError'
  | 'transferred'
  | 'acknowledged'
  | 'cancelled'

/**
 * What can happen to a job.
 *
 * `activate`: the scheduler gives it its turn · `connect`: a server answered · `yield`: the turn is over, or a higher
 * priority takes it · `lose`: a recoverable failure · `retry`: what it waited for is there · `fail`: a failure that
 * needs intervention, or patience is at its end · `finish`: the last byte is on disk · `pause`: the ranges asked for
 * are there but not the whole file · `reject`: the program found the data wrong · `stumble`: Complete could not
 * rename a file · `scavenge`: nobody touched it for too long.
 */
export type JobEventKind =
  | 'create'
  | 'resume'
  | 'suspend'
  | 'complete'
  | 'cancel'
  | 'activate'
  | 'connect'
  | 'yield'
  | 'lose'
  | 'retry'
  | 'fail'
  | 'finish'
  | 'pause'
  | 'reject'
  | 'stumble'
  | 'scavenge'

/** BITS's word for each state, and the number the enumeration gives it (bits-jobs.md §3). */
export const bitsStates = {
  queued: { name: 'QUEUED', value: 0 },
  connecting: { name: 'CONNECTING', value: 1 },
  transferring: { name: 'TRANSFERRING', value: 2 },
  suspended: { name: 'SUSPENDED', value: 3 },
  error: { name: 'ERROR', value: 4 },
  transientError: { name: 'TRANSIENT_ERROR', value: 5 },
  transferred: { name: 'TRANSFERRED', value: 6 },
  acknowledged: { name: 'ACKNOWLEDGED', value: 7 },
  cancelled: { name: 'CANCELLED', value: 8 },
} as const satisfies Record<JobStateKind, { readonly name: string; readonly value: number }>

/** BITS's word for a state. */
export type BitsState = (typeof bitsStates)[JobStateKind]['name']

/** Where `event` takes a job that is in `state`; `undefined` when the table has no such pair. */
export function move(state: 'none' | JobStateKind, event: JobEventKind): JobStateKind | undefined {
  const row: Partial<Record<JobEventKind, JobStateKind>> = moves[state]
  return row[event]
}

/** Whether a job can never leave this state. */
export function isFinal(state: JobStateKind): boolean {
  return state === 'acknowledged' || state === 'cancelled'
}

/** Whether a job in this state has a turn and moves. */
export function isActive(state: JobStateKind): boolean {
  return state === 'connecting' || state === 'transferring'
}
