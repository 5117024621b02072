/** The SDK: BITS's vocabulary in TypeScript's manners. */

import { resolve } from 'node:path'
import type { ExpectedDigest, Priority, RedirectPolicy } from '../job/job.ts'
import { asCaller } from '../job/proxy-rules.ts'
import { RefusedError, type Call, type RpcClient } from '../rpc/client.ts'
import type {
  CreateParams,
  ExamineParams,
  FileView,
  FindingView,
  JobEventView,
  JobView,
  MethodName,
  Methods,
  RotateResult,
  ServiceStatus,
} from '../rpc/contract.ts'
import { BackgroundCopyJob } from './background-copy-job.ts'
import { call, translated } from './call.ts'
import { CreateJobsError } from './create-jobs-error.ts'
import { BackgroundCopyError, translate } from './errors.ts'
import {
  certificateParams,
  credentialParams,
  type JobCertificate,
  type JobCredentialPair,
} from './given.ts'
import { currentWorld, findHome } from './home.ts'
import { createLongJob, jobPortions } from './long-job.ts'
import { connect, nextStatus } from './start-service.ts'

export type {
  Call,
  ExpectedDigest,
  FileView,
  FindingView,
  JobEventView,
  JobView,
  Priority,
  RedirectPolicy,
}

/** What a new job may be given besides its name. */
export type JobOptions = Omit<NewJob, 'displayName'>

/** What a new job is made of. */
export interface NewJob extends Omit<CreateParams, 'credentials' | 'certificate'> {
  /** As {@link BackgroundCopyJob.setCredentials} sets them: the job has them before it first runs. */
  readonly credentials?: readonly JobCredentialPair[]
  /** As {@link BackgroundCopyJob.setClientCertificate} sets it. */
  readonly certificate?: JobCertificate
}

/** What {@link BackgroundCopyManager.examine} looks at. */
export interface Question extends Omit<ExamineParams, 'id' | 'credentials' | 'certificate'> {
  /** The id of a job: as it would ask, and without a URL for the file it fails with, else its first. */
  readonly job?: string
  /** In the place of the job's for the same target and scheme. */
  readonly credentials?: readonly JobCredentialPair[]
  readonly certificate?: JobCertificate
}

/** Jobs per page of an enumeration. */
const PAGE = 1_000

/** Makes and finds jobs (IBackgroundCopyManager). */
export class BackgroundCopyManager {
  readonly #client: RpcClient

  /** Use {@link BackgroundCopyManager.connect}, or `embed`, to get one. */
  constructor(client: RpcClient) {
    this.#client = client
  }

  /**
   * Connects to the service of this user, and starts it when none answers.
   *
   * @param options `home` is what LULL_HOME is for a command; `start: false` never starts one
   * @throws {BackgroundCopyError} `RPC_S_SERVER_UNAVAILABLE` when none answers and none could be started
   */
  static async connect({
    home,
    start = true,
  }: { readonly home?: string; readonly start?: boolean } = {}): Promise<BackgroundCopyManager> {
    const world = currentWorld()
    const env = home === undefined ? {} : { LULL_HOME: resolve(home) }
    const place = findHome({ ...world, env: { ...world.env, ...env } })
    try {
      return new BackgroundCopyManager(await connect(place, { start, env, tell }))
    } catch (error) {
      throw translate(error)
    }
  }

  /**
   * Creates a job; SUSPENDED and empty, unless the options say more. It may have any number of files: more than fit into
   * one message are added one portion after the other, and the job starts when it has the last.
   *
   * @throws {BackgroundCopyError} what the service refuses it with: then there is no job. `code` is
   *   `ERR_JOB_UNFINISHED` when the service went away between two portions: the message names the job that is left
   */
  async createJob(displayName: string, options: JobOptions = {}): Promise<BackgroundCopyJob> {
    const params = createParams({ displayName, ...options })
    try {
      return new BackgroundCopyJob(this.#client, (await createLongJob(this.#client, params)).id)
    } catch (error) {
      throw translate(error)
    }
  }

  /**
   * Creates many jobs with few messages and few commits.
   *
   * @throws {CreateJobsError} when some were refused, after all were tried: it has those that were made
   */
  async createJobs(jobs: readonly NewJob[]): Promise<readonly BackgroundCopyJob[]> {
    const made: BackgroundCopyJob[] = []
    const outcomes: (BackgroundCopyJob | BackgroundCopyError)[] = []
    for (const portion of jobPortions(jobs.map(createParams))) {
      for (const result of await this.#batch(portion)) {
        const refused = result instanceof Error ? translate(result) : undefined
        if (refused instanceof BackgroundCopyError) outcomes.push(refused)
        else if (result instanceof Error) throw refused
        else outcomes.push(new BackgroundCopyJob(this.#client, result.id))
      }
    }
    for (const outcome of outcomes) {
      if (outcome instanceof BackgroundCopyError) throw new CreateJobsError(outcome, outcomes)
      made.push(outcome)
    }
    return made
  }

  /** Finds a job by its id or a unique beginning of it. @throws {BackgroundCopyError} `BG_E_NOT_FOUND`, `E_ACCESSDENIED` */
  async getJob(id: string): Promise<BackgroundCopyJob> {
    const view = await this.#call('job.get', { id })
    return new BackgroundCopyJob(this.#client, view.id)
  }

  /** The caller's jobs that are not final, in the order of creation; `allUsers` needs an administrator. */
  async *enumJobs({ allUsers = false }: { readonly allUsers?: boolean } = {}): AsyncGenerator<
    JobView,
    void
  > {
    let after = 0
    for (;;) {
      const { jobs, next } = await this.#call('job.list', { after, limit: PAGE, allUsers })
      yield* jobs
      if (next === null) return
      after = next
    }
  }

  /** Follows every job of the caller. */
  watch(options: { readonly signal?: AbortSignal } = {}): AsyncGenerator<JobEventView, void> {
    return translated(
      this.#client.watch(undefined, { signal: options.signal ?? new AbortController().signal }),
    )
  }

  /**
   * Finds out how a URL is reached and what is asked for on the way: as a job would, or with what is given. Keeps
   * nothing of the file.
   *
   * @returns what was met, in its order; nothing secret is in it. The last is the answer, or why there is none
   * @throws {BackgroundCopyError} as `createJob` for what is given; `E_INVALIDARG` when there is neither a URL nor a job
   */
  async examine(question: Question): Promise<readonly FindingView[]> {
    const { job, credentials, certificate, proxy, ...rest } = question
    const meant = job === undefined ? asCaller(proxy, currentWorld().env) : proxy
    const { findings } = await this.#call('doctor.examine', {
      ...rest,
      ...(meant === undefined ? {} : { proxy: meant }),
      ...(job === undefined ? {} : { id: job }),
      ...(credentials === undefined ? {} : { credentials: credentials.map(credentialParams) }),
      ...(certificate === undefined ? {} : { certificate: certificateParams(certificate) }),
    })
    return findings
  }

  /** What the service says of itself; one that begins anew on being asked is waited for. */
  async getStatus(): Promise<ServiceStatus> {
    const found = await this.#call('service.status', {})
    if (!found.code.isRestarting) return found
    await nextStatus(this.#client, found)
    return this.#call('service.status', {})
  }

  /**
   * Makes a new master key and seals every secret of the queue with it.
   *
   * @returns how many records there are now under the new key, and how many no key opens
   * @throws {BackgroundCopyError} `E_ACCESSDENIED` when the caller is neither an administrator nor the service's user
   */
  rotateVault(): Promise<RotateResult> {
    return this.#call('vault.rotate', {})
  }

  async #batch(jobs: readonly CreateParams[]): Promise<readonly (JobView | RefusedError)[]> {
    const [first, ...others] = jobs
    try {
      if (first === undefined || others.length > 0) {
        return await this.#client.batch('job.create', jobs)
      }
      return [await createLongJob(this.#client, first)]
    } catch (error) {
      if (error instanceof RefusedError) return [error]
      throw translate(error)
    }
  }

  #call<Name extends MethodName>(
    method: Name,
    params: Methods[Name]['params'],
  ): Promise<Methods[Name]['result']> {
    return call(this.#client, method, params)
  }
}

function createParams({ credentials, certificate, proxy, ...rest }: NewJob): CreateParams {
  const meant = asCaller(proxy, currentWorld().env)
  return {
    ...rest,
    ...(meant === undefined ? {} : { proxy: meant }),
    ...(credentials === undefined ? {} : { credentials: credentials.map(credentialParams) }),
    ...(certificate === undefined ? {} : { certificate: certificateParams(certificate) }),
  }
}

/** Programs hear of it as Node's warnings are heard. */
function tell(sentence: string): void {
  process.emitWarning(sentence, 'LullWarning')
}
