/**
 * One round: jobs are made, somebody dies, somebody else goes on, and in the end every file is looked at.
 *
 * Four things happen side by side: jobs are created, processes are killed, owners change their minds, and whoever
 * waits for a retry is nudged. Each of them calls the service as any client would, and starts it when it is dead.
 */

import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { JobView } from 'lull'
import { FaultServer } from '../lab/fault-server.ts'
import { killProcess, LullHome } from '../lab/lull.ts'
import { SmallDisk } from '../lab/small-disk.ts'
import { checkRound, type AskedAgain } from './check.ts'
import type { FilePlan, JobPlan, KillPlan, RoundPlan } from './plan.ts'
import { isRefusal, isUnanswered, Session } from './session.ts'
import { configOf, type Stage } from './stage.ts'

/** Room on a disk that is full for a while. */
const DISK_BYTES = 12 * 1024 * 1024

const NUDGE_EVERY_MS = 60

/** A round that has not ended by then never will. */
const PATIENCE_MS = 45_000

/** One file as it is in this round. */
export interface RoundFile extends FilePlan {
  readonly url: string
  readonly localName: string
  /** Whether the server's file was replaced meanwhile. */
  isChanged: boolean
}

/** One job as it is in this round. */
export interface RoundJob {
  readonly plan: JobPlan
  readonly files: readonly RoundFile[]
  /** Once the service has acknowledged it. */
  id?: string
  /** What it is in the end. */
  view?: JobView
  /** How many times it was started again: by nudges and by its owner. */
  starts: number
}

/** What a service said right before it was killed. */
export interface Testimony {
  readonly url: string
  /** Bytes on disk. */
  readonly durable: number
  readonly transferred: boolean
  /** How many requests for the file had come by then. */
  readonly requests: number
}

/** Everything that is known when a round is over. */
export interface RoundFacts {
  readonly plan: RoundPlan
  /** The folder of the targets. */
  readonly target: string
  readonly server: FaultServer
  readonly jobs: readonly RoundJob[]
  readonly testimonies: readonly Testimony[]
  readonly kills: number
}

/** What a round came to. */
export interface RoundResult {
  readonly plan: RoundPlan
  readonly violations: readonly string[]
  readonly kills: {
    readonly service: number
    readonly terminated: number
    readonly carrier: number
  }
  readonly requests: number
  readonly bytesSent: number
  readonly nudges: number
  readonly askedAgain: AskedAgain
  /** The end of the service's log, where something is wrong. */
  readonly log: string
}

/** Plays a round, on a stage where others were played before. */
export async function playRound(plan: RoundPlan, stage: Stage): Promise<RoundResult> {
  const { of } = plan.fullDisk
  using disk = of === 'none' ? undefined : new SmallDisk(DISK_BYTES)
  await using own = of === 'queue' ? homeOn(disk, plan) : undefined
  const home = own ?? stage.home(plan.carriers)
  const target = of === 'targets' && disk ? disk.folder : home.path(`round-${plan.seed}`)
  mkdirSync(target, { recursive: true })
  await using server = await FaultServer.start()
  const round = new Round(plan, { home, target, server, disk })
  await round.play()
  const result = round.result()
  if (result.violations.length > 0) await stage.giveUp(plan.carriers)
  else if (own === undefined) stage.remember(home, round.ids)
  if (of === 'none') rmSync(target, { recursive: true, force: true })
  return result
}

function homeOn(disk: SmallDisk | undefined, { carriers }: RoundPlan): LullHome {
  const config = configOf(carriers)
  return new LullHome({
    config,
    ...(disk === undefined ? {} : { home: join(disk.folder, 'home') }),
  })
}

/** Where a round is played. */
interface Scene {
  readonly home: LullHome
  /** The folder of the targets. */
  readonly target: string
  readonly server: FaultServer
  /** The disk that is full for a while. */
  readonly disk: SmallDisk | undefined
}

class Round {
  readonly #plan: RoundPlan
  readonly #home: LullHome
  readonly #target: string
  readonly #server: FaultServer
  readonly #disk: SmallDisk | undefined
  readonly #session: Session
  readonly #jobs: readonly RoundJob[]
  readonly #testimonies: Testimony[] = []
  readonly #violations: string[] = []
  readonly #kills = { service: 0, terminated: 0, carrier: 0 }
  #askedAgain: AskedAgain = { bytes: 0, ms: 0 }
  #nudges = 0
  #isOver = false

  constructor(plan: RoundPlan, { home, target, server, disk }: Scene) {
    this.#plan = plan
    this.#home = home
    this.#target = target
    this.#server = server
    this.#disk = disk
    this.#session = new Session(home)
    this.#jobs = plan.jobs.map((job, at) => ({
      plan: job,
      starts: 0,
      files: job.files.map((file, place) => ({
        ...file,
        url: server.url(file.fault, { ...file.options, job: at }),
        localName: join(target, `${at}-${place}`),
        isChanged: false,
      })),
    }))
  }

  /** Every job that was acknowledged. */
  get ids(): readonly string[] {
    return this.#jobs.flatMap(({ id }) => id ?? [])
  }

  async play(): Promise<void> {
    try {
      await this.#session.call((manager) => manager.getStatus())
      this.#disk?.fill(0)
      const created = Promise.all(this.#jobs.map((job) => this.#create(job)))
      const over = created.then(() => this.#untilOver())
      const whims = this.#jobs.map((job) => this.#followWhim(job))
      await this.#together([over, this.#killAll(), this.#makeRoom(), ...whims])
      await this.#lookAtTheEnd()
      const facts = {
        plan: this.#plan,
        target: this.#target,
        server: this.#server,
        jobs: this.#jobs,
        testimonies: this.#testimonies,
        kills: this.#kills.service + this.#kills.carrier + this.#kills.terminated,
      }
      const { violations, askedAgain } = await checkRound(facts)
      this.#violations.push(...violations)
      this.#askedAgain = askedAgain
    } catch (error) {
      this.#violations.push(`the round broke: ${describe(error)}`)
    } finally {
      this.#isOver = true
    }
  }

  result(): RoundResult {
    const { log } = this.#server
    return {
      plan: this.#plan,
      violations: this.#violations,
      kills: this.#kills,
      requests: log.length,
      bytesSent: log.reduce((sum, { sent }) => sum + sent, 0),
      nudges: this.#nudges,
      askedAgain: this.#askedAgain,
      log: this.#violations.length === 0 ? '' : lastLines(join(this.#home.home, 'lull.log')),
    }
  }

  /** Waits for all, also when one of them has failed: nobody is to start services behind our back. */
  async #together(works: readonly Promise<void>[]): Promise<void> {
    const outcomes = await Promise.allSettled(
      works.map(async (work) => {
        try {
          await work
        } catch (error) {
          this.#isOver = true
          throw error
        }
      }),
    )
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
  }

  /** Makes a job. When nobody knows whether the call was heard, the queue tells. */
  async #create(job: RoundJob): Promise<void> {
    const { name, priority } = job.plan
    const files = job.files.map(({ url, localName }) => ({ remoteName: url, localName }))
    const options = { files, priority, minimumRetryDelay: 5, completesItself: true, resume: true }
    while (job.id === undefined && !this.#isOver) {
      try {
        job.id = (await this.#session.once((manager) => manager.createJob(name, options))).id
      } catch (error) {
        const isRoomMissing = this.#plan.fullDisk.of === 'queue' && isRefusal(error)
        if (!isUnanswered(error) && !isRoomMissing) throw error
        await delay(NUDGE_EVERY_MS)
        if (isUnanswered(error)) await this.#adopt(job)
      }
    }
  }

  /** Finds a job that was made though nobody said so; it may be complete by now. */
  async #adopt(job: RoundJob): Promise<void> {
    let told = await this.#home.run(['jobs', '--all', '--json'])
    while (told.status !== 0) told = await this.#home.run(['jobs', '--all', '--json'])
    const jobs: unknown = JSON.parse(told.stdout)
    // The command's own words.
    const heard = (jobs as readonly JobView[]).find(
      ({ displayName }) => displayName === job.plan.name,
    )
    if (heard !== undefined) job.id = heard.id
  }

  /** Nudges whoever waits, until every job is over. */
  async #untilOver(): Promise<void> {
    const limit = performance.now() + PATIENCE_MS
    while (!this.#isOver) {
      const views = await this.#list()
      const open = views.filter(({ id }) => this.#jobs.some((job) => job.id === id))
      if (open.length === 0) break
      if (performance.now() > limit) {
        throw new Error(`jobs do not end: ${JSON.stringify(open)}`)
      }
      for (const view of open) await this.#nudge(view)
      await delay(NUDGE_EVERY_MS)
    }
    this.#isOver = true
  }

  async #nudge({ id, state, error }: JobView): Promise<void> {
    if (state === 'ERROR' || (state === 'TRANSFERRED' && error !== null)) {
      throw new Error(`a job failed that should not: ${JSON.stringify(error)}`)
    }
    if (state !== 'TRANSIENT_ERROR') return
    // Room on the disk is made by somebody else.
    if (error?.symbol === 'ERROR_DISK_FULL' && this.#isDiskFull) return
    this.#nudges++
    await this.#resume(id)
  }

  async #resume(id: string): Promise<void> {
    const job = this.#jobs.find((job) => job.id === id)
    if (job !== undefined) job.starts++
    await this.#session.call(async (manager) => {
      try {
        await (await manager.getJob(id)).resume()
      } catch (error) {
        // It has gone on by itself, and is complete.
        if (!isRefusal(error, 'BG_E_INVALID_STATE')) throw error
      }
    })
  }

  get #isDiskFull(): boolean {
    return this.#disk !== undefined && this.#disk.free === 0
  }

  async #makeRoom(): Promise<void> {
    if (this.#disk === undefined) return
    await delay(this.#plan.fullDisk.forMs)
    this.#disk.empty()
  }

  async #followWhim(job: RoundJob): Promise<void> {
    const { kind, afterMs } = job.plan.whim
    if (kind === 'none') return
    await delay(afterMs)
    while (job.id === undefined && !this.#isOver) await delay(NUDGE_EVERY_MS)
    const { id } = job
    if (id === undefined) return
    const refused = await this.#session.call(async (manager) => {
      try {
        const found = await manager.getJob(id)
        await (kind === 'cancel' ? found.cancel() : found.suspend())
        return false
      } catch (error) {
        const isOver = isRefusal(error, 'BG_E_INVALID_STATE')
        const isRoomMissing = this.#plan.fullDisk.of === 'queue' && isRefusal(error)
        if (!isOver && !isRoomMissing) throw error
        return true
      }
    })
    if (kind !== 'suspend' || refused) return
    await delay(afterMs / 2)
    await this.#resume(id)
  }

  async #killAll(): Promise<void> {
    for (const kill of this.#plan.kills) {
      await delay(kill.afterMs)
      if (this.#isOver) return
      await this.#testify()
      await this.#kill(kill)
      if (kill.changesFile) this.#changeFile()
    }
  }

  async #kill({ victim, signal }: KillPlan): Promise<void> {
    if (victim === 'carrier') {
      const { carriers } = await this.#session.call((manager) => manager.getStatus())
      const [carrier] = carriers
      if (carrier === undefined) return
      this.#kills.carrier++
      return killProcess(carrier, 'SIGKILL')
    }
    const { servicePid } = this.#home
    if (servicePid === undefined) return
    if (signal === 'SIGKILL') this.#kills.service++
    else this.#kills.terminated++
    await killProcess(servicePid, signal)
    // Sooner or later somebody calls; here it is at once.
    await this.#session.call((manager) => manager.getStatus())
  }

  /** Writes down what the service says to be on disk. Nobody answers when it was killed by another just now. */
  async #testify(): Promise<void> {
    for (const { id, files } of this.#jobs) {
      if (id === undefined) continue
      const byName = new Map(files.map((file) => [file.localName, file]))
      const said: Testimony[] = []
      await this.#session.call(async (manager) => {
        said.length = 0
        for await (const view of (await manager.getJob(id)).enumFiles()) {
          const file = byName.get(view.localName)
          if (file === undefined) continue
          const { bytesTransferred: durable, transferred } = view
          const requests = this.#server.requests(file.url).length
          said.push({ url: file.url, durable, transferred, requests })
        }
      })
      this.#testimonies.push(...said)
    }
  }

  /** Replaces a file on its server while it is fetched. */
  #changeFile(): void {
    const file = this.#jobs
      .flatMap(({ files }) => files)
      .find(({ url }) => this.#server.requests(url).at(-1)?.isAnswered === false)
    if (file === undefined) return
    this.#server.resource(file.url).change()
    file.isChanged = true
  }

  async #lookAtTheEnd(): Promise<void> {
    for (const job of this.#jobs) {
      const { id } = job
      if (id === undefined) continue
      job.view = await this.#session.call(async (manager) => (await manager.getJob(id)).getView())
    }
  }

  #list(): Promise<readonly JobView[]> {
    return this.#session.call(async (manager) => {
      const jobs: JobView[] = []
      for await (const job of manager.enumJobs()) jobs.push(job)
      return jobs
    })
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

function lastLines(path: string): string {
  try {
    return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-40).join('\n')
  } catch {
    return ''
  }
}
