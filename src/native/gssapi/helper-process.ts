/** Our side of a helper: a process that blocks in our place, and is killed when it blocks too long. */

import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { MechanismError } from '../../auth/error.ts'
import type { Clock } from '../../base/clock.ts'
import { assert } from '../../base/error.ts'
import type { HelperAnswer, HelperRequest } from './conversation.ts'
import { encodeFrame, FrameCollector, type Frame } from './frame.ts'

/** How a helper is started, and how long it may take. */
export interface HelperOptions {
  /** Its program. */
  readonly script: URL
  /** All of its environment. */
  readonly environment: Readonly<Record<string, string>>
  readonly clock: Clock
  /** How long one request may take. */
  readonly deadlineMs: number
  /** How long it stays when it has no context. */
  readonly idleMs: number
}

/** How much later than its deadline a request ends by itself when nobody is there to end it. */
const ALONE_SECONDS = 5

const MS_PER_SECOND = 1_000

/** A process with a pipe in each direction. */
type Child = ChildProcessByStdio<Writable, Readable, null>

/** A request that has no answer yet. */
interface Pending {
  readonly request: HelperRequest
  readonly resolve: (answer: Frame<HelperAnswer>) => void
  readonly reject: (error: MechanismError) => void
}

/**
 * One process.
 *
 * It answers in order, one request after the other, so only the first that waits can be late. When that one is, the
 * process is killed, and everything that waits fails with it: it has the same identity, and would have asked the same
 * KDC. So do contexts that are half made; whoever owns them begins again.
 */
export class HelperProcess {
  readonly #options: HelperOptions
  readonly #child: Child
  readonly #exited: Promise<unknown>
  readonly #pending: Pending[] = []
  readonly #contexts = new Set<number>()
  readonly #answers = new FrameCollector<HelperAnswer>()
  #alarm: Disposable | undefined
  #failure: MechanismError | undefined

  /** @throws {MechanismError} `ERR_MECHANISM_HELPER` when this process can have no more pipes */
  constructor(options: HelperOptions) {
    this.#options = options
    this.#child = start(options)
    this.#exited = this.#watch()
  }

  /** Absent when it could not be started. */
  get processId(): number | undefined {
    return this.#child.pid
  }

  /** Whether it has ended, or is about to: it takes no more requests. */
  get isOver(): boolean {
    return this.#failure !== undefined
  }

  /** Whether nothing would be lost if it ended. */
  get isIdle(): boolean {
    return this.#pending.length === 0 && this.#contexts.size === 0
  }

  /**
   * Asks for something.
   *
   * @param parts copied; the copy is wiped as soon as it was handed to the system
   * @throws {MechanismError} what the helper answers, or `ERR_MECHANISM_DEADLINE`, `ERR_MECHANISM_HELPER` when it has
   *   ended, `ERR_MECHANISM_CLOSED` when the context was closed meanwhile; all unable unless the helper says otherwise
   */
  ask(request: HelperRequest, parts: readonly Uint8Array[] = []): Promise<Frame<HelperAnswer>> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    const isKnown = request.kind === 'open' || this.#contexts.has(request.context)
    if (!isKnown) return Promise.reject(closed())
    const { promise, resolve, reject } = Promise.withResolvers<Frame<HelperAnswer>>()
    this.#pending.push({ request, resolve, reject })
    if (request.kind === 'open') this.#contexts.add(request.context)
    if (this.#pending.length === 1) this.#setAlarm()
    handOver(this.#child.stdin, encodeFrame({ head: request, parts }))
    return promise
  }

  /**
   * Closes a context, also one that is being opened; whatever still waits for it fails at once. Where it was the last one
   * and the process is still at it, the process ends: it may hang, and nobody wants what it would say.
   */
  close(context: number): void {
    if (!this.#contexts.has(context) || this.isOver) return
    for (const { request, reject } of this.#pending) {
      if (request.context === context) reject(closed())
    }
    const isAtWork = this.#pending.some(({ request }) => isSlow(request))
    if (isAtWork && this.#contexts.size === 1) {
      this.#fail(unable('ERR_MECHANISM_HELPER', 'Cannot go on with a context: nobody waits for it'))
      return
    }
    this.ask({ kind: 'close', context }).catch(() => undefined)
    this.#contexts.delete(context)
  }

  /** Kills it. Whatever still waits fails. @returns when nothing is left of it */
  async end(): Promise<void> {
    this.#fail(unable('ERR_MECHANISM_HELPER', 'Cannot go on with a context: its process was ended'))
    await this.#exited
  }

  async #watch(): Promise<void> {
    const { stdin, stdout } = this.#child
    // A pipe breaks when the process ends, and that is told below.
    stdin.on('error', () => undefined)
    stdout.on('error', () => undefined)
    stdout.on('data', (piece: Buffer) => this.#receive(piece))
    let how: string
    try {
      const [code, signal]: unknown[] = await once(this.#child, 'exit')
      how = `it ended with ${String(signal ?? code)}`
    } catch (error) {
      how = error instanceof Error ? error.message : String(error)
    }
    this.#fail(unable('ERR_MECHANISM_HELPER', `Cannot reach the process of a mechanism: ${how}`))
  }

  #receive(piece: Uint8Array): void {
    // What it still had to say when it was killed.
    if (this.isOver) return
    try {
      for (const answer of this.#answers.take(piece)) {
        const pending = this.#pending.shift()
        assert(pending !== undefined, 'a helper answers what it was asked')
        this.#settle(pending, answer)
      }
      this.#setAlarm()
    } catch (cause) {
      // Such as a library that prints something: no answer after it could be found.
      const what = 'Cannot understand the process of a mechanism: it says what is no answer'
      this.#fail(unable('ERR_MECHANISM_HELPER', what, cause))
    }
  }

  #settle({ request, resolve, reject }: Pending, answer: Frame<HelperAnswer>): void {
    const { head } = answer
    if (head.kind !== 'failed') {
      resolve(answer)
      return
    }
    if (request.kind === 'open') this.#contexts.delete(request.context)
    reject(new MechanismError(head.code, head.message, { reason: head.reason }))
  }

  /** For the request it is at, or for how long it may stay without any. */
  #setAlarm(): void {
    this.#alarm?.[Symbol.dispose]()
    const { clock, deadlineMs, idleMs } = this.#options
    if (this.#pending.length > 0) {
      this.#alarm = clock.alarm(deadlineMs, () => this.#fail(late(deadlineMs)))
    } else if (this.isIdle) {
      this.#alarm = clock.alarm(idleMs, () => void this.end())
    }
  }

  #fail(failure: MechanismError): void {
    if (this.#failure !== undefined) return
    this.#failure = failure
    this.#alarm?.[Symbol.dispose]()
    // Not asked but killed: a process that hangs in a library hears nothing.
    this.#child.kill('SIGKILL')
    for (const { reject } of this.#pending.splice(0)) reject(failure)
    this.#contexts.clear()
  }
}

/**
 * Writes a frame, and wipes it when it has left this process, or cannot any more: a password may be in it.
 *
 * @param frame owned by this from here on
 */
export function handOver(stream: Writable, frame: Uint8Array): void {
  stream.write(frame, () => frame.fill(0))
}

function start({ script, environment, deadlineMs }: HelperOptions): Child {
  const limitSeconds = Math.ceil(deadlineMs / MS_PER_SECOND) + ALONE_SECONDS
  const child = spawn(process.execPath, [fileURLToPath(script), String(limitSeconds)], {
    env: environment,
    stdio: ['pipe', 'pipe', 'ignore'],
    windowsHide: true,
  })
  // Where there are no file descriptors left there is no pipe either, whatever the types say.
  const pipe: Writable | undefined = child.stdin
  if (pipe !== undefined) return child
  child.on('error', () => undefined)
  throw unable(
    'ERR_MECHANISM_HELPER',
    'Cannot start the process of a mechanism: too many files are open',
  )
}

/** Whether the platform's library may have to ask somebody else. */
function isSlow({ kind }: HelperRequest): boolean {
  return kind === 'open' || kind === 'step'
}

function late(deadlineMs: number): MechanismError {
  return unable(
    'ERR_MECHANISM_DEADLINE',
    `Cannot go on with a context: the platform's library gave no answer for ${deadlineMs} ms`,
  )
}

function closed(): MechanismError {
  return unable('ERR_MECHANISM_CLOSED', 'Cannot go on with a context: it was closed')
}

function unable(code: string, message: string, cause?: unknown): MechanismError {
  return new MechanismError(code, message, { reason: 'unable', cause })
}
