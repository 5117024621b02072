/** What clients may ask for about who judges the certificates of servers (A84). */

import { failure } from '../job/failure.ts'
import { isIn, type Job, type JobId } from '../job/job.ts'
import {
  checkJudgement,
  checkMaySetValidation,
  withAccepted,
  type Judgement,
  type ShownServer,
} from '../job/server-validation.ts'
import { transition } from '../job/transition.ts'
import { findJob, findOwned, invalidState, type Caller } from './access.ts'
import type { Core } from './core.ts'

/** The calls about judging servers. */
export class ValidationCommands {
  readonly #core: Core

  constructor(core: Core) {
    this.#core = core
  }

  /**
   * Says whether a program judges the certificates of servers (A84). What was accepted before is forgotten.
   *
   * @throws {JobError} `E_ACCESSDENIED` when the caller is not the owner, `BG_E_READ_ONLY_WHEN_JOB_ACTIVE`,
   *   `BG_E_INVALID_STATE`
   */
  set(caller: Caller, id: JobId, isRequired: boolean): void {
    const job = findOwned(this.#core, caller, id, 'who judges its servers')
    checkMaySetValidation(job)
    const { validation: _, ...transfer } = job.transfer
    const validated = isRequired ? { ...transfer, validation: { accepted: [] } } : transfer
    this.#core.commit(() => {
      this.#core.save({ ...job, transfer: validated, modified: this.#core.clock.now() })
    })
  }

  /** The server that waits to be judged; `undefined` when none does. @throws {JobError} as `findJob` */
  shown(caller: Caller, id: JobId): ShownServer | undefined {
    const { state } = findJob(this.#core, caller, id)
    return 'failure' in state ? state.failure?.shown : undefined
  }

  /**
   * Judges a certificate. A job that waits for just that goes on when it is accepted; otherwise it is tried again after
   * the retry delay, and then asks again (A84).
   *
   * @throws {JobError} `E_ACCESSDENIED` when the caller is not the owner, `E_INVALIDARG`, `BG_E_INVALID_STATE` when
   *   nobody judges the servers of this job
   */
  judge(caller: Caller, id: JobId, judgement: Judgement): void {
    checkJudgement(judgement)
    const job = findOwned(this.#core, caller, id, 'who judges its servers')
    const { validation } = job.transfer
    if (validation === undefined) throw invalidState(job, 'judge the servers of')
    const isAwaited = isIn(job, 'error') && job.state.failure.shown?.server === judgement.server
    this.#core.commit(() => {
      if (judgement.isAccepted) {
        const accepted = withAccepted(validation.accepted, judgement)
        const known = { ...job, transfer: { ...job.transfer, validation: { accepted } } }
        this.#core.save({ ...known, modified: this.#core.clock.now() })
        if (isAwaited) this.#core.apply(known, { kind: 'resume' })
      } else if (isAwaited) this.#declined(job, judgement)
    })
  }

  /** A rejection is transient, and nobody remembers it (bits-jobs.md §14.4). */
  #declined(job: Job, { server }: Judgement): void {
    const { attempts, noProgressMs } = job
    const queued = transition(job, { kind: 'resume' }, this.#core.clock.now())
    const tried = { ...queued, attempts, noProgressMs }
    const sentence = `Cannot go on with ${server}: the program that judges its certificate does not accept it`
    const reason = failure('E_ACCESSDENIED', 'SERVER_CERTIFICATE_CALLBACK', sentence, { severity: 'transient' }) // prettier-ignore
    const jitter = this.#core.world.random.fraction()
    this.#core.apply(this.#core.spendPatience(tried), { kind: 'lose', failure: reason, jitter })
  }
}
