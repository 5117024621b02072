/** Server-Sent Events of jobs: a watcher that reads slowly gets fewer events, never a growing heap. */

import type { Caller } from '../engine/access.ts'
import type { Engine } from '../engine/engine.ts'
import type { JobNews } from '../engine/publisher.ts'
import type { Job, JobId } from '../job/job.ts'
import type { JobEventView } from '../rpc/contract.ts'
import { formatEvent, keepAliveComment } from '../rpc/server-sent-events.ts'
import { view } from './handlers.ts'

/** How often progress of one job is told at most. */
const PROGRESS_EVERY_MS = 200

/** How often a silent stream shows that it lives. */
const KEEP_ALIVE_MS = 30_000

/** Where events go. */
export interface EventSink {
  /** Whether the reader has not kept up: until {@link EventStream.drained} is called nothing more is written. */
  readonly isFull: boolean
  readonly write: (text: string) => void
}

/** Tells one watcher of some jobs, or of all of the caller's. */
export class EventStream implements Disposable {
  readonly #engine: Engine
  readonly #caller: Caller
  readonly #sink: EventSink
  readonly #listening: Disposable
  readonly #keepAlive: NodeJS.Timeout
  /** Jobs whose news wait, until their time comes or the watcher has read what it was told; and what they are. */
  readonly #late = new Map<JobId, 'job' | 'progress'>()
  readonly #toldAt = new Map<JobId, number>()
  #timer: NodeJS.Timeout | undefined

  /** @param ids full ids of jobs the caller may see; each is told at once as it is */
  constructor(engine: Engine, caller: Caller, ids: readonly JobId[] | undefined, sink: EventSink) {
    this.#engine = engine
    this.#caller = caller
    this.#sink = sink
    this.#listening = engine.listen((news) => this.#hear(news), ids)
    this.#keepAlive = setInterval(() => sink.write(keepAliveComment), KEEP_ALIVE_MS)
    this.#keepAlive.unref()
    if (ids === undefined) sink.write(keepAliveComment)
    else for (const id of ids) this.#tellAsItIs(id, 'job')
  }

  /** The watcher caught up: it is told how each job is now. */
  drained(): void {
    for (const [id, kind] of this.#late) {
      if (this.#sink.isFull) return
      this.#tellAsItIs(id, kind)
    }
  }

  [Symbol.dispose](): void {
    this.#listening[Symbol.dispose]()
    clearInterval(this.#keepAlive)
    clearTimeout(this.#timer)
    this.#late.clear()
  }

  #hear(news: JobNews): void {
    if (news.kind === 'gone') {
      this.#late.delete(news.id)
      this.#toldAt.delete(news.id)
      this.#tell({ kind: 'gone', id: news.id })
      return
    }
    if (!this.#mayHear(news.job)) return
    if (this.#sink.isFull) this.#putOff(news.job.id, news.kind)
    else if (news.kind === 'job') this.#tell({ kind: 'job', job: view(this.#engine, news.job) })
    else this.#progress(news.job)
  }

  /** A change that waits stays one, whatever bytes move meanwhile. */
  #putOff(id: JobId, kind: 'job' | 'progress'): void {
    if (kind === 'job' || !this.#late.has(id)) this.#late.set(id, kind)
  }

  #progress(job: Job): void {
    const now = performance.now()
    const told = this.#toldAt.get(job.id)
    if (told === undefined || now - told >= PROGRESS_EVERY_MS) {
      this.#tell({ kind: 'progress', job: view(this.#engine, job) })
      return
    }
    this.#putOff(job.id, 'progress')
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.drained()
    }, PROGRESS_EVERY_MS)
  }

  #tellAsItIs(id: JobId, kind: 'job' | 'progress'): void {
    this.#late.delete(id)
    try {
      this.#tell({ kind, job: view(this.#engine, this.#engine.get(this.#caller, id)) })
    } catch {
      // Forgotten meanwhile: its own news said so.
    }
  }

  #tell(event: JobEventView): void {
    if (event.kind !== 'gone') {
      // Whatever waited is in here.
      this.#late.delete(event.job.id)
      this.#toldAt.set(event.job.id, performance.now())
    }
    this.#sink.write(formatEvent({ event: event.kind, data: JSON.stringify(event) }))
  }

  #mayHear({ owner }: Job): boolean {
    return owner.id === this.#caller.owner.id || this.#caller.administrator
  }
}
