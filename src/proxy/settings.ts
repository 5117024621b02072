/** What the places where people set proxies say: a desktop, the environment, the machine. */

import type { Hop } from '../job/route.ts'
import type { Bypass } from './bypass.ts'
import { proxiesFor, type ProxyList } from './proxy-list.ts'

/**
 * What one place says. Whatever of it is set is asked in the order of N5: detection, script, lookup, fixed proxies; a
 * place that sets none of them leaves the decision to the next.
 */
export interface PlaceSettings {
  /** For people: `GNOME's settings`. */
  readonly place: string
  /** For people: what stands there, without a secret; a part of a sentence. */
  readonly says: string
  /** Whether the network may be asked for a script (WPAD, N84). */
  readonly detects?: boolean
  /** The URL of a script. */
  readonly script?: string
  /** As in `ScriptSource`. */
  readonly scriptCaFile?: string | undefined
  /** Who else decides, for each URL. */
  readonly lookup?: Lookup
  readonly fixed?: FixedProxies
  /** Hosts that are reached straight, whatever this place and those behind it say. */
  readonly exceptions?: Pick<Bypass, 'match'>
  /** Hosts that no script is asked about; where there is none, those of the machine itself. */
  readonly scriptBypass?: Bypass
}

/** Asks another program which way a URL takes. */
export interface Lookup {
  /**
   * @param url as scripts are shown it
   * @returns undefined when the program has no answer
   */
  find(url: string): Promise<readonly [Hop, ...Hop[]] | undefined>
}

/** The way of one URL, and why. */
export interface FixedChoice {
  readonly hops: readonly [Hop, ...Hop[]]
  /** For people; a part of a sentence. */
  readonly because: string
}

/** Proxies and the hosts that are reached without them. */
export interface FixedProxies {
  /** @throws {FailureError} `BG_E_INVALID_PROXY_INFO` when what is set does not parse (N2) */
  choose(url: URL): FixedChoice
  /** What people should know about the lists. */
  readonly warnings: readonly string[]
}

/**
 * Reads the settings of one person on one kind of desktop. Whole files per platform implement it; what they read, they
 * read as the process they are in, which is the person's own.
 */
export interface DesktopSettings {
  /**
   * Every place there is, in the order in which they are asked. Places that cannot be read are there, with the reason,
   * and set nothing.
   */
  read(): Promise<readonly PlaceSettings[]>
}

/** Proxies by list and bypass list, where both are there already. */
export function fixedProxies(list: ProxyList, bypass: Bypass): FixedProxies {
  return {
    warnings: bypass.warnings,
    choose(url) {
      const rule = bypass.match(url)
      if (rule !== undefined) return { hops: ['direct'], because: `its bypass list has ${rule}` }
      const [first, ...others] = proxiesFor(list, url)
      if (first !== undefined) return { hops: [first, ...others], because: 'its list says so' }
      return { hops: ['direct'], because: `its list has no proxy for ${url.protocol.slice(0, -1)}` }
    },
  }
}

/**
 * Proxies whose lists are read when they are asked for, so that a list that does not parse fails nobody who does not
 * need it.
 */
export function lateProxies(read: () => FixedProxies): FixedProxies {
  let proxies: FixedProxies | undefined
  return {
    get warnings() {
      return proxies?.warnings ?? []
    },
    choose(url) {
      proxies ??= read()
      return proxies.choose(url)
    },
  }
}
