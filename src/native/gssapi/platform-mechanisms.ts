/** Chooses who proves identities on this machine: SSPI on Windows, GSSAPI elsewhere. */

import { sspiMechanisms } from '../sspi/sspi.ts'
import { gssapiMechanisms, type GssapiOptions } from './gssapi.ts'
import type { HelperMechanisms } from './helper-mechanisms.ts'

/**
 * The platform's mechanisms. Nothing runs before the first context is opened; `stop` ends what runs then.
 *
 * @param options what concerns Kerberos's configuration is without effect on Windows
 */
export function platformMechanisms(
  options: GssapiOptions,
  platform: NodeJS.Platform = process.platform,
): HelperMechanisms {
  return platform === 'win32' ? sspiMechanisms(options) : gssapiMechanisms(options)
}
