/**
 * One turn of one job: keeps as many files on their way as the connections allow, makes what arrives durable now and
 * then, and ends with one word: stopped or failed.
 */

import type { Mechanisms } from '../auth/mechanism.ts'
import type { ReadableProof } from '../auth/peer-memory.ts'
import type { Clock } from '../base/clock.ts'
import type {
  CheckpointPolicy,
  FetchOrder,
  FileOrder,
  FileProgress,
  Report,
} from '../engine/order.ts'
import type { SyncGroup } from '../files/sync-group.ts'
import { TargetChecks } from '../files/target.ts'
import type { HttpClient } from '../http/http.ts'
import type { Failure } from '../job/failure.ts'
import type { Routes } from '../job/route.ts'
import { AskingPace } from './asking-pace.ts'
import { AwaitedTickets } from './awaited-tickets.ts'
import { toFailure } from './failure.ts'
import { FileTransfer, type Asking, type TransferContext } from './file-transfer.ts'
import { Identities } from './identities.ts'
import type { WaysOrder } from './ways.ts'

/**
 * A checkpoint begins when so many files are finished, too. One at a time; the transfer goes on meanwhile. Half of what
 * the engine gives in one order: while these become durable, there are as many to go on with.
 */
const CHECKPOINT_FILES = 256

/** How often bytes are told to displays. */
const TELL_EVERY_MS = 250

/** Files up to this many bytes are small: several are asked for at once on one connection. */
const SMALL_FILE_BYTES = 256 * 1024

/** Requests per connection that are prepared while files are small. */
const SMALL_FILES_PER_CONNECTION = 12

/** What a turn needs of its carrier. */
export interface TurnWorld {
  readonly http: HttpClient
  /** Proves identities that only the platform can prove. */
  readonly mechanisms: Mechanisms
  /** Who knows the ways of jobs with these settings. */
  readonly routes: (order: WaysOrder) => Routes
  /** Whether a server that asks for a certificate is left when a job has none (A77). */
  readonly strictCertificates?: boolean
  readonly clock: Clock
  readonly syncs: SyncGroup
  readonly report: (report: Report) => void
}

/** A turn in the carrier. */
export class Turn {
  readonly job: string
  readonly number: number
  /** Resolves when the turn is over and reported. */
  readonly over: Promise<void>
  readonly #world: TurnWorld
  readonly #policy: CheckpointPolicy
  readonly #context: TransferContext
  readonly #identities: Identities
  readonly #tickets: AwaitedTickets
  readonly #abort = new AbortController()
  readonly #queue: FileOrder[] = []
  readonly #moving = new Set<FileTransfer>()
  readonly #restarts = new Map<number, () => void>()
  readonly #warned = new Set<string>()
  #finished: FileTransfer[] = []
  #finishedBytes = 0
  readonly #connections: number
  /** Absent where the server need not be spared. */
  readonly #pace: AskingPace | undefined
  #window: number
  #smallInARow = 0
  #isLast = false
  #isConnected = false
  #isOver = false
  #failure: Failure | undefined
  #received = 0
  #told = 0
  #checkpoint: Promise<void> | undefined
  #checkpointAlarm: Disposable | undefined
  /** Whether a checkpoint of everything is to begin as soon as the one that runs is over. */
  #isDue = false
  #tellAlarm: Disposable | undefined
  readonly #ended = Promise.withResolvers<void>()

  constructor(order: FetchOrder, world: TurnWorld) {
    this.job = order.job
    this.number = order.turn
    this.#world = world
    this.#policy = order.checkpoint
    this.#connections = order.connections
    const { restraint = 0 } = order
    if (restraint > 0) this.#pace = new AskingPace(restraint, order.connections, world.clock)
    this.#window = this.#pace?.window ?? order.connections
    this.over = this.#ended.promise
    this.#tickets = new AwaitedTickets(world.mechanisms)
    this.#identities = new Identities(order.identity, this.#tickets, {
      closed: (identity) => world.http.retire(identity),
      warn: (readable) => this.#warn(readable),
    })
    this.#context = {
      http: world.http,
      identityOf: (urlCredentials) => this.#identities.of(urlCredentials),
      asking: askingOf(order, world, this.#abort.signal),
      targets: new TargetChecks(),
      clock: world.clock,
      transfer: order.transfer,
      signal: this.#abort.signal,
      restart: (ordinal, reason, tagOnly) => this.#askRestart(ordinal, reason, tagOnly),
      connected: () => this.#connected(),
      sized: (progress) => this.#tellProgress([progress]),
      received: (bytes) => {
        this.#received += bytes
      },
      done: (transfer) => this.#done(transfer),
      broke: (transfer, error) => this.#broke(transfer, error),
    }
    this.#tellLater()
  }

  add(files: readonly FileOrder[]): void {
    if (this.#isOver) return wipeCredentials(files)
    this.#queue.push(...files)
    this.#fill()
  }

  /** No more files will be added. */
  last(): void {
    this.#isLast = true
    this.#endIfDone()
  }

  /** The engine has forgotten a file. */
  restarted(ordinal: number): void {
    this.#restarts.get(ordinal)?.()
    this.#restarts.delete(ordinal)
  }

  stop(): void {
    this.#abort.abort(new Error('The turn is over'))
    for (const resolve of this.#restarts.values()) resolve()
    this.#restarts.clear()
    this.#endIfDone()
  }

  #fill(): void {
    while (!this.#abort.signal.aborted && this.#moving.size < this.#window) {
      if (this.#queue.length > 0 && this.#pace?.admits(this.#fillAgain) === false) break
      const order = this.#queue.shift()
      if (order === undefined) break
      const transfer = new FileTransfer(order, this.#context)
      this.#moving.add(transfer)
      void transfer.run()
    }
    this.#endIfDone()
  }

  readonly #fillAgain = (): void => this.#fill()

  #done(transfer: FileTransfer): void {
    this.#moving.delete(transfer)
    this.#finished.push(transfer)
    this.#finishedBytes += transfer.size
    this.#adaptWindow(transfer.size)
    this.#checkpointLater()
    this.#fill()
  }

  /** Small files: enough requests are prepared that connections can be asked several things at once. */
  #adaptWindow(size: number): void {
    const connections = this.#connections
    this.#smallInARow = size <= SMALL_FILE_BYTES ? this.#smallInARow + 1 : 0
    const most =
      this.#smallInARow >= connections ? connections * SMALL_FILES_PER_CONNECTION : connections
    this.#window = this.#pace?.window ?? most
  }

  /** One bad file stops the whole job (bits-jobs.md §2): the first failure is told, the others follow from it. */
  #broke(transfer: FileTransfer, error: unknown): void {
    this.#moving.delete(transfer)
    this.#finished.push(transfer)
    if (!this.#abort.signal.aborted) {
      const failure = toFailure(error, transfer.order)
      this.#failure = this.#tickets.interpret(failure, this.#identities.hasPasswords)
      this.stop()
    }
    this.#endIfDone()
  }

  #connected(): void {
    if (this.#isConnected) return
    this.#isConnected = true
    this.#world.report({ kind: 'connected', job: this.job, turn: this.number })
  }

  #askRestart(ordinal: number, reason: string, tagOnly: boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#restarts.set(ordinal, resolve)
      this.#world.report({
        kind: 'changed',
        job: this.job,
        turn: this.number,
        ordinal,
        reason,
        tagOnly,
      })
    })
  }

  /** Each file whose URL has a name of its own would say it again. */
  #warn(readable: ReadableProof): void {
    const key = `${readable.scheme} ${readable.peer}`
    if (this.#warned.has(key)) return
    this.#warned.add(key)
    this.#world.report({ kind: 'readable', job: this.job, turn: this.number, ...readable })
  }

  #tellLater(): void {
    this.#tellAlarm = this.#world.clock.alarm(TELL_EVERY_MS, () => {
      this.#tellLater()
      this.#tell()
      const unsynced = this.#unsynced()
      if (unsynced > 0) this.#checkpointLater(unsynced)
    })
  }

  #tell(): void {
    if (this.#told === this.#received) return
    this.#told = this.#received
    this.#world.report({ kind: 'moved', job: this.job, turn: this.number, bytes: this.#received })
  }

  #unsynced(): number {
    let bytes = this.#finishedBytes
    for (const transfer of this.#moving) bytes += transfer.unsynced
    return bytes
  }

  /**
   * Begins a checkpoint when enough has gathered, else sets the alarm for one.
   *
   * @param unsynced bytes, as far as it has been counted
   */
  #checkpointLater(unsynced = this.#finishedBytes): void {
    const isIdle = this.#queue.length === 0 && this.#moving.size === 0
    const isDue = this.#isDue || isIdle || unsynced >= this.#policy.bytes
    if (this.#checkpoint === undefined) {
      if (isDue) return this.#beginCheckpoint()
      // What moves waits for the alarm: to sync each of many small files alone would take longer than to fetch them.
      if (this.#finished.length >= CHECKPOINT_FILES) this.#begin([])
    }
    this.#checkpointAlarm ??= this.#world.clock.alarm(this.#policy.everyMs, () => {
      this.#checkpointAlarm = undefined
      this.#isDue = true
      if (this.#checkpoint === undefined) this.#beginCheckpoint()
    })
  }

  /** Begins a checkpoint of everything. */
  #beginCheckpoint(): void {
    this.#checkpointAlarm?.[Symbol.dispose]()
    this.#checkpointAlarm = undefined
    this.#isDue = false
    this.#begin([...this.#moving].filter(({ unsynced }) => unsynced > 0))
  }

  /** Begins a checkpoint of what is finished, and of these. */
  #begin(moving: readonly FileTransfer[]): void {
    this.#checkpoint = this.#makeCheckpoint(moving).then(
      () => this.#afterCheckpoint(),
      (error: unknown) => {
        this.#failure ??= toFailure(error, undefined)
        this.#afterCheckpoint()
        this.stop()
      },
    )
  }

  #afterCheckpoint(): void {
    this.#checkpoint = undefined
    const unsynced = this.#unsynced()
    if (unsynced > 0) this.#checkpointLater(unsynced)
    this.#endIfDone()
  }

  /** Syncs, then tells: what a checkpoint says is on disk. */
  async #makeCheckpoint(moving: readonly FileTransfer[]): Promise<void> {
    const finished = this.#finished
    this.#finished = []
    this.#finishedBytes = 0
    const progress: FileProgress[] = []
    try {
      await Promise.all([
        this.#world.syncs.commit(finished.flatMap(({ partial }) => partial ?? [])),
        ...moving.map(async (transfer) => progress.push(await transfer.sync())),
      ])
      for (const transfer of finished) progress.push(transfer.promise())
    } finally {
      for (const transfer of finished) transfer.close()
    }
    if (progress.length > 0) this.#tellProgress(progress)
  }

  #tellProgress(files: readonly FileProgress[]): void {
    this.#world.report({ kind: 'checkpoint', job: this.job, turn: this.number, files })
  }

  #endIfDone(): void {
    const isIdle =
      this.#moving.size === 0 &&
      (this.#abort.signal.aborted || (this.#isLast && this.#queue.length === 0))
    if (!isIdle || this.#checkpoint !== undefined) return
    if (this.#finished.length > 0) {
      this.#beginCheckpoint()
      return
    }
    this.#end()
  }

  #end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#tellAlarm?.[Symbol.dispose]()
    this.#checkpointAlarm?.[Symbol.dispose]()
    this.#pace?.[Symbol.dispose]()
    this.#identities.close()
    wipeCredentials(this.#queue)
    this.#tell()
    const { job, number: turn } = this
    const failure = this.#failure
    this.#world.report(
      failure === undefined
        ? { kind: 'stopped', job, turn }
        : { kind: 'failed', job, turn, failure },
    )
    this.#ended.resolve()
  }
}

/** Of files that nobody asks for any more. */
function wipeCredentials(files: readonly FileOrder[]): void {
  for (const { urlCredentials } of files) urlCredentials?.fill(0)
}

/** What the requests of a turn have in common, put together once for thousands of them. */
function askingOf(order: FetchOrder, world: TurnWorld, signal: AbortSignal): Asking {
  const { job, transfer, stallTimeoutMs, connections, identity } = order
  return {
    method: 'GET',
    headers: transfer.headers,
    redirects: transfer.redirects,
    stallTimeoutMs,
    signal,
    party: job,
    connections,
    routes: world.routes({ settings: order.proxy, caFile: transfer.caFile }),
    ...(world.strictCertificates === true ? { strictCertificates: true } : {}),
    ...(transfer.caFile === undefined ? {} : { caFile: transfer.caFile }),
    securityFlags: transfer.securityFlags ?? 0,
    ...(transfer.pinnedKeys === undefined ? {} : { pinnedKeys: transfer.pinnedKeys }),
    ...(transfer.validation === undefined ? {} : { accepted: transfer.validation.accepted }),
    ...(identity?.certificate === undefined ? {} : { certificate: identity.certificate }),
  }
}
