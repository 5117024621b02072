/** What the configuration file may say about proxies. */

import type { CarrierSettings } from '../carrier/settings.ts'
import type { MachineSettings } from '../proxy/machine.ts'
import { defaultProxyPolicy, type ProxyPolicy } from '../proxy/surroundings.ts'
import { flag, optional, record, text, type Decoder } from '../rpc/decode.ts'

/** Proxies for everybody whom the service serves, and how they are found; each may be left out. */
export interface ProxyConfig extends Partial<ProxyPolicy> {
  /** Proxies in the grammar of docs/proxies.md. */
  readonly list?: string
  /** Hosts that are reached without them. */
  readonly bypass?: string
  /** The URL of a script. */
  readonly script?: string
  /** Whether the network may be asked for a script. */
  readonly detect?: boolean
  /** Whether these hold instead of what people have set, and not only where they have set nothing (N56). */
  readonly binding?: boolean
}

const LONGEST = 32_000

/** Reads the part of the file that is about proxies. */
export const proxyConfig: Decoder<ProxyConfig> = record<ProxyConfig>({
  list: optional(text(LONGEST)),
  bypass: optional(text(LONGEST)),
  script: optional(text(LONGEST)),
  detect: optional(flag),
  binding: optional(flag),
  scriptIsMandatory: optional(flag),
  legacyProxyIdentity: optional(flag),
})

/** What carriers are told of it. */
export function carrierSettings(from: ProxyConfig = {}): CarrierSettings {
  const { list, bypass, script, detect, binding, scriptIsMandatory, legacyProxyIdentity } = from
  const machine: MachineSettings = {
    ...(list === undefined ? {} : { list }),
    ...(bypass === undefined ? {} : { bypass }),
    ...(script === undefined ? {} : { script }),
    ...(detect === undefined ? {} : { detects: detect }),
    ...(binding === undefined ? {} : { isBinding: binding }),
  }
  return {
    ...(Object.keys(machine).length === 0 ? {} : { machine }),
    policy: {
      scriptIsMandatory: scriptIsMandatory ?? defaultProxyPolicy.scriptIsMandatory,
      legacyProxyIdentity: legacyProxyIdentity ?? defaultProxyPolicy.legacyProxyIdentity,
    },
  }
}
