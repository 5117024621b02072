/**
 * The engine decides and remembers: it applies what clients ask and carriers report to jobs, and gives carriers their
 * orders. Pure: the world comes in through `ports/`.
 */

import type { Job, JobFile, JobId } from '../job/job.ts'
import { isFinal, type JobStateKind } from '../job/moves.ts'
import type { PathStyle } from '../job/names.ts'
import type { Caller } from './access.ts'
import type { JobChanges } from './changes.ts'
import { Commands, type JobRequest, type NewFileRequest } from './commands.ts'
import { Core, type EngineWorld } from './core.ts'
import { Examinations } from './examinations.ts'
import { Housekeeping, type Outcome } from './housekeeping.ts'
import { IdentityCommands } from './identity-commands.ts'
import { Intake } from './intake.ts'
import type { FileQuery, JobQuery } from './ports/job-store.ts'
import type { JobListener } from './publisher.ts'
import { Scheduler } from './scheduler.ts'
import { defaultSettings, type EngineSettings } from './settings.ts'
import type { Turn } from './turn.ts'
import { ValidationCommands } from './validation-commands.ts'
import { waitingFor } from './waiting.ts'

/** What is only known while a job has its turn. */
export interface LiveFacts {
  /** Bytes received so far, durable or not. */
  readonly bytesReceived: number
}

/** The network now. */
export interface NetworkFacts {
  readonly isThere: boolean
  /** A set of `costStates`. */
  readonly cost: number | undefined
}

/** States that a job can leave. */
export type LiveKind = Exclude<JobStateKind, 'acknowledged' | 'cancelled'>

/** All of them but `queued`. */
const liveKinds = [
  'connecting',
  'transferring',
  'suspended',
  'error',
  'transientError',
  'transferred',
] as const satisfies readonly LiveKind[]

/** How long after a failed write the queue is tried again. */
const RECOVERY_DELAY_MS = 1_000

/** One engine over one queue. */
export class Engine {
  /** The calls about as whom jobs ask. */
  readonly identity: IdentityCommands
  /** The calls about who judges servers. */
  readonly validation: ValidationCommands
  /** Questions about the way to a URL. */
  readonly examinations: Examinations
  readonly #core: Core
  readonly #scheduler: Scheduler
  readonly #housekeeping: Housekeeping
  readonly #commands: Commands
  readonly #intake: Intake
  /** While the queue could not be written and everything is begun again from what it says. */
  #recovery: Promise<void> | undefined
  #recoveryAlarm: Disposable | undefined

  constructor(
    world: EngineWorld,
    settings: EngineSettings = defaultSettings,
    pathStyle: PathStyle = 'posix',
  ) {
    this.#core = new Core(world, settings, () => this.#scheduler.reconcile())
    this.#scheduler = new Scheduler(this.#core)
    this.#housekeeping = new Housekeeping(this.#core)
    this.#commands = new Commands(this.#core, this.#housekeeping, pathStyle)
    this.identity = new IdentityCommands(this.#core)
    this.validation = new ValidationCommands(this.#core)
    this.examinations = new Examinations(this.#core)
    this.#intake = new Intake(this.#core, this.#housekeeping, this.examinations)
    world.carriers.listen({
      reported: (_owner, reports) => this.#guarded(() => this.#intake.take(reports)),
      lost: (owner, reason) => this.#guarded(() => this.#intake.lost(owner, reason)),
    })
  }

  /** Takes up the queue as the last run left it: jobs that were active are queued again. */
  start(): void {
    const { store } = this.#core
    this.#core.commit(() => {
      for (const job of store.inState(['connecting', 'transferring'])) {
        this.#core.apply(job, { kind: 'yield', turn: job.turn })
      }
      // Announcing a waiting job sets its alarm; what waits for a network finds out by trying.
      for (const job of store.inState(['transientError'])) this.#core.announce(job)
    })
    this.#core.secrets.sealClear()
    this.#housekeeping.start()
    this.#scheduler.start()
    this.#scheduler.releaseUntimed()
    this.#scheduler.reconcile()
  }

  /** Stops every carrier with everything synced and committed. Jobs keep their states and go on at the next start. */
  async stop(): Promise<void> {
    this.#scheduler.stop()
    this.#recoveryAlarm?.[Symbol.dispose]()
    await this.#recovery
    // What a carrier leaves unfinished now is no failure of its job.
    for (const turn of this.#core.turns.values()) turn.stopping = true
    await this.#core.world.carriers.stop()
    this.#housekeeping.stop()
    this.#core.secrets.scrub()
  }

  /**
   * Takes something in. When the queue cannot be written (a full disk, say), what is in memory may be ahead of it: so
   * everything in hand is dropped and begun again from the queue, as after a crash.
   */
  #guarded(takeIn: () => void): void {
    if (this.#recovery !== undefined) return
    try {
      takeIn()
    } catch (error) {
      this.#core.world.log.write('error', 'The queue cannot be written: starting over from it', {
        reason: error instanceof Error ? error.message : String(error),
      })
      this.#recovery = this.#recover()
    }
  }

  async #recover(): Promise<void> {
    this.#scheduler.stop()
    await this.#core.world.carriers.stop()
    this.#core.forget()
    this.#housekeeping.forget()
    this.#recovery = undefined
    this.#recoveryAlarm = this.#core.clock.alarm(RECOVERY_DELAY_MS, () =>
      this.#guarded(() => this.start()),
    )
  }

  /** Runs several calls as one commit. A call that throws undoes only itself. */
  batch<T>(work: () => T): T {
    return this.#core.commit(work)
  }

  /**
   * Creates a job, with files if it has any, and starts it if asked to; one commit.
   *
   * @throws {JobError} `E_INVALIDARG`, `BG_E_TOO_MANY_JOBS_PER_MACHINE`, `BG_E_TOO_MANY_JOBS_PER_USER`,
   *   `BG_E_TOO_MANY_FILES_IN_JOB`, `BG_E_EMPTY` when it is to start without files
   */
  create(caller: Caller, request: JobRequest): Job {
    return this.#commands.create(caller, request)
  }

  /** @throws {JobError} as {@link create}, and as {@link get} */
  addFiles(caller: Caller, id: JobId, files: readonly NewFileRequest[]): Job {
    return this.#commands.addFiles(caller, id, files)
  }

  /** @throws {JobError} `BG_E_INVALID_STATE` in a final state, `E_INVALIDARG`, and as {@link get} */
  change(caller: Caller, id: JobId, changes: JobChanges): Job {
    return this.#commands.change(caller, id, changes)
  }

  /** @throws {JobError} `BG_E_EMPTY`, `BG_E_INVALID_STATE`, and as {@link get} */
  resume(caller: Caller, id: JobId): Job {
    return this.#commands.resume(caller, id)
  }

  /** @throws {JobError} `BG_E_INVALID_STATE`, and as {@link get} */
  suspend(caller: Caller, id: JobId): Job {
    return this.#commands.suspend(caller, id)
  }

  /**
   * Gives every transferred file its name, deletes what is partial, and ends the job.
   *
   * @throws {JobError} `BG_E_INVALID_STATE`; {@link CompleteError} when a rename failed: the job stays
   * @see bits-jobs.md §6.3
   */
  complete(caller: Caller, id: JobId): Promise<Outcome> {
    return this.#commands.complete(caller, id)
  }

  /** Ends the job and deletes its partial files. @throws {JobError} `BG_E_INVALID_STATE`, and as {@link get} */
  cancel(caller: Caller, id: JobId): Promise<Outcome> {
    return this.#commands.cancel(caller, id)
  }

  /**
   * One job by the beginning of its id.
   *
   * @throws {JobError} `BG_E_NOT_FOUND` when there is none or more than one, `E_ACCESSDENIED` when it is another's
   */
  get(caller: Caller, idOrPrefix: string): Job {
    return this.#commands.get(caller, idOrPrefix)
  }

  /** One page of jobs. @throws {JobError} `E_ACCESSDENIED` when other users' jobs are asked for without being allowed */
  list(caller: Caller, query: JobQuery): readonly Job[] {
    return this.#commands.list(caller, query)
  }

  /** One page of a job's files, with the job it belongs to. @throws {JobError} as {@link get} */
  files(caller: Caller, id: JobId, query: FileQuery): readonly JobFile[] {
    return this.#commands.files(caller, id, query)
  }

  /** The file an error is about. */
  file(job: Job, ordinal: number): JobFile | undefined {
    return this.#core.store.findFile(job.id, ordinal)
  }

  /** How many jobs are not final. */
  count(): number {
    return this.#core.store.count()
  }

  /** How many jobs there are of each state that is not final. */
  counts(): Readonly<Record<LiveKind, number>> {
    const { store } = this.#core
    const others = liveKinds.map((kind) => [kind, store.countIn(kind)] as const)
    const counted = others.reduce((sum, [, count]) => sum + count, 0)
    // Most are queued: counting the others is quicker.
    const counts = [...others, ['queued', store.count() - counted] as const]
    return Object.fromEntries(counts) as Record<LiveKind, number>
  }

  /** Whether there is a network, and what it costs where that is known. */
  network(): NetworkFacts {
    const { network } = this.#core.world
    return { isThere: network.isThere(), cost: network.cost() }
  }

  /** Hears of every change after this call; of these jobs, or of all. */
  listen(listener: JobListener, jobs?: readonly JobId[]): Disposable {
    return this.#core.publisher.listen(listener, jobs)
  }

  /** What is only known now. */
  live(job: Job): LiveFacts {
    const turn = this.#core.turns.get(job.id)
    const durable = job.tally.bytesTransferred
    if (turn === undefined || isFinal(job.state.kind)) return { bytesReceived: durable }
    return { bytesReceived: Math.max(durable, turn.bytesBefore + turn.bytesMoved) }
  }

  /** Why the job does not move, for people; `undefined` when it moves or waits for nobody but its owner. */
  waitingFor(job: Job): string | undefined {
    const { turns, clock, network } = this.#core
    const isQueued = job.state.kind === 'queued'
    const facts = {
      ahead: isQueued ? this.#ahead(job) : undefined,
      windingUp: turns.get(job.id)?.stopping === true,
      isCostUnknown: isQueued && network.barrier(job) === 'unknown',
    }
    return waitingFor(job, facts, clock.now())
  }

  /** Whoever has the turn that a queued job waits for. */
  #ahead({ id }: Job): Turn | undefined {
    for (const turn of this.#core.turns.values()) {
      if (!turn.stopping && turn.job !== id) return turn
    }
    return undefined
  }
}
