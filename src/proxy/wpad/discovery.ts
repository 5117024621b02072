/**
 * Finds the script that the network names (WPAD, N80 to N85). Nothing is asked before somebody asks here, and somebody
 * does only where a job or a person's settings say that proxies are to be detected (N84).
 */

import type { Clock, Monotonic } from '../../base/clock.ts'
import { silentLog, type Log } from '../../base/log.ts'
import type { Discovery, WaitOptions } from '../ports.ts'
import { untilAborted } from '../pac/until-aborted.ts'
import { hostPrograms } from '../program.ts'
import { macosClient, networkManager } from './dhcp-client.ts'
import { dhcpInform } from './dhcp-inform.ts'
import { wellKnownName } from './dns.ts'
import type { SuffixOptions } from './dns-suffix.ts'
import type { ScriptFinder } from './source.ts'

/** What a search is made with. */
export interface DiscoveryOptions {
  readonly clock: Clock
  readonly log?: Log
  /** Asked one after the other until one names a script; {@link hostFinders} unless it says. */
  readonly finders?: readonly ScriptFinder[]
  /** Whether DNS may be asked below shorter suffixes than the machine's own (N82). */
  readonly devolves?: boolean | undefined
}

/** How long it is remembered that the network names none (N85). */
export const NONE_LIFE_MS = 5 * 60_000

/** How long it is remembered which one it names; as long as a script is kept. */
export const FOUND_LIFE_MS = 12 * 60 * 60_000

/** How long one way may take. */
export const FINDER_LIMIT_MS = 10_000

/** The ways of this machine, DHCP before DNS: where DHCP names a script, DNS is not asked (N80). */
export function hostFinders(
  clock: Clock,
  { devolves }: SuffixOptions = {},
): readonly ScriptFinder[] {
  const programs = hostPrograms(process.env)
  return [
    ...(process.platform === 'linux' ? [networkManager(programs)] : []),
    ...(process.platform === 'darwin' ? [macosClient(programs)] : []),
    dhcpInform({ clock }),
    wellKnownName({ devolves }),
  ]
}

/** Makes the discovery of a process. */
export function createDiscovery(options: DiscoveryOptions): Discovery {
  return new WebProxyAutoDiscovery(options)
}

interface Found {
  readonly answer: Promise<string | undefined>
  /** Undefined while the search goes on. */
  until: Monotonic | undefined
}

class WebProxyAutoDiscovery implements Discovery {
  readonly #clock: Clock
  readonly #log: Log
  readonly #finders: readonly ScriptFinder[]
  #found: Found | undefined

  constructor({ clock, log, finders, devolves }: DiscoveryOptions) {
    this.#clock = clock
    this.#log = log ?? silentLog
    this.#finders = finders ?? hostFinders(clock, { devolves })
  }

  async find({ signal }: WaitOptions = {}): Promise<string | undefined> {
    signal?.throwIfAborted()
    const { answer } = this.#fresh() ?? this.#begin()
    return signal === undefined ? answer : untilAborted(answer, signal)
  }

  networkChanged(): void {
    this.#found = undefined
  }

  #fresh(): Found | undefined {
    const until = this.#found?.until
    return until === undefined || until > this.#clock.monotonic() ? this.#found : undefined
  }

  #begin(): Found {
    const answer = this.#search()
    const found: Found = { answer, until: undefined }
    this.#found = found
    void answer.then((url) => {
      found.until = this.#clock.monotonic() + (url === undefined ? NONE_LIFE_MS : FOUND_LIFE_MS)
    })
    return found
  }

  /** Never rejects: a way that cannot be gone names nothing. */
  async #search(): Promise<string | undefined> {
    for (const finder of this.#finders) {
      const url = await this.#ask(finder)
      if (url === undefined) continue
      this.#log.write('info', 'The network names a proxy script', { by: finder.name, script: url })
      return url
    }
    this.#log.write('debug', 'The network names no proxy script')
    return undefined
  }

  async #ask(finder: ScriptFinder): Promise<string | undefined> {
    const controller = new AbortController()
    const { promise, resolve } = Promise.withResolvers<undefined>()
    using _alarm = this.#clock.alarm(FINDER_LIMIT_MS, () => {
      controller.abort()
      resolve(undefined)
    })
    try {
      return await Promise.race([finder.find(controller.signal), promise])
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      this.#log.write('debug', 'A search for a proxy script failed', { by: finder.name, reason })
      return undefined
    }
  }
}
