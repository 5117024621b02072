/** Which ways the jobs of this carrier's person take; found out when the first of them asks. */

import { homedir } from 'node:os'
import type { Mechanisms } from '../auth/mechanism.ts'
import type { HttpClient } from '../http/http.ts'
import type { Identity } from '../http/identity.ts'
import { defaultProxySettings, type ProxySettings } from '../job/route.ts'
import { hostDesktop } from '../proxy/desktop/host.ts'
import { createRoutes, type JobRoutes } from '../proxy/routes.ts'
import { Surroundings } from '../proxy/surroundings.ts'
import { scriptFetcher } from './fetch-script.ts'
import { whoIsLoggedOn } from './identities.ts'
import { LateDiscovery, LateScripts } from './late.ts'
import type { CarrierSettings } from './settings.ts'
import { systemClock } from './system-clock.ts'

/** So many different settings of jobs are remembered with what they led to. */
const MOST_REMEMBERED = 64

/** What ways are found by. */
export interface WaysOrder {
  /** Of the job; as its owner has set it when absent. */
  readonly settings: ProxySettings | undefined
  /** PEM file of the authorities that the job trusts instead of the platform's. */
  readonly caFile: string | undefined
}

/** What surrounds the person whose jobs are carried. */
export class Ways {
  readonly #surroundings: Surroundings
  readonly #routes = new Map<string, JobRoutes>()

  /**
   * @param http fetches scripts
   * @param mechanisms prove to their servers who is logged on, where that is allowed
   */
  constructor(
    http: HttpClient,
    { machine, policy, scriptLogon, scriptCaFile, devolves }: CarrierSettings,
    mechanisms: Mechanisms,
  ) {
    const asWhom = scriptLogon && ((): Identity => whoIsLoggedOn(mechanisms, scriptLogon))
    this.#surroundings = new Surroundings({
      clock: systemClock,
      desktop: hostDesktop({
        environment: process.env,
        home: process.env['HOME'] ?? homedir(),
        uid: process.getuid?.(),
      }),
      scripts: new LateScripts({
        fetchScript: scriptFetcher(http, { asWhom, caFile: scriptCaFile }),
        clock: systemClock,
      }),
      discovery: new LateDiscovery({ clock: systemClock, devolves }),
      machine,
      policy,
    })
  }

  /** The ways of jobs with these settings. */
  of({ settings = defaultProxySettings, caFile }: WaysOrder): JobRoutes {
    // Nothing else of a job's is fetched with its trust.
    const trust = settings.script === undefined ? {} : { caFile }
    const key = JSON.stringify([settings, trust])
    const known = this.#routes.get(key)
    if (known !== undefined) return known
    const [oldest] = this.#routes.size >= MOST_REMEMBERED ? this.#routes.keys() : []
    if (oldest !== undefined) this.#routes.delete(oldest)
    const routes = createRoutes(settings, this.#surroundings, this.#surroundings, trust)
    this.#routes.set(key, routes)
    return routes
  }

  /** The network is another one: everything is found out anew. */
  networkChanged(): void {
    this.#surroundings.networkChanged()
  }

  close(): Promise<void> {
    return this.#surroundings.close()
  }
}
