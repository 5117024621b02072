/** What a helper has around it: the identity it is for, and of the service's own surroundings only what it needs. */

import type { MechanismIdentity } from '../../auth/mechanism.ts'

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>

/** What a helper inherits, so that the library and its configuration are found. Its messages stay in English. */
const inherited = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'TMPDIR',
  'TZ',
  'XDG_RUNTIME_DIR',
  'LD_LIBRARY_PATH',
  'DYLD_LIBRARY_PATH',
  'KRB5_CONFIG',
  'KRB5_TRACE',
] as const

/** Of whoever is logged on. */
const implicit = ['KRB5CCNAME', 'KRB5_CLIENT_KTNAME'] as const

/** A cache in the helper's own memory. */
const OWN_CACHE = 'MEMORY:lull'

/** A file in which no library finds what it looks for. */
const NOTHING = '/dev/null'

/**
 * The environment of a helper.
 *
 * Explicit identities get no way to whoever is logged on: neither to that one's tickets, nor to the keytab of the
 * machine, which the libraries fall back to. Other mechanisms than Kerberos stay out of the process: they would be
 * loaded from wherever the machine's configuration says.
 *
 * @param service of the service, or of the owner it works for
 */
export function environmentFor(
  identity: MechanismIdentity,
  service: Environment,
): Readonly<Record<string, string>> {
  const names = identity.kind === 'implicit' ? [...inherited, ...implicit] : inherited
  return {
    ...Object.fromEntries(
      names.flatMap((name) => {
        const value = service[name]
        return value === undefined ? [] : [[name, value]]
      }),
    ),
    GSS_MECH_CONFIG: NOTHING,
    ...variablesOf(identity),
  }
}

function variablesOf(identity: MechanismIdentity): Readonly<Record<string, string>> {
  switch (identity.kind) {
    case 'implicit':
      return {}
    case 'tickets':
      return { KRB5CCNAME: identity.cache, KRB5_CLIENT_KTNAME: NOTHING, KRB5_KTNAME: NOTHING }
    case 'keytab':
      return {
        KRB5CCNAME: OWN_CACHE,
        KRB5_CLIENT_KTNAME: identity.keytab,
        // Heimdal 7 takes keys for a client from where those of a server lie.
        KRB5_KTNAME: identity.keytab,
      }
    case 'password':
      return { KRB5CCNAME: OWN_CACHE, KRB5_CLIENT_KTNAME: NOTHING, KRB5_KTNAME: NOTHING }
    default:
      return identity satisfies never
  }
}
