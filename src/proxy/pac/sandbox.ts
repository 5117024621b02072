/** One script in a thread of its own: begun when it is asked, ended when nobody asks, killed when it does not answer. */

import { Worker } from 'node:worker_threads'
import type { Clock } from '../../base/clock.ts'
import {
  AnswerWriter,
  newAnswerMemory,
  type CallOrder,
  type FromThread,
  type Outcome,
  type ThreadOrder,
  type ThreadStart,
} from './conversation.ts'
import type { EngineModule } from './engine.ts'
import type { ScriptLimits } from './limits.ts'
import type { NameService } from './names.ts'

/** What a script is run with. */
export interface SandboxOptions {
  readonly clock: Pick<Clock, 'alarm'>
  readonly names: NameService
  readonly limits: ScriptLimits
  /** How long a thread stays without a call. */
  readonly idleMs: number
}

/** How much later than its limit a thread is killed that did not end by itself. */
const GRACE_MS = 1_000

/** What the thread itself needs besides the script's memory, in MiB. */
const THREAD_HEAP_MB = 64

interface Waiting {
  readonly order: CallOrder | 'load'
  readonly resolve: (outcome: Outcome) => void
}

/** The thread of one script; calls are answered in order. */
export class Sandbox {
  readonly #options: SandboxOptions
  readonly #waiting: Waiting[] = []
  #current: Waiting | undefined
  #thread: Thread | undefined
  #text = ''
  #alarm: Disposable | undefined
  #isClosed = false

  constructor(options: SandboxOptions) {
    this.#options = options
  }

  /** Whether it has a thread now. */
  get isRunning(): boolean {
    return this.#thread !== undefined
  }

  /** Begins the thread, so that it is there when the script is; it ends as any other when nothing comes. */
  prepare(): void {
    if (this.#isClosed || this.#thread !== undefined) return
    this.#begin()
    this.#next()
  }

  /** Loads the script, so that it is known whether it can be (N63); called once, and before all calls. Never rejects. */
  load(text: string): Promise<Outcome> {
    this.#text = text
    return this.#enqueue('load')
  }

  /** Calls the function that decides. Never rejects. */
  call(order: CallOrder): Promise<Outcome> {
    return this.#enqueue(order)
  }

  /** Ends the thread; calls under way fail. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const { resolve } of this.#waiting.splice(0)) resolve(closed)
    this.#finish(closed)
    await this.#end()
  }

  #enqueue(order: Waiting['order']): Promise<Outcome> {
    if (this.#isClosed) return Promise.resolve(closed)
    return new Promise((resolve) => {
      this.#waiting.push({ order, resolve })
      this.#next()
    })
  }

  /** Gives the thread its next order, or waits for the end of idleness. */
  #next(): void {
    if (this.#current !== undefined || this.#isClosed) return
    this.#alarm?.[Symbol.dispose]()
    const { clock, idleMs, limits } = this.#options
    this.#current = this.#waiting.shift()
    if (this.#current === undefined) {
      this.#thread?.rest()
      this.#alarm = clock.alarm(idleMs, () => void this.#end())
      return
    }
    this.#watch(limits.computeMs)
    this.#give(this.#thread ?? this.#begin(), this.#current.order)
  }

  #give(thread: Thread, order: Waiting['order']): void {
    if (!thread.hasScript) {
      thread.load(this.#text, (loaded) => {
        // What cannot be loaded cannot be called either, and tells so itself.
        if (loaded.ok) this.#give(thread, order)
        else this.#finish(loaded)
      })
    } else if (order === 'load') this.#finish({ ok: true, answer: '', said: '' })
    else thread.call(order, (outcome) => this.#finish(outcome))
  }

  #begin(): Thread {
    this.#thread = new Thread(this.#options, {
      waits: () => this.#watch(this.#options.limits.callMs),
      gone: (reason) => this.#kill({ ...tooLong, reason }),
    })
    return this.#thread
  }

  /**
   * Kills the thread when it does not end by itself. It has as long as it may compute, and when it waits for a name, as
   * long as a call may take.
   */
  #watch(ms: number): void {
    this.#alarm?.[Symbol.dispose]()
    this.#alarm = this.#options.clock.alarm(ms + GRACE_MS, () => this.#kill(tooLong))
  }

  #finish(outcome: Outcome): void {
    const current = this.#current
    this.#current = undefined
    current?.resolve(outcome)
    this.#next()
  }

  /** The thread has no future: its call fails, and the next one gets another thread. */
  #kill(outcome: Outcome): void {
    void this.#end()
    this.#finish(outcome)
  }

  async #end(): Promise<void> {
    const thread = this.#thread
    this.#thread = undefined
    this.#alarm?.[Symbol.dispose]()
    this.#alarm = undefined
    await thread?.kill()
  }
}

const closed: Outcome = { ok: false, fault: 'closed', reason: 'it was broken off', said: '' }

const tooLong = { ok: false, fault: 'limit', reason: 'it does not end', said: '' } as const

/** What becomes of a thread. */
interface ThreadEvents {
  /** It stands still until a name is known. */
  readonly waits: () => void
  /** It ended, and nobody killed it. */
  readonly gone: (reason: string) => void
}

/** The thread itself. */
class Thread {
  readonly #worker: Worker
  readonly #names: NameService
  readonly #answers: AnswerWriter
  #heard: (outcome: Outcome) => void = () => undefined
  readonly #events: ThreadEvents
  #hasScript = false
  #isOver = false

  constructor({ limits, names }: SandboxOptions, events: ThreadEvents) {
    const memory = newAnswerMemory()
    this.#names = names
    this.#answers = new AnswerWriter(memory)
    this.#events = events
    this.#worker = start({ limits, answers: memory, engine: compiledEngine })
    let reason = 'its thread ended'
    this.#worker.on('message', (message: FromThread) => this.#hear(message))
    this.#worker.on('error', (error: Error) => (reason = `its thread ended: ${error.message}`))
    this.#worker.once('exit', () => {
      if (!this.#isOver) events.gone(reason)
    })
  }

  /** Whether it was given the script. */
  get hasScript(): boolean {
    return this.#hasScript
  }

  /** Gives it the script, once. */
  load(text: string, heard: (outcome: Outcome) => void): void {
    this.#hasScript = true
    this.#send({ kind: 'load', text }, heard)
  }

  /** Has the script decide. */
  call(call: CallOrder, heard: (outcome: Outcome) => void): void {
    this.#send({ kind: 'call', call }, heard)
  }

  #send(order: ThreadOrder, heard: (outcome: Outcome) => void): void {
    this.#heard = heard
    this.#worker.ref()
    this.#worker.postMessage(order)
  }

  /** The process may end while this thread has nothing to do. */
  rest(): void {
    this.#worker.unref()
  }

  /** Ends it wherever it is; nothing of it is heard any more. */
  async kill(): Promise<void> {
    this.#isOver = true
    await this.#worker.terminate()
  }

  #hear(message: FromThread): void {
    if (this.#isOver) return
    if (message.kind === 'outcome') return this.#heard(message.outcome)
    if (message.kind === 'engine') {
      compiledEngine = message.engine
      return
    }
    this.#events.waits()
    const { ticket, question } = message
    this.#answers.asked(ticket)
    void this.#names.answer(question).then((text) => this.#answers.write(ticket, text))
  }
}

/** The engine of all threads of this process, since the first of them has compiled it. */
let compiledEngine: EngineModule | undefined

function start(workerData: ThreadStart): Worker {
  return new Worker(new URL(`./thread${import.meta.url.slice(-3)}`, import.meta.url), {
    name: 'proxy script',
    workerData,
    env: {},
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: THREAD_HEAP_MB },
  })
}
