/** Server-Sent Events of jobs: a watcher that reads slowly gets fewer events, never a growing heap. */

import type { Caller } from '../engine/access.ts'
import type { Engine } from '../engine/engine.ts'
import type { JobNews } from '../engine/publisher.ts'
import type { Job, JobId } from '../job/job.ts'
import type { JobEventView, JobView } from '../rpc/contract.ts'
import { formatEvent, keepAliveComment } from '../rpc/server-sent-events.ts'
import { view } from './handlers.ts'

/** How often progress of one job is told at most: that bytes moved, or that more files have come. */
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
  /** How jobs were when they were last told, and when that was; in this order, and only those told just now. */
  readonly #told = new Map<JobId, { readonly job: JobView; readonly at: number }>()
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
      this.#told.delete(news.id)
      this.#write({ kind: 'gone', id: news.id })
      return
    }
    const { kind, job } = news
    if (!this.#mayHear(job)) return
    if (this.#sink.isFull || this.#isTooSoon(news)) this.#putOff(job.id, kind)
    // A change that waited stays one.
    else this.#tell(this.#late.get(job.id) === 'job' ? 'job' : kind, view(this.#engine, job))
  }

  /** Whether this is progress, and the last was told just now. */
  #isTooSoon({ kind, job }: Exclude<JobNews, { kind: 'gone' }>): boolean {
    const told = this.#told.get(job.id)
    if (told === undefined || performance.now() - told.at >= PROGRESS_EVERY_MS) return false
    if (kind === 'job' && !isProgress(told.job, view(this.#engine, job))) return false
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.drained()
    }, PROGRESS_EVERY_MS)
    return true
  }

  /** A change that waits stays one, whatever bytes move meanwhile. */
  #putOff(id: JobId, kind: 'job' | 'progress'): void {
    if (kind === 'job' || !this.#late.has(id)) this.#late.set(id, kind)
  }

  #tellAsItIs(id: JobId, kind: 'job' | 'progress'): void {
    this.#late.delete(id)
    try {
      this.#tell(kind, view(this.#engine, this.#engine.get(this.#caller, id)))
    } catch {
      // Forgotten meanwhile: its own news said so.
    }
  }

  #tell(kind: 'job' | 'progress', job: JobView): void {
    // Whatever waited is in here.
    this.#late.delete(job.id)
    const now = performance.now()
    this.#told.delete(job.id)
    this.#told.set(job.id, { job, at: now })
    for (const [id, { at }] of this.#told) {
      if (now - at < PROGRESS_EVERY_MS) break
      this.#told.delete(id)
    }
    this.#write({ kind, job })
  }

  #write(event: JobEventView): void {
    this.#sink.write(formatEvent({ event: event.kind, data: JSON.stringify(event) }))
  }

  #mayHear({ owner }: Job): boolean {
    return owner.id === this.#caller.owner.id || this.#caller.administrator
  }
}

/** What grows of a job while its files come, and of which there is more to follow. */
const growing: ReadonlySet<string> = new Set<keyof JobView>([
  'bytesTotal',
  'bytesTransferred',
  'filesTransferred',
  'modified',
])

/** Whether a job has only grown. */
function isProgress(before: JobView, now: JobView): boolean {
  const values = new Map<string, unknown>(Object.entries(before))
  return Object.entries(now).every(
    ([name, value]) => growing.has(name) || value === values.get(name),
  )
}
