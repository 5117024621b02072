/** What the configuration file may say about proxies. */

import type { CarrierSettings } from '../carrier/settings.ts'
import type { TrustOptions } from '../http/trust.ts'
import type { MachineSettings } from '../proxy/machine.ts'
import { defaultProxyPolicy, type ProxyPolicy } from '../proxy/surroundings.ts'
import { authSettings, type AuthConfig } from './auth-config.ts'
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
  /** Whether it is also looked for below shorter suffixes than the machine's own, down to an organisation's (N82). */
  readonly devolve?: boolean
  /** Whether these hold instead of what people have set, and not only where they have set nothing (N56). */
  readonly binding?: boolean
  /** PEM file of the authorities that https proxies are verified against, instead of those for servers. */
  readonly caFile?: string
  /** PEM file of the authorities that servers of scripts may also be verified against, besides the platform's. */
  readonly scriptCaFile?: string
  /** What https proxies get that ask for a certificate: PEM or PKCS#12, and the key where it is in another file. */
  readonly certificateFile?: string
  readonly keyFile?: string
  /** Whether a server of scripts that asks is told who is logged on, as far as `implicitHosts` allows it (N60, N84). */
  readonly scriptLogon?: boolean
}

const LONGEST = 32_000

/** Reads the part of the file that is about proxies. */
export const proxyConfig: Decoder<ProxyConfig> = record<ProxyConfig>({
  list: optional(text(LONGEST)),
  bypass: optional(text(LONGEST)),
  script: optional(text(LONGEST)),
  detect: optional(flag),
  devolve: optional(flag),
  binding: optional(flag),
  caFile: optional(text(4_096)),
  scriptCaFile: optional(text(4_096)),
  certificateFile: optional(text(4_096)),
  keyFile: optional(text(4_096)),
  scriptLogon: optional(flag),
  scriptIsMandatory: optional(flag),
  legacyProxyIdentity: optional(flag),
})

/** What carriers are told of the file. */
export function carrierSettings({
  proxies: from = {},
  authentication,
}: {
  readonly proxies?: ProxyConfig
  readonly authentication?: AuthConfig
}): CarrierSettings {
  const { list, bypass, script, detect, binding, scriptIsMandatory, legacyProxyIdentity } = from
  const machine: MachineSettings = {
    ...(list === undefined ? {} : { list }),
    ...(bypass === undefined ? {} : { bypass }),
    ...(script === undefined ? {} : { script }),
    ...(detect === undefined ? {} : { detects: detect }),
    ...(binding === undefined ? {} : { isBinding: binding }),
  }
  const { strictCertificates = false, realms } = authentication ?? {}
  return {
    strictCertificates,
    ...(realms === undefined ? {} : { realms }),
    proxyTrust: proxyTrust(from),
    ...(from.devolve === true ? { devolves: true } : {}),
    ...(from.scriptCaFile === undefined ? {} : { scriptCaFile: from.scriptCaFile }),
    ...(from.scriptLogon === true ? { scriptLogon: authSettings(authentication) } : {}),
    ...(Object.keys(machine).length === 0 ? {} : { machine }),
    policy: {
      scriptIsMandatory: scriptIsMandatory ?? defaultProxyPolicy.scriptIsMandatory,
      legacyProxyIdentity: legacyProxyIdentity ?? defaultProxyPolicy.legacyProxyIdentity,
    },
  }
}

function proxyTrust({ caFile, certificateFile, keyFile }: ProxyConfig): TrustOptions {
  const key = keyFile === undefined ? {} : { keyFile }
  return {
    ...(caFile === undefined ? {} : { caFile }),
    ...(certificateFile === undefined ? {} : { certificate: { certificateFile, ...key } }),
  }
}
