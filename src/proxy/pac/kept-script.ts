/** One script: when it is fetched, how long it is kept, and what it decided (N62, N63, N67). */

import type { Clock, Monotonic } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { ScriptError, type ScriptSource } from '../ports.ts'
import type { CallOrder, Outcome, ScriptFault } from './conversation.ts'
import { Decisions } from './decisions.ts'
import { describePlace, downloadScript, type FetchScript } from './download.ts'
import type { ScriptLimits } from './limits.ts'
import type { NameService } from './names.ts'
import { Sandbox } from './sandbox.ts'

/** A script is fetched again when it is older (N62). */
export const SCRIPT_LIFE_MS = 12 * 60 * 60_000

/** How long after one failure and the next it is tried again; the last goes on for ever (N62). */
export const RETRY_DELAYS_MS = [8_000, 32_000, 2 * 60_000, 4 * 60 * 60_000] as const

/** A script that ran into its limits so many times one after the other is not run for a while. */
const MOST_STRIKES = 3

/** For how long. */
export const STRUCK_OUT_MS = 5 * 60_000

/** What scripts are kept with. */
export interface KeptScriptOptions {
  readonly fetchScript: FetchScript
  readonly clock: Clock
  readonly log: Log
  readonly names: NameService
  readonly limits: ScriptLimits
  readonly idleMs: number
}

/** A script that was fetched and can be run. */
interface Loaded {
  readonly text: string
  readonly sandbox: Sandbox
  readonly decisions: Decisions
  readonly at: Monotonic
}

const codes: Readonly<Record<ScriptFault, string>> = {
  invalid: 'ERR_PAC_INVALID',
  failed: 'ERR_PAC_FAILED',
  limit: 'ERR_PAC_LIMIT',
  closed: 'ERR_PAC_CLOSED',
}

/** The script of one place. */
export class KeptScript {
  readonly #source: ScriptSource
  readonly #options: KeptScriptOptions
  readonly #place: string
  readonly #ending = new AbortController()
  readonly #calls = new Map<string, Promise<string>>()
  #loaded: Loaded | undefined
  #loading: Promise<Loaded> | undefined
  #failures = 0
  #retryAt: Monotonic = 0
  #failure: ScriptError | undefined
  #strikes = 0
  #restsUntil: Monotonic = 0

  constructor(source: ScriptSource, options: KeptScriptOptions) {
    this.#source = source
    this.#options = options
    this.#place = describePlace(source.url)
  }

  /** What the script decided a short while ago. */
  decided(url: string): string | undefined {
    return this.#loaded?.decisions.find(url)
  }

  /** Asks the script; calls for the same URL share one. */
  decide(order: CallOrder): Promise<string> {
    const running = this.#calls.get(order.url)
    if (running !== undefined) return running
    const call = this.#decide(order).finally(() => this.#calls.delete(order.url))
    this.#calls.set(order.url, call)
    return call
  }

  /** Lets what is under way come to its end, then ends the thread. */
  async retire(): Promise<void> {
    await Promise.allSettled(this.#calls.values())
    await this.close()
  }

  /** Breaks off what is under way. */
  async close(): Promise<void> {
    this.#ending.abort(new Error('it was broken off'))
    await Promise.allSettled([this.#loading, this.#loaded?.sandbox.close()])
    await this.#loaded?.sandbox.close()
  }

  async #decide(order: CallOrder): Promise<string> {
    const { sandbox, decisions } = await this.#script()
    const { clock } = this.#options
    if (clock.monotonic() < this.#restsUntil) throw this.#error('limit', 'it ran into its limits')
    const outcome = await sandbox.call(order)
    this.#tell(outcome)
    this.#count(outcome)
    if (!outcome.ok) throw this.#error(outcome.fault, `${outcome.reason}, for ${order.host}`)
    decisions.add(order.url, outcome.answer)
    return outcome.answer
  }

  /** The script, fetched when there is none or it is stale; a stale one where another cannot be had. */
  async #script(): Promise<Loaded> {
    const now = this.#options.clock.monotonic()
    if (this.#loaded !== undefined && now - this.#loaded.at < SCRIPT_LIFE_MS) return this.#loaded
    if (this.#loading === undefined && now < this.#retryAt) {
      if (this.#loaded !== undefined) return this.#loaded
      if (this.#failure !== undefined) throw this.#failure
    }
    this.#loading ??= this.#load().finally(() => (this.#loading = undefined))
    return this.#loading
  }

  async #load(): Promise<Loaded> {
    const { clock, log } = this.#options
    try {
      const loaded = await this.#fetch()
      this.#failures = 0
      this.#loaded = loaded
      return loaded
    } catch (error) {
      if (this.#ending.signal.aborted) throw this.#error('closed', aborted.reason)
      if (!(error instanceof ScriptError)) throw error
      const delay = RETRY_DELAYS_MS[this.#failures] ?? RETRY_DELAYS_MS[3]
      this.#failures++
      this.#retryAt = clock.monotonic() + delay
      this.#failure = error
      log.write('warn', 'A proxy script cannot be used', { reason: error.message })
      if (this.#loaded === undefined) throw error
      return this.#loaded
    }
  }

  /** Fetches a script and tries it before it takes the place of the one before (N63). */
  async #fetch(): Promise<Loaded> {
    const { clock, names, limits, idleMs, fetchScript } = this.#options
    const { signal } = this.#ending
    const before = this.#loaded
    const sandbox = new Sandbox({ clock, names, limits, idleMs })
    try {
      // While the script is on its way; one that is asked for again seldom is another one.
      if (before === undefined) sandbox.prepare()
      const text = await downloadScript(this.#source, { fetchScript, clock, signal })
      const at = clock.monotonic()
      if (before?.text === text) return { ...before, at }
      const outcome = signal.aborted ? aborted : await sandbox.load(text)
      this.#tell(outcome)
      if (!outcome.ok) throw this.#error(outcome.fault, outcome.reason)
      if (signal.aborted) throw this.#error('closed', aborted.reason)
      await before?.sandbox.close()
      return { text, sandbox, decisions: new Decisions(clock), at }
    } catch (error) {
      await sandbox.close()
      throw error
    }
  }

  #count(outcome: Outcome): void {
    if (outcome.ok || outcome.fault !== 'limit') {
      this.#strikes = 0
      return
    }
    if (++this.#strikes < MOST_STRIKES) return
    this.#strikes = 0
    this.#restsUntil = this.#options.clock.monotonic() + STRUCK_OUT_MS
  }

  #tell({ said }: Outcome): void {
    if (said === '') return
    this.#options.log.write('debug', 'A proxy script says', { script: this.#place, said })
  }

  #error(fault: ScriptFault, reason: string): ScriptError {
    return new ScriptError(codes[fault], `Cannot use the proxy script ${this.#place}: ${reason}`)
  }
}

const aborted = { ok: false, fault: 'closed', reason: 'it was broken off', said: '' } as const
