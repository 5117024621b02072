/** All scripts of a process: the port {@link Scripts} as the rest of the room knows it. */

import type { Clock } from '../../base/clock.ts'
import { silentLog, type Log } from '../../base/log.ts'
import {
  ScriptError,
  scriptHost,
  scriptView,
  type Scripts,
  type ScriptSource,
  type WaitOptions,
} from '../ports.ts'
import type { FetchScript } from './download.ts'
import { KeptScript } from './kept-script.ts'
import { scriptLimits, type ScriptLimits } from './limits.ts'
import { NameService, systemNames, type Names } from './names.ts'
import { untilAborted } from './until-aborted.ts'

/** What scripts are fetched and run with. */
export interface ScriptsOptions {
  /** How scripts come over the network. */
  readonly fetchScript: FetchScript
  readonly clock: Clock
  /** What scripts say goes there at the level `debug`. */
  readonly log?: Log
  /** The system's resolver unless it says another. */
  readonly names?: Names
  /** What differs from {@link scriptLimits}. */
  readonly limits?: Partial<ScriptLimits>
  /** How long a thread stays without a call; half a minute unless it says. */
  readonly idleMs?: number
}

/** How long a thread stays without a call. */
const IDLE_MS = 30_000

/** More scripts than this are not kept at the same time. */
const MOST_SCRIPTS = 8

/** Makes the scripts of a process. Nothing starts before the first of them is asked. */
export function createScripts(options: ScriptsOptions): Scripts {
  return new PacScripts(options)
}

class PacScripts implements Scripts {
  readonly #options: ConstructorParameters<typeof KeptScript>[1]
  /** The script that was asked last stands last. */
  readonly #kept = new Map<string, KeptScript>()
  readonly #retiring = new Set<Promise<void>>()
  #isClosed = false

  constructor({ fetchScript, clock, log, names, limits, idleMs }: ScriptsOptions) {
    this.#options = {
      fetchScript,
      clock,
      log: log ?? silentLog,
      names: new NameService(names ?? systemNames, clock),
      limits: { ...scriptLimits, ...limits },
      idleMs: idleMs ?? IDLE_MS,
    }
  }

  async evaluate(source: ScriptSource, url: URL, { signal }: WaitOptions = {}): Promise<string> {
    signal?.throwIfAborted()
    if (this.#isClosed)
      throw new ScriptError('ERR_PAC_CLOSED', 'Cannot use proxy scripts: they were closed')
    const script = this.#script(source)
    const view = scriptView(url)
    const decided = script.decided(view)
    if (decided !== undefined) return decided
    const call = script.decide({ url: view, host: scriptHost(url) })
    return signal === undefined ? call : untilAborted(call, signal)
  }

  networkChanged(): void {
    this.#options.names.forget()
    for (const key of this.#kept.keys()) this.#retire(key)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all([...this.#kept.values()].map((script) => script.close()))
    await Promise.all(this.#retiring)
  }

  #script(source: ScriptSource): KeptScript {
    // As it stands where it may be long: the address of a script can be the script itself.
    const trust = source.caFile === undefined ? '' : `by ${source.caFile}\n`
    const key = `${source.isDiscovered ? 'discovered ' : ''}${trust}${source.url}`
    const script = this.#kept.get(key) ?? new KeptScript(source, this.#options)
    this.#kept.delete(key)
    this.#kept.set(key, script)
    const [oldest] = this.#kept.keys()
    if (this.#kept.size > MOST_SCRIPTS && oldest !== undefined) this.#retire(oldest)
    return script
  }

  #retire(key: string): void {
    const ending = this.#kept.get(key)?.retire()
    this.#kept.delete(key)
    if (ending === undefined) return
    this.#retiring.add(ending)
    void ending.finally(() => this.#retiring.delete(ending))
  }
}
