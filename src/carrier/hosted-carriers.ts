/** The service's side of its carriers: starts them, hands over orders, hears reports. */

import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { assert } from '../base/error.ts'
import type { Order, Report } from '../engine/order.ts'
import type { CarrierListener, Carriers } from '../engine/ports/carriers.ts'
import type { Owner } from '../job/job.ts'

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
export type StartHost = (events: HostEvents) => Host

/**
 * One carrier for everybody: in a personal service every job runs as the same user, and one thread carries them all.
 */
export class HostedCarriers implements Carriers {
  readonly #start: StartHost
  #listener: CarrierListener | undefined
  #host: Host | undefined
  #owners = new Map<string, Owner>()
  #ending: PromiseWithResolvers<void> | undefined

  constructor(start: StartHost) {
    this.#start = start
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

  send(owner: Owner, order: Order): void {
    this.#owners.set(owner.id, owner)
    this.#host ??= this.#begin()
    this.#host.send(order)
  }

  async stop(): Promise<void> {
    const host = this.#host
    if (host === undefined) return
    this.#ending = Promise.withResolvers<void>()
    host.send({ kind: 'end' })
    const limit = setTimeout(host.kill, END_LIMIT_MS)
    await this.#ending.promise
    clearTimeout(limit)
  }

  #begin(): Host {
    const listener = this.#listener
    assert(listener !== undefined, 'carriers are listened to before the first order')
    return this.#start({
      reported: (reports) => {
        const owner = this.#owners.values().next().value
        if (owner !== undefined) listener.reported(owner, reports)
      },
      gone: (reason) => this.#gone(reason),
    })
  }

  #gone(reason: string): void {
    this.#host = undefined
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
export const threadHost: StartHost = ({ reported, gone }) => {
  const worker = new Worker(here('worker'), { name: 'carrier' })
  let reason = 'the thread ended'
  worker.on('message', reported)
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
export const processHost: StartHost = ({ reported, gone }) => {
  const child: ChildProcess = fork(fileURLToPath(here('process')), {
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
