/** `lull follow`, and the second half of `lull get`: shows a job until it is decided. */

import { setTimeout as delay } from 'node:timers/promises'
import { UnreachableError } from '../client/unreachable.ts'
import type { RpcClient } from '../rpc/client.ts'
import type { JobView } from '../rpc/contract.ts'
import { exitStatus, jobFailed, withSymbol, type CliError } from './cli-error.ts'
import { connect } from './connect.ts'
import { cureOf } from './cure.ts'
import { chooseDisplay, type Display } from './display.ts'
import type { Arguments } from './parse.ts'

/** How often and how long a service that went away is looked for while a job is followed. */
const RECONNECT_EVERY_MS = 250
const RECONNECT_LIMIT_MS = 15_000

/** Runs `lull follow`. @returns the exit status: the same as that of the `lull get` which made the job */
export async function follow(args: Arguments): Promise<number> {
  const client = await connect({ start: true })
  const { id } = await client.call('job.get', { id: args.operands[0] ?? '' })
  return new Follower(client, id, chooseDisplay(args)).follow()
}

/** Follows one job across everything that happens to the service meanwhile. */
export class Follower {
  #client: RpcClient
  readonly #id: string
  readonly #display: Display
  readonly #interrupt = new AbortController()

  constructor(client: RpcClient, id: string, display: Display) {
    this.#client = client
    this.#id = id
    this.#display = display
  }

  /** Shows the job until it is decided. @returns the exit status @throws {CliError} when it failed */
  async follow(): Promise<number> {
    const onInterrupt = (): void => this.#interrupt.abort()
    process.on('SIGINT', onInterrupt)
    process.on('SIGTERM', onInterrupt)
    // Nobody reads any more: `lull get --json URL | head -1`.
    process.stdout.on('error', onInterrupt)
    try {
      return await this.#untilDecided()
    } finally {
      process.off('SIGINT', onInterrupt)
      process.off('SIGTERM', onInterrupt)
      process.stdout.off('error', onInterrupt)
      this.#display.end()
    }
  }

  async #untilDecided(): Promise<number> {
    for (;;) {
      const outcome = await this.#watch()
      if (outcome !== undefined) return outcome
      if (this.#interrupt.signal.aborted) return this.#detach()
      // The service is gone; the job is in its queue.
      await this.#reconnect()
    }
  }

  /** Follows until the job is decided; `undefined` when the person broke off, or the service was cut off. */
  async #watch(): Promise<number | undefined> {
    try {
      for await (const event of this.#client.watch([this.#id], {
        signal: this.#interrupt.signal,
      })) {
        if (event.kind === 'gone') throw forgotten(this.#id)
        this.#display.show(event)
        const failed = failureIn(event.job)
        if (failed !== undefined) {
          this.#display.end()
          if (isKept(event.job)) this.#display.say(keptSentence(event.job))
          throw failed
        }
        if (event.job.state === 'ACKNOWLEDGED') return exitStatus.ok
      }
    } catch (error) {
      if (this.#interrupt.signal.aborted || error instanceof UnreachableError) return undefined
      throw error
    }
    if (this.#interrupt.signal.aborted) return undefined
    throw stopped(this.#id)
  }

  async #reconnect(): Promise<void> {
    const limit = performance.now() + RECONNECT_LIMIT_MS
    for (;;) {
      try {
        this.#client = await connect({ start: true })
        return
      } catch (error) {
        if (performance.now() >= limit || this.#interrupt.signal.aborted) throw error
        await delay(RECONNECT_EVERY_MS)
      }
    }
  }

  #detach(): number {
    this.#display.end()
    const short = this.#id.slice(0, 8)
    process.stderr.write(
      `Job ${short} goes on in the background: lull follow ${short} shows it again, lull cancel ${short} ends it\n`,
    )
    return exitStatus.interrupted
  }
}

/** What failed, when the job's view says that it will not go on by itself. */
function failureIn(job: JobView): CliError | undefined {
  if (job.error !== null && job.state !== 'TRANSIENT_ERROR') return jobFailed(job.error)
  if (job.state === 'CANCELLED') {
    return withSymbol(
      exitStatus.jobError,
      'ERROR_CANCELLED',
      'NONE',
      `Job ${job.id.slice(0, 8)} was cancelled`,
    )
  }
  if (job.state === 'ACKNOWLEDGED' && job.partial) {
    const sentence = `Job ${job.id.slice(0, 8)} was completed with ${job.filesTransferred} of ${job.filesTotal} files`
    return withSymbol(exitStatus.jobError, 'BG_S_PARTIAL_COMPLETE', 'NONE', sentence)
  }
  return undefined
}

function isKept({ state }: JobView): boolean {
  return state === 'ERROR' || state === 'TRANSFERRED'
}

function keptSentence(job: JobView): string {
  const { id, state } = job
  const short = id.slice(0, 8)
  const cure = cureOf(job)
  if (cure !== undefined) {
    const { what, commands, hint } = cure
    return [
      `Job ${short} stays in the queue. With ${what} it goes on from what it has:`,
      ...commands.map((command) => `  ${command}`),
      ...(hint === undefined ? [] : [hint]),
      `lull doctor --job ${short} finds out what is asked for, lull cancel ${short} deletes it`,
    ].join('\n')
  }
  const again = state === 'TRANSFERRED' ? `lull complete ${short}` : `lull resume ${short}`
  return `Job ${short} stays in the queue: ${again} tries again, ${keeping(job)}lull cancel ${short} deletes it`
}

/** How to save what is whole of a job that has more than that. */
function keeping({ id, state, filesTransferred }: JobView): string {
  if (state !== 'ERROR' || filesTransferred === 0) return ''
  const whole =
    filesTransferred === 1 ? 'the file that is' : `the ${filesTransferred} files that are`
  return `lull complete ${id.slice(0, 8)} keeps ${whole} whole and ends it, `
}

/** Somebody wants the service to end: starting the next one would be against their will. */
function stopped(id: string): CliError {
  const short = id.slice(0, 8)
  return withSymbol(
    exitStatus.unreachable,
    'RPC_S_SERVER_UNAVAILABLE',
    'GENERAL_QUEUE_MANAGER',
    `The service was stopped: job ${short} goes on when it is started again, lull follow ${short} does both`,
  )
}

function forgotten(id: string): CliError {
  return withSymbol(
    exitStatus.jobError,
    'BG_E_NOT_FOUND',
    'GENERAL_QUEUE_MANAGER',
    `Job ${id} is not in the queue any more`,
  )
}
