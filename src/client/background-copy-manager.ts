/** The SDK: BITS's vocabulary in TypeScript's manners. */

import { resolve } from 'node:path'
import type { ExpectedDigest, Priority, RedirectPolicy } from '../job/job.ts'
import type { BitsState } from '../job/moves.ts'
import type { Call, RpcClient } from '../rpc/client.ts'
import type {
  CreateParams,
  FileParams,
  FileView,
  JobEventView,
  JobProperties,
  JobView,
  MethodName,
  Methods,
  ServiceStatus,
} from '../rpc/contract.ts'
import { BackgroundCopyError, translate, unavailable } from './errors.ts'
import { currentWorld, findHome } from './home.ts'
import { connect } from './start-service.ts'

export type { Call, ExpectedDigest, FileView, JobEventView, JobView, Priority, RedirectPolicy }

/** How far a job is (BG_JOB_PROGRESS); `bytesTotal` is `undefined` while the size of any file is unknown. */
export interface JobProgress {
  readonly bytesTotal: number | undefined
  readonly bytesTransferred: number
  readonly filesTotal: number
  readonly filesTransferred: number
}

/** What a new job may be given besides its name. */
export type JobOptions = Omit<CreateParams, 'displayName'>

/** Jobs per page of an enumeration. */
const PAGE = 1_000

/** The most calls that travel in one message. */
const BATCH = 1_000

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
      return new BackgroundCopyManager(await connect(place, { start, env }))
    } catch (error) {
      throw translate(error)
    }
  }

  /** Creates a job; SUSPENDED and empty, unless the options say more. */
  async createJob(displayName: string, options: JobOptions = {}): Promise<BackgroundCopyJob> {
    const view = await this.#call('job.create', { displayName, ...options })
    return new BackgroundCopyJob(this.#client, view.id)
  }

  /** Creates many jobs with few messages and few commits; the first refusal is thrown after all were tried. */
  async createJobs(jobs: readonly CreateParams[]): Promise<readonly BackgroundCopyJob[]> {
    const made: BackgroundCopyJob[] = []
    let refused: unknown
    for (let from = 0; from < jobs.length; from += BATCH) {
      for (const result of await this.#batch(jobs.slice(from, from + BATCH))) {
        if (result instanceof Error) refused ??= translate(result)
        else made.push(new BackgroundCopyJob(this.#client, result.id))
      }
    }
    if (refused !== undefined) throw refused
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

  /** What the service says of itself. */
  getStatus(): Promise<ServiceStatus> {
    return this.#call('service.status', {})
  }

  async #batch(jobs: readonly CreateParams[]): Promise<readonly (JobView | Error)[]> {
    try {
      return await this.#client.batch('job.create', jobs)
    } catch (error) {
      throw translate(error)
    }
  }

  async #call<Name extends MethodName>(
    method: Name,
    params: Methods[Name]['params'],
  ): Promise<Methods[Name]['result']> {
    try {
      return await this.#client.call(method, params)
    } catch (error) {
      throw translate(error)
    }
  }
}

/** One job (IBackgroundCopyJob). Every call asks the service; nothing is cached. */
export class BackgroundCopyJob {
  readonly #client: RpcClient
  /** The job's GUID. */
  readonly id: string

  constructor(client: RpcClient, id: string) {
    this.#client = client
    this.id = id
  }

  /** Adds a file: a URL, and the full path where it shall stand. */
  async addFile(
    remoteName: string,
    localName: string,
    options: Pick<FileParams, 'digests'> = {},
  ): Promise<void> {
    await this.addFileSet([{ remoteName, localName, ...options }])
  }

  /** Adds several files with one commit. */
  async addFileSet(files: readonly FileParams[]): Promise<void> {
    await this.#call('job.addFiles', { id: this.id, files })
  }

  /** Starts the job, or tries it again at once. @throws {BackgroundCopyError} `BG_E_EMPTY`, `BG_E_INVALID_STATE` */
  async resume(): Promise<void> {
    await this.#call('job.resume', { id: this.id })
  }

  /** Pauses the job; what it has is kept. */
  async suspend(): Promise<void> {
    await this.#call('job.suspend', { id: this.id })
  }

  /**
   * Gives every transferred file its name and ends the job.
   *
   * @returns `BG_S_PARTIAL_COMPLETE` when files were left out
   */
  async complete(): Promise<'S_OK' | 'BG_S_PARTIAL_COMPLETE'> {
    return (await this.#call('job.complete', { id: this.id })).status
  }

  /** Ends the job and deletes what is there of it. */
  async cancel(): Promise<'S_OK' | 'BG_S_UNABLE_TO_DELETE_FILES'> {
    return (await this.#call('job.cancel', { id: this.id })).status
  }

  /** Everything there is to know at once. */
  getView(): Promise<JobView> {
    return this.#call('job.get', { id: this.id })
  }

  async getState(): Promise<BitsState> {
    return (await this.getView()).state
  }

  async getProgress(): Promise<JobProgress> {
    const { bytesTotal, bytesTransferred, filesTotal, filesTransferred } = await this.getView()
    return { bytesTotal: bytesTotal ?? undefined, bytesTransferred, filesTotal, filesTransferred }
  }

  /**
   * What the job failed with, in ERROR, TRANSIENT_ERROR, or TRANSFERRED after a Complete that could not rename.
   *
   * @throws {BackgroundCopyError} `BG_E_ERROR_INFORMATION_UNAVAILABLE` otherwise
   */
  async getError(): Promise<BackgroundCopyError> {
    const { error, state } = await this.getView()
    if (error !== null) return new BackgroundCopyError(error)
    throw new BackgroundCopyError({
      hresult: '0x8020000F',
      symbol: 'BG_E_ERROR_INFORMATION_UNAVAILABLE',
      context: 'GENERAL_QUEUE_MANAGER',
      message: `Cannot tell an error of job ${this.id}: its state is ${state}`,
      file: null,
      remoteName: null,
      localName: null,
    })
  }

  /** The files, in their order. */
  async *enumFiles(): AsyncGenerator<FileView, void> {
    let from = 0
    for (;;) {
      const { files, next } = await this.#call('job.files', { id: this.id, from, limit: PAGE })
      yield* files
      if (next === null) return
      from = next
    }
  }

  /** Sets any properties with one commit. */
  async set(properties: JobProperties): Promise<void> {
    await this.#call('job.set', { id: this.id, ...properties })
  }

  setDisplayName(displayName: string): Promise<void> {
    return this.set({ displayName })
  }

  setDescription(description: string): Promise<void> {
    return this.set({ description })
  }

  setPriority(priority: Priority): Promise<void> {
    return this.set({ priority })
  }

  /** @param seconds below 5 is raised to 5 */
  setMinimumRetryDelay(seconds: number): Promise<void> {
    return this.set({ minimumRetryDelay: seconds })
  }

  /** @param seconds 0: the first transient failure is final */
  setNoProgressTimeout(seconds: number): Promise<void> {
    return this.set({ noProgressTimeout: seconds })
  }

  /** @param seconds of activity in all */
  setMaximumDownloadTime(seconds: number): Promise<void> {
    return this.set({ maximumDownloadTime: seconds })
  }

  /** Replaces the headers that are sent with every request. */
  setCustomHeaders(headers: readonly (readonly [name: string, value: string])[]): Promise<void> {
    return this.set({ headers })
  }

  /**
   * Follows the job: first as it is, then every change; ends when it is final.
   *
   * @throws {BackgroundCopyError} `RPC_S_SERVER_UNAVAILABLE` when the service ends meanwhile; the job goes on with the
   *   next one
   */
  async *watch({ signal }: { readonly signal?: AbortSignal } = {}): AsyncGenerator<
    JobEventView,
    void
  > {
    const controller = new AbortController()
    const either =
      signal === undefined ? controller.signal : AbortSignal.any([signal, controller.signal])
    try {
      for await (const event of translated(this.#client.watch([this.id], { signal: either }))) {
        yield event
        if (event.kind === 'gone' || finalStates.has(event.job.state)) return
      }
    } finally {
      controller.abort()
    }
    signal?.throwIfAborted()
    throw unavailable(`Cannot follow job ${this.id}: the service was stopped`)
  }

  async #call<Name extends MethodName>(
    method: Name,
    params: Methods[Name]['params'],
  ): Promise<Methods[Name]['result']> {
    try {
      return await this.#client.call(method, params)
    } catch (error) {
      throw translate(error)
    }
  }
}

const finalStates: ReadonlySet<BitsState> = new Set<BitsState>(['ACKNOWLEDGED', 'CANCELLED'])

/** The same events; what ends them early is the SDK's error. */
async function* translated(
  events: AsyncIterable<JobEventView>,
): AsyncGenerator<JobEventView, void> {
  try {
    yield* events
  } catch (error) {
    throw translate(error)
  }
}
