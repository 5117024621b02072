/** Proxies that the administrator sets for everybody whom the service serves. */

import { parseBypass } from './bypass.ts'
import { parseProxyList } from './proxy-list.ts'
import { fixedProxies, lateProxies, type PlaceSettings } from './settings.ts'

/** What the service's configuration says about proxies; all of it is optional. */
export interface MachineSettings {
  /** Whether the network may be asked for a script. */
  readonly detects?: boolean
  /** The URL of a script. */
  readonly script?: string
  /** Proxies in the grammar of N10. */
  readonly list?: string
  /** Hosts that are reached without them, in the grammar of N22. */
  readonly bypass?: string
  /** Whether they hold instead of what people have set (N56), and not only where people have set nothing. */
  readonly isBinding?: boolean
}

/** The service's configuration as a place. */
export function machinePlace({
  detects,
  script,
  list,
  bypass = '',
}: MachineSettings): PlaceSettings {
  const says = [
    ...(detects === true ? ['proxies are detected'] : []),
    ...(script === undefined ? [] : ['a script is set']),
    ...(list === undefined ? [] : ['proxies are named']),
  ]
  return {
    place: "the service's configuration",
    says: says.length === 0 ? 'no proxy is set' : says.join(', '),
    detects: detects === true,
    ...(script === undefined ? {} : { script }),
    ...(list === undefined
      ? {}
      : { fixed: lateProxies(() => fixedProxies(parseProxyList(list), parseBypass(bypass))) }),
  }
}
