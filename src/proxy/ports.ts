/**
 * The room `proxy` finds out which way a URL takes: from what a job says, what its owner's desktop, environment and
 * machine say, what scripts say (PAC), and what the network says (WPAD).
 *
 * This file is what its two large parts owe the rest of it: `pac` runs scripts, `wpad` discovers them. Both act for one
 * person: the helper of a job where it has one, its owner otherwise (A110, A111).
 */

import { LullError } from '../base/error.ts'

/** A script that says which way URLs take. */
export interface ScriptSource {
  /** Where it is fetched from: `http:`, `https:`, `file:` or `data:` (N60). */
  readonly url: string
  /** Whether the network named it: such a script earns less trust than one that somebody chose (N84). */
  readonly isDiscovered: boolean
  /** PEM file of the authorities that its server may also be verified against, because whoever named it says so. */
  readonly caFile?: string | undefined
}

/** Runs scripts (N60 to N73). */
export interface Scripts {
  /**
   * What `FindProxyForURL` or `FindProxyForURLEx` of a script returns for a URL, as it stands: `PROXY a:8080; DIRECT`.
   * The script is fetched and checked when it is not at hand, and kept until it is stale (N62); what it said of a URL
   * is remembered (N67); calls for the same script may overlap. The script never sees more of the URL than
   * {@link scriptView} shows.
   *
   * @param url `http:` or `https:`
   * @returns the string; empty where the script returned null or undefined (N68). Not parsed, not trusted, any length
   * @throws {ScriptError} when the step fails: not loadable, not a script, exception, too slow, not a string
   */
  evaluate(source: ScriptSource, url: URL, options?: WaitOptions): Promise<string>
  /** Forgets every script, every failure to load one, every address (N62): the network is another one now. */
  networkChanged(): void
  /** Ends what is running; calls under way reject. May be called twice. */
  close(): Promise<void>
}

/** Discovers scripts (N80 to N85). */
export interface Discovery {
  /**
   * The URL of the script that the network names. Asked for every URL whose way is not known: an answer, also that
   * there is none, is remembered inside (N85), and calls that overlap share one search.
   *
   * @returns undefined when the network names none
   * @throws {ScriptError} `ERR_WPAD_…` when the search itself fails; treated as none
   */
  find(options?: WaitOptions): Promise<string | undefined>
  /** Forgets what was found: the network is another one now. */
  networkChanged(): void
}

/** What may be waited for. */
export interface WaitOptions {
  readonly signal?: AbortSignal
}

/**
 * A script or a search gave nothing to go by: the next step of the chain decides (N5).
 *
 * Codes: `ERR_PAC_UNREACHABLE` could not be fetched, `ERR_PAC_INVALID` is not a script that can be used,
 * `ERR_PAC_FAILED` threw or returned no string, `ERR_PAC_LIMIT` took more time, memory or depth than it may,
 * `ERR_PAC_CLOSED` was broken off, `ERR_WPAD_FAILED` the search failed.
 */
export class ScriptError extends LullError {}

/**
 * What a script is shown of a URL: an `http:` URL without user information and fragment; of an `https:` URL nothing but
 * the origin, so that nobody's path ends up in a foreign script (N65).
 */
export function scriptView(url: URL): string {
  if (url.protocol !== 'http:') return `${url.protocol}//${url.host}/`
  return `http://${url.host}${url.pathname}${url.search}`
}

/** The `host` argument: lower case, no port, IPv6 without brackets (N65). */
export function scriptHost(url: URL): string {
  const { hostname } = url
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
}
