/** How the way of one URL is decided, step by step (N5), and told to people while it is. */

import { LullError } from '../base/error.ts'
import { describeProxy, type Hop, type Route } from '../job/route.ts'
import { loopbackBypass } from './bypass.ts'
import { scriptFailed } from './failure.ts'
import { scriptView, type Discovery, type Scripts, type ScriptSource } from './ports.ts'
import { parseScriptAnswer } from './script-answer.ts'
import type { PlaceSettings } from './settings.ts'

/** One step of a decision, for people. */
export interface DecisionStep {
  readonly kind:
    | 'usage'
    | 'place'
    | 'loopback'
    | 'discovery'
    | 'script'
    | 'lookup'
    | 'fixed'
    | 'default'
    | 'warning'
    | 'unreachable'
  /** `told`: a fact; `passes`: the next step decides; `fails`: so does it, or the whole decision fails. */
  readonly outcome: 'told' | 'passes' | 'decides' | 'fails'
  /** Sentence case, no full stop, no secret. */
  readonly sentence: string
}

/** A way, and what it depends on. */
export interface Decision {
  readonly route: Route
  /** `url`: another URL of the same server may go another way. */
  readonly holdsFor: 'origin' | 'url'
  /** Whether a script that should have decided could not: it is asked again sooner. */
  readonly isMakeshift: boolean
}

/** Who is asked besides settings. */
export interface Advisers {
  readonly scripts: Scripts
  readonly discovery: Discovery
}

/** How places are gone through. */
export interface DecisionOptions {
  /** Whether a script that cannot be used is a failure. */
  readonly scriptIsMandatory: boolean
  /** Whether nobody may decide but the places: without an answer a failed script is a failure. */
  readonly isExclusive: boolean
}

/**
 * Goes through places until one decides.
 *
 * @param steps takes what happened, also when the decision fails
 * @throws {FailureError} for lists that do not parse, and for scripts that must not be passed over
 */
export async function decide(
  url: URL,
  places: readonly PlaceSettings[],
  advisers: Advisers,
  options: DecisionOptions,
  steps: DecisionStep[],
): Promise<Decision> {
  const decision = new Deciding(url, advisers, options, steps)
  for (const place of places) {
    const found = await decision.ask(place)
    if (found !== undefined) return found
  }
  return decision.byDefault()
}

class Deciding {
  readonly #url: URL
  readonly #advisers: Advisers
  readonly #options: DecisionOptions
  readonly #steps: DecisionStep[]
  /** The first script that could not be used. */
  #failed: { readonly sentence: string; readonly error: LullError } | undefined

  constructor(url: URL, advisers: Advisers, options: DecisionOptions, steps: DecisionStep[]) {
    this.#url = url
    this.#advisers = advisers
    this.#options = options
    this.#steps = steps
  }

  async ask(place: PlaceSettings): Promise<Decision | undefined> {
    this.#step('place', 'told', `${capital(place.place)}: ${place.says}`)
    return (
      this.#excepted(place) ??
      this.#loopback(place) ??
      (await this.#discover(place)) ??
      (await this.#script(place)) ??
      (await this.#lookup(place)) ??
      this.#fixed(place)
    )
  }

  byDefault(): Decision {
    if (this.#failed !== undefined && this.#options.isExclusive) throw this.#mandatory()
    return this.#decided('default', 'Nobody names a proxy', ['direct'])
  }

  #excepted({ place, exceptions }: PlaceSettings): Decision | undefined {
    const rule = exceptions?.match(this.#url)
    if (rule === undefined) return undefined
    return this.#decided('fixed', `${capital(place)}: ${rule}`, ['direct'])
  }

  /** The machine itself and its link are no matter for scripts, wherever they come from (N22). */
  #loopback({ detects, script, scriptBypass }: PlaceSettings): Decision | undefined {
    if (detects !== true && script === undefined) return undefined
    const rule = (scriptBypass ?? loopbackBypass).match(this.#url)
    if (rule === undefined) return undefined
    return this.#decided('loopback', `No script is asked about ${rule}`, ['direct'])
  }

  async #discover({ detects }: PlaceSettings): Promise<Decision | undefined> {
    if (detects !== true) return undefined
    let script: string | undefined
    try {
      script = await this.#advisers.discovery.find()
    } catch (error) {
      if (!(error instanceof LullError)) throw error
      this.#step('discovery', 'fails', error.message)
      return undefined
    }
    if (script === undefined) {
      this.#step('discovery', 'passes', 'The network names no script')
      return undefined
    }
    if (!/^https?:/iu.test(script)) {
      // What anybody on the network can say must not make this machine read files of its own (N84).
      this.#step('discovery', 'fails', `The network names no script but ${describeScript(script)}`)
      return undefined
    }
    this.#step('discovery', 'told', `The network names the script ${describeScript(script)}`)
    return this.#evaluate({ url: script, isDiscovered: true })
  }

  async #script({ script, scriptCaFile }: PlaceSettings): Promise<Decision | undefined> {
    if (script === undefined) return undefined
    return this.#evaluate({ url: script, isDiscovered: false, caFile: scriptCaFile })
  }

  async #evaluate(source: ScriptSource): Promise<Decision | undefined> {
    const { url: script, isDiscovered } = source
    const name = describeScript(script)
    try {
      const text = await this.#advisers.scripts.evaluate(source, this.#url)
      const { hops, skipped } = parseScriptAnswer(text)
      for (const entry of skipped) {
        this.#step('warning', 'told', `The script names no way with ${printable(entry)}: left out`)
      }
      return this.#decided('script', `The script ${name} says so`, hops)
    } catch (error) {
      if (!(error instanceof LullError)) throw error
      // Whoever runs scripts names them.
      const isNamed = error.message.startsWith('Cannot ')
      const sentence = isNamed ? error.message : `Cannot use the script ${name}: ${error.message}`
      this.#step('script', 'fails', sentence)
      this.#failed ??= { sentence, error }
      if (this.#options.scriptIsMandatory && !isDiscovered) throw this.#mandatory()
      return undefined
    }
  }

  #mandatory(): Error {
    const { sentence, error } = this.#failed ?? {}
    return scriptFailed(sentence ?? 'Cannot use the script', error?.code ?? '', error)
  }

  async #lookup({ place, lookup }: PlaceSettings): Promise<Decision | undefined> {
    if (lookup === undefined) return undefined
    const hops = await lookup.find(`${this.#url.protocol}//${this.#url.host}/`)
    if (hops !== undefined) return this.#decided('lookup', `${capital(place)} says so`, hops)
    this.#step('lookup', 'fails', `${capital(place)} gives no answer`)
    return undefined
  }

  #fixed({ place, fixed }: PlaceSettings): Decision | undefined {
    if (fixed === undefined) return undefined
    try {
      const { hops, because } = fixed.choose(this.#url)
      for (const warning of fixed.warnings) this.#step('warning', 'told', warning)
      return this.#decided('fixed', `${capital(place)}: ${because}`, hops)
    } catch (error) {
      if (error instanceof LullError) this.#step('fixed', 'fails', error.message)
      throw error
    }
  }

  #decided(kind: DecisionStep['kind'], because: string, route: Route): Decision {
    this.#step(kind, 'decides', `${because}: ${route.map(describeHop).join(', then ')}`)
    // What one script says of one URL, or failed to say, says nothing of the next.
    const dependsOnUrl = kind === 'script' || this.#failed !== undefined
    return {
      route,
      holdsFor: dependsOnUrl ? 'url' : 'origin',
      isMakeshift: this.#failed !== undefined,
    }
  }

  #step(kind: DecisionStep['kind'], outcome: DecisionStep['outcome'], sentence: string): void {
    this.#steps.push({ kind, outcome, sentence })
  }
}

/** A way for people. */
export function describeHop(hop: Hop): string {
  return hop === 'direct' ? 'straight to the server' : describeProxy(hop)
}

/** The URL of a script as people may see it: without user information, and not all of a script that is its own URL. */
function describeScript(text: string): string {
  if (!URL.canParse(text)) return printable(text.slice(0, 80))
  const url = new URL(text)
  if (url.protocol === 'data:') return 'in a data URL'
  return url.protocol === 'https:' || url.protocol === 'http:'
    ? scriptView(new URL(`http://${url.host}${url.pathname}`)).replace(/^http:/u, url.protocol)
    : `${url.protocol}//${url.host}${url.pathname}`
}

function printable(text: string): string {
  return text.replaceAll(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, '?')
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}
