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

/** Of gssproxy, which proves who is logged on with keys that this service cannot read (N113). */
const ofProxy = ['GSS_USE_PROXY', 'GSSPROXY_BEHAVIOR', 'GSSPROXY_SOCKET'] as const

/** What the library takes for a yes. */
const yes = /^(?:yes|true|on|1)$/iu

/** A cache in the helper's own memory. */
const OWN_CACHE = 'MEMORY:lull'

/** A file in which no library finds what it looks for. */
const NOTHING = '/dev/null'

/**
 * The environment of a helper.
 *
 * Explicit identities get no way to whoever is logged on: neither to that one's tickets, nor to the keytab of the
 * machine, which the libraries fall back to. Other mechanisms than Kerberos stay out of the process: they would be
 * loaded from wherever the machine's configuration says. Only where the service itself was told to use gssproxy, who is
 * logged on is proved with it, and the machine's configuration loaded that names it.
 *
 * @param service of the service, or of the owner it works for
 */
export function environmentFor(
  identity: MechanismIdentity,
  service: Environment,
): Readonly<Record<string, string>> {
  const isProxied = identity.kind === 'implicit' && yes.test(service['GSS_USE_PROXY'] ?? '')
  const names = [
    ...inherited,
    ...(identity.kind === 'implicit' ? implicit : []),
    ...(isProxied ? ofProxy : []),
  ]
  return {
    ...Object.fromEntries(
      names.flatMap((name) => {
        const value = service[name]
        return value === undefined ? [] : [[name, value]]
      }),
    ),
    ...(isProxied ? {} : { GSS_MECH_CONFIG: NOTHING }),
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
