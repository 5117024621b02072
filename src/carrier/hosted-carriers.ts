/** The service's side of its carriers: starts them, hands over orders, hears reports. */

import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { assert } from '../base/error.ts'
import { wipeOrder, type Order, type Report } from '../engine/order.ts'
import type { CarrierListener, Carriers } from '../engine/ports/carriers.ts'
import type { Owner } from '../job/job.ts'
import type { CarrierSettings } from './settings.ts'

/** What travels to a carrier. */
export type ToCarrier = Order | { readonly kind: 'end' }

/** How long a carrier may take to sync and report what it has before it is cut off. */
const END_LIMIT_MS = 1_500

/** A carrier that runs somewhere. */
interface Host {
  readonly processId: number | undefined
  readonly send: (message: ToCarrier) => void
  readonly kill: () => void
}

/** What a host tells. */
interface HostEvents {
  readonly reported: (reports: readonly Report[]) => void
  readonly gone: (reason: string) => void
}

/** Starts one carrier. */
export type StartHost = (events: HostEvents, settings: CarrierSettings) => Host

/** How long a carrier without work is kept: its memory is given back, and the next order starts another. */
const IDLE_MS = 10_000

/** What begins a piece of work, and what ends it. */
const begins: ReadonlySet<string> = new Set(['fetch', 'rename', 'discard', 'examine'])
const ends: ReadonlySet<string> = new Set(['stopped', 'failed', 'renamed', 'discarded', 'examined'])

/** The piece of work that a message is about: a turn, or what is done with the files of a job that has none. */
function workOf(message: Exclude<Order, { kind: 'networkChanged' }> | Report): string {
  if ('examination' in message) return message.examination
  return 'turn' in message ? `${message.job} ${message.turn}` : message.job
}

/**
 * One carrier for everybody: in a personal service every job runs as the same user, and one thread carries them all.
 */
export class HostedCarriers implements Carriers {
  readonly #start: StartHost
  readonly #idled: () => void
  readonly #settings: CarrierSettings
  #listener: CarrierListener | undefined
  #host: Host | undefined
  #owners = new Map<string, Owner>()
  /** Pieces of work by what they are about; of the same job a carrier may be given several to do at once. */
  readonly #work = new Map<string, number>()
  #idleTimer: NodeJS.Timeout | undefined
  #ending: PromiseWithResolvers<void> | undefined
  /** Orders that came while the carrier was ending: for the next one. */
  #held: (readonly [Owner, Order])[] = []

  /** @param idled called when a carrier without work has ended */
  constructor(
    start: StartHost,
    settings: CarrierSettings = {},
    idled: () => void = () => undefined,
  ) {
    this.#start = start
    this.#settings = settings
    this.#idled = idled
  }

  listen(listener: CarrierListener): void {
    assert(this.#listener === undefined, 'carriers have one listener')
    this.#listener = listener
  }

  /** Process ids of carriers that are processes. */
  get processIds(): readonly number[] {
    const id = this.#host?.processId
    return id === undefined ? [] : [id]
  }

  /** Whether nobody has anything to do, though a carrier may still be there. */
  get isIdle(): boolean {
    return this.#work.size === 0 && this.#held.length === 0
  }

  send(owner: Owner, order: Order): void {
    if (order.kind === 'networkChanged') {
      // A carrier that is not there, or is about to end, has nothing to forget.
      if (this.#ending === undefined) this.#host?.send(order)
      return
    }
    if (this.#ending !== undefined) {
      this.#held.push([owner, order])
      return
    }
    this.#owners.set(owner.id, owner)
    if (begins.has(order.kind)) this.#begins(order)
    clearTimeout(this.#idleTimer)
    this.#host ??= this.#begin()
    this.#host.send(order)
    // The carrier has a copy of its own.
    wipeOrder(order)
  }

  async stop(): Promise<void> {
    await this.#end()
    this.#held = []
  }

  async #end(): Promise<void> {
    const host = this.#host
    if (host === undefined) return
    clearTimeout(this.#idleTimer)
    if (this.#ending !== undefined) return this.#ending.promise
    this.#ending = Promise.withResolvers<void>()
    host.send({ kind: 'end' })
    const limit = setTimeout(host.kill, END_LIMIT_MS)
    await this.#ending.promise
    clearTimeout(limit)
  }

  #begin(): Host {
    return this.#start(
      {
        reported: (reports) => this.#reported(reports),
        gone: (reason) => this.#gone(reason),
      },
      this.#settings,
    )
  }

  #reported(reports: readonly Report[]): void {
    for (const report of reports) if (ends.has(report.kind)) this.#ends(report)
    const owner = this.#owners.values().next().value
    // What comes of these reports may be new orders; only then is it clear whether anything is left to do.
    if (owner !== undefined) this.#listener?.reported(owner, reports)
    if (this.#work.size === 0 && this.#ending === undefined) this.#idleLater()
  }

  #begins(order: Exclude<Order, { kind: 'networkChanged' }>): void {
    const key = workOf(order)
    // A turn is one piece of work, however many orders it is given.
    const before = order.kind === 'fetch' ? 0 : (this.#work.get(key) ?? 0)
    this.#work.set(key, before + 1)
  }

  #ends(report: Report): void {
    const key = workOf(report)
    const left = (this.#work.get(key) ?? 0) - 1
    if (left > 0) this.#work.set(key, left)
    else this.#work.delete(key)
  }

  #idleLater(): void {
    clearTimeout(this.#idleTimer)
    this.#idleTimer = setTimeout(() => {
      void this.#end().then(() => {
        const held = this.#held
        this.#held = []
        for (const [owner, order] of held) this.send(owner, order)
        if (held.length === 0) this.#idled()
      })
    }, IDLE_MS)
    this.#idleTimer.unref()
  }

  #gone(reason: string): void {
    this.#host = undefined
    this.#work.clear()
    clearTimeout(this.#idleTimer)
    const owners = [...this.#owners.values()]
    this.#owners = new Map()
    if (this.#ending !== undefined) {
      this.#ending.resolve()
      this.#ending = undefined
      return
    }
    for (const owner of owners) this.#listener?.lost(owner, reason)
  }
}

/** A carrier in a worker thread. */
export const threadHost: StartHost = ({ reported, gone }, settings) => {
  const worker = new Worker(here('worker'), { name: 'carrier', workerData: settings })
  let reason = 'the thread ended'
  // Made by our own carrier in the same version.
  worker.on('message', (text: string) => reported(JSON.parse(text) as readonly Report[]))
  worker.on('error', (error) => {
    reason = error instanceof Error ? (error.stack ?? error.message) : String(error)
  })
  worker.on('exit', () => gone(reason))
  return {
    processId: undefined,
    send: (message) => worker.postMessage(message),
    kill: () => void worker.terminate(),
  }
}

/** A carrier in a process. */
export const processHost: StartHost = ({ reported, gone }, settings) => {
  const child: ChildProcess = fork(fileURLToPath(here('process')), [JSON.stringify(settings)], {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  child.on('message', (reports) => {
    // Made by our own carrier in the same version.
    reported(reports as readonly Report[])
  })
  let isGone = false
  const tell = (reason: string): void => {
    if (!isGone) gone(reason)
    isGone = true
  }
  child.once('error', (error) => tell(error.message))
  child.once('exit', (code, signal) => tell(`the process ended with ${signal ?? code}`))
  return {
    processId: child.pid,
    send: (message) => void (child.connected && child.send(message)),
    kill: () => void child.kill('SIGKILL'),
  }
}

/** A file of this folder, as it runs: from the sources or built. */
function here(name: string): URL {
  return new URL(`./${name}${import.meta.url.slice(-3)}`, import.meta.url)
}
