/** Which job a caller means, and what the caller may do with it. */

import { JobError } from '../job/failure.ts'
import type { Job, Owner } from '../job/job.ts'
import { bitsStates, isFinal } from '../job/moves.ts'
import type { Core } from './core.ts'

/** Who calls. */
export interface Caller {
  readonly owner: Owner
  /** Administrators see and change every job, and no wall stands for them. */
  readonly administrator: boolean
}

/** How many ids a prefix is looked up for: one is an answer, two are a question. */
const PREFIX_MATCHES = 2

/**
 * A job by any unique beginning of its id.
 *
 * @throws {JobError} `BG_E_NOT_FOUND` when there is none or more than one, `E_ACCESSDENIED` when it is another's
 */
export function findJob({ store }: Core, caller: Caller, idOrPrefix: string): Job {
  const prefix = idOrPrefix.toLowerCase().replace(/^\{|\}$/gu, '')
  const ids = prefix === '' ? [] : store.findByPrefix(prefix, PREFIX_MATCHES)
  const [id, second] = ids
  if (second !== undefined) {
    throw new JobError(
      'BG_E_NOT_FOUND',
      `Cannot tell which job is meant: ${prefix} begins more than one id`,
    )
  }
  const job = id === undefined ? undefined : store.find(id)
  if (job === undefined) {
    throw new JobError(
      'BG_E_NOT_FOUND',
      `Cannot find job ${JSON.stringify(idOrPrefix)}: there is none with this id`,
    )
  }
  if (isOwner(caller, job) || caller.administrator) return job
  throw new JobError('E_ACCESSDENIED', `Cannot use job ${job.id}: it belongs to ${job.owner.name}`)
}

/**
 * A job that may still be changed (bits-jobs.md §2, "std").
 *
 * @throws {JobError} as {@link findJob}, and `BG_E_INVALID_STATE` when it is complete or cancelled
 */
export function findChangeable(core: Core, caller: Caller, id: string): Job {
  const job = findJob(core, caller, id)
  if (isFinal(job.state.kind)) throw invalidState(job, 'change')
  return job
}

/**
 * A job that may still be changed, for what would let others act as its owner: administrators take the ownership first
 * (A18).
 *
 * @param what what is to be changed, for people
 * @throws {JobError} as {@link findChangeable}, and `E_ACCESSDENIED`
 */
export function findOwned(core: Core, caller: Caller, id: string, what: string): Job {
  const job = findJob(core, caller, id)
  checkOwner(caller, job, what)
  if (isFinal(job.state.kind)) throw invalidState(job, 'change')
  return job
}

/** @throws {JobError} `E_ACCESSDENIED` */
export function checkOwner(caller: Caller, job: Job, what: string): void {
  if (isOwner(caller, job)) return
  throw new JobError(
    'E_ACCESSDENIED',
    `Cannot change ${what} of job ${job.id}: only its owner ${job.owner.name} may`,
  )
}

/** The refusal of a call that the job's state does not allow. */
export function invalidState(job: Job, verb: string): JobError {
  const { name } = bitsStates[job.state.kind]
  return new JobError('BG_E_INVALID_STATE', `Cannot ${verb} job ${job.id}: its state is ${name}`)
}

function isOwner(caller: Caller, job: Job): boolean {
  return job.owner.id === caller.owner.id
}
