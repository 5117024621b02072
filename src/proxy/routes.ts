/** The ways of one job: decided once, remembered as long as policy says, told to people on request. */

import type { Monotonic } from '../base/clock.ts'
import { LullError } from '../base/error.ts'
import {
  directRoute,
  type Place,
  type Proxy,
  type ProxySettings,
  type Route,
  type Routes,
} from '../job/route.ts'
import { lateBypass, parseBypass } from './bypass.ts'
import {
  decide,
  describeHop,
  type Advisers,
  type Decision,
  type DecisionOptions,
  type DecisionStep,
} from './decision.ts'
import { invalidProxyInfo } from './failure.ts'
import { machinePlace } from './machine.ts'
import { scriptView } from './ports.ts'
import { environmentSettings } from './desktop/environment.ts'
import { parseProxyList } from './proxy-list.ts'
import { SETTINGS_AGE_MS } from './remembered-settings.ts'
import { fixedProxies, lateProxies, type PlaceSettings } from './settings.ts'
import type { Surroundings } from './surroundings.ts'

/** How long a decision holds on the same network; scripts remember what they said for longer by themselves (N67). */
const DECISION_LIFE_MS = SETTINGS_AGE_MS

/** How long it holds when a script failed: so long until that is fetched again for the first time (N62). */
const MAKESHIFT_LIFE_MS = 8_000

/** So many decisions are remembered of each kind; the oldest goes first. */
const MOST_REMEMBERED = 4096

/** Longer URLs are decided each time. */
const LONGEST_REMEMBERED = 4096

/** How a URL's way was decided. */
export interface Explanation {
  readonly steps: readonly DecisionStep[]
  /** Undefined where the decision fails; the last step then says why. */
  readonly route?: Route
}

/** Ways that can be explained. */
export interface JobRoutes extends Routes {
  /** Decides anew, and tells each step. Never rejects for what a job would fail with. */
  explain(url: URL): Promise<Explanation>
  /** The network is another one: forgets every decision, also what other jobs of the same person share. */
  networkChanged(): void
}

/** What a job says besides its proxy settings. */
export interface RouteOptions {
  /** PEM file of the authorities that a server of a script may also be verified against that the job itself names. */
  readonly caFile?: string | undefined
}

/**
 * The ways of a job.
 *
 * @param owner what surrounds the job's owner
 * @param helper what surrounds its helper, where it has one with the flag NETWORK: scripts and discovery are the
 *   helper's, and so are the settings, but for the switch `legacyProxyIdentity` (A110, A111, A115)
 */
export function createRoutes(
  settings: ProxySettings,
  owner: Surroundings,
  helper: Surroundings = owner,
  options: RouteOptions = {},
): JobRoutes {
  return new DecidedRoutes(settings, owner, helper, options)
}

interface Remembered {
  readonly route: Route
  readonly until: Monotonic
}

class DecidedRoutes implements JobRoutes {
  readonly #settings: ProxySettings
  readonly #reader: Surroundings
  readonly #advisers: Advisers
  readonly #surroundings: Surroundings
  readonly #options: DecisionOptions
  readonly #ofOrigins = new Map<string, Remembered>()
  readonly #ofUrls = new Map<string, Remembered>()
  readonly #underWay = new Map<string, Promise<Route>>()
  readonly #own: PlaceSettings | undefined
  #network: number

  constructor(
    settings: ProxySettings,
    owner: Surroundings,
    helper: Surroundings,
    { caFile }: RouteOptions,
  ) {
    this.#settings = settings
    this.#reader = owner.policy.legacyProxyIdentity ? owner : helper
    this.#advisers = helper
    this.#surroundings = helper
    this.#own = ownPlace(settings, caFile)
    this.#options = {
      scriptIsMandatory: owner.policy.scriptIsMandatory,
      isExclusive: settings.usage === 'override',
    }
    this.#network = helper.network
  }

  find(place: Place): Route | Promise<Route> {
    if (this.#settings.usage === 'noProxy') return directRoute
    if (this.#network !== this.#surroundings.network) this.#forget()
    const known = this.#known(place)
    if (known !== undefined) return this.#surroundings.unreachable.order(known)
    return this.#decideOnce(new URL(place.href))
  }

  failed(proxy: Proxy): void {
    this.#surroundings.unreachable.add(proxy)
  }

  networkChanged(): void {
    this.#surroundings.networkChanged()
    if (this.#reader !== this.#surroundings) this.#reader.networkChanged()
  }

  async explain(url: URL): Promise<Explanation> {
    const steps: DecisionStep[] = [usageStep(this.#settings)]
    try {
      const { route } = await this.#decide(url, steps)
      const { unreachable } = this.#surroundings
      for (const hop of route.filter((each) => unreachable.has(each))) {
        const sentence = `${describeHop(hop)} could not be reached a moment ago: it is asked last`
        steps.push({ kind: 'unreachable', outcome: 'told', sentence })
      }
      return { steps, route: unreachable.order(route) }
    } catch (error) {
      if (!(error instanceof LullError)) throw error
      if (steps.at(-1)?.outcome !== 'fails') {
        steps.push({ kind: 'default', outcome: 'fails', sentence: error.message })
      }
      return { steps }
    }
  }

  #known({ origin, href }: Place): Route | undefined {
    const now = this.#surroundings.clock.monotonic()
    const ofOrigin = this.#ofOrigins.get(origin)
    if (ofOrigin !== undefined && now < ofOrigin.until) return ofOrigin.route
    if (this.#ofUrls.size === 0) return undefined
    const ofUrl = this.#ofUrls.get(scriptView(new URL(href)))
    return ofUrl !== undefined && now < ofUrl.until ? ofUrl.route : undefined
  }

  /** Who asks for the same URL meanwhile gets the same answer. */
  #decideOnce(url: URL): Promise<Route> {
    const key = scriptView(url)
    const underWay = this.#underWay.get(key)
    if (underWay !== undefined) return underWay
    const deciding = this.#decideAndRemember(url).finally(() => {
      if (this.#underWay.get(key) === deciding) this.#underWay.delete(key)
    })
    this.#underWay.set(key, deciding)
    return deciding
  }

  async #decideAndRemember(url: URL): Promise<Route> {
    const network = this.#network
    const decision = await this.#decide(url, [])
    if (network === this.#surroundings.network) this.#remember(url, decision)
    return this.#surroundings.unreachable.order(decision.route)
  }

  async #decide(url: URL, steps: DecisionStep[]): Promise<Decision> {
    if (this.#settings.usage === 'noProxy') {
      return { route: directRoute, holdsFor: 'origin', isMakeshift: false }
    }
    const places = this.#own === undefined ? await this.#places() : [this.#own]
    return decide(url, places, this.#advisers, this.#options, steps)
  }

  /** What counts where the job says nothing of its own (N5); a machine that binds asks nobody else (N56). */
  async #places(): Promise<readonly PlaceSettings[]> {
    const { machine, settings } = this.#reader
    if (machine?.isBinding === true) return [machinePlace(machine)]
    const { environment } = this.#settings
    const own = environment === undefined ? [] : [environmentSettings(environment)]
    const others = machine === undefined ? [] : [machinePlace(machine)]
    return [...own, ...(await settings.read()), ...others]
  }

  #remember(url: URL, { route, holdsFor, isMakeshift }: Decision): void {
    const [memory, key] =
      holdsFor === 'origin' ? [this.#ofOrigins, url.origin] : [this.#ofUrls, scriptView(url)]
    if (key.length > LONGEST_REMEMBERED) return
    const [oldest] = memory.size >= MOST_REMEMBERED ? memory.keys() : []
    if (oldest !== undefined) memory.delete(oldest)
    memory.delete(key)
    const lifeMs = isMakeshift ? MAKESHIFT_LIFE_MS : DECISION_LIFE_MS
    memory.set(key, { route, until: this.#surroundings.clock.monotonic() + lifeMs })
  }

  #forget(): void {
    this.#network = this.#surroundings.network
    this.#ofOrigins.clear()
    this.#ofUrls.clear()
    this.#underWay.clear()
  }
}

/** Where a job names its proxies and no exceptions, there are none: not even for this machine itself (N1, N22). */
const EVERYTHING = '<-loopback>'

/** What the job itself says; undefined where its owner's settings count. */
function ownPlace(
  { usage, list, bypass = EVERYTHING, script }: ProxySettings,
  caFile: string | undefined,
): PlaceSettings | undefined {
  const place = "the job's settings"
  switch (usage) {
    case 'preconfig':
      return undefined
    case 'noProxy':
      return { place, says: 'no proxy' }
    case 'autodetect':
      return { place, says: 'proxies are detected', detects: true }
    case 'override':
      return {
        place,
        says: script === undefined ? 'proxies are named' : 'a script is set',
        ...(script === undefined
          ? {}
          : { script, scriptCaFile: caFile, scriptBypass: lateBypass(bypass) }),
        ...(list === undefined && script !== undefined
          ? {}
          : { fixed: lateProxies(() => overriding(list, bypass)) }),
      }
    default:
      return usage satisfies never
  }
}

function overriding(list: string | undefined, bypass: string): ReturnType<typeof fixedProxies> {
  if (list === undefined) throw invalidProxyInfo('Cannot use the proxy list: there is none')
  return fixedProxies(parseProxyList(list), parseBypass(bypass))
}

const usageSentences: Readonly<Record<ProxySettings['usage'], string>> = {
  preconfig: 'The job goes as its owner has set it',
  noProxy: 'The job goes straight to every server',
  override: 'The job names its own proxies',
  autodetect: 'The job asks the network for a script',
}

function usageStep({ usage }: ProxySettings): DecisionStep {
  const outcome = usage === 'noProxy' ? 'decides' : 'told'
  return { kind: 'usage', outcome, sentence: usageSentences[usage] }
}
