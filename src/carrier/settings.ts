/** What a carrier is told about the machine before its first order: plain data, nothing secret. */

import type { AuthSettings } from '../auth/settings.ts'
import type { TrustOptions } from '../http/trust.ts'
import type { RealmsByDomain } from '../native/gssapi/principal.ts'
import type { MachineSettings } from '../proxy/machine.ts'
import type { ProxyPolicy } from '../proxy/surroundings.ts'

/** The part of the service's configuration that concerns carriers. */
export interface CarrierSettings {
  /** Proxies that the administrator sets for everybody. */
  readonly machine?: MachineSettings
  /** What the administrator decides about finding proxies. */
  readonly policy?: ProxyPolicy
  /** Whether a script is looked for below shorter suffixes than the machine's own (N82). */
  readonly devolves?: boolean
  /** How servers of proxy scripts that ask are told who is logged on; they are told nobody where it is absent (N84). */
  readonly scriptLogon?: AuthSettings
  /** PEM file of the authorities that servers of proxy scripts may also be verified against. */
  readonly scriptCaFile?: string
  /** What https proxies are verified against and shown, where it is not as for servers. */
  readonly proxyTrust?: TrustOptions
  /** Whether a server that asks for a certificate is left when a job has none, needed or not (A77). */
  readonly strictCertificates?: boolean
  /** Kerberos realms by the NetBIOS name of their domain (A303). */
  readonly realms?: RealmsByDomain
}
