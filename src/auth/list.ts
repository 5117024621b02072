/** Every scheme we know. */

import { basicScheme } from './basic.ts'
import { bearerScheme } from './bearer.ts'
import { digestScheme } from './digest/digest.ts'
import { ntlmScheme } from './ntlm/ntlm.ts'
import { passportScheme } from './passport/passport.ts'
import type { AuthScheme } from './scheme.ts'
import { negotiateScheme } from './spnego/negotiate.ts'

/**
 * The schemes, strongest first; the order is the policy (A181). BITS's own order is not documented: this one follows
 * its nearest relatives, Negotiate before NTLM before Passport before Digest, with Basic last (A180). Bearer stands
 * where curl has it, before Digest.
 */
export const authSchemes: readonly AuthScheme[] = [
  negotiateScheme,
  ntlmScheme,
  passportScheme,
  bearerScheme,
  digestScheme,
  basicScheme,
]
