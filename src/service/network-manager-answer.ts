/** What `busctl --json=short` prints of NetworkManager and ModemManager, as far as it is about cost. */

/** What NetworkManager says of the connection that most traffic takes. */
export interface MeteredAnswer {
  readonly isMetered: boolean
  /** Whether it is a modem's. */
  readonly isMobile: boolean
}

/** NMMetered: 1 is yes and 3 a guess that it is; 0, 2 and 4 are unknown, no and a guess that it is not. */
const METERED: ReadonlySet<unknown> = new Set([1, 3])

/** Types of connections that a modem makes. */
const MOBILE: ReadonlySet<unknown> = new Set(['gsm', 'cdma'])

/** MMModemState: connected. */
const CONNECTED = 11

/** MMModem3gppRegistrationState: roaming, roaming for messages only, roaming without circuit-switched fallback. */
const ROAMING: ReadonlySet<unknown> = new Set([5, 7, 10])

/**
 * Reads the answer to GetAll of NetworkManager's properties.
 *
 * @param json anything; what cannot be read says that nothing is metered
 */
export function readMetered(json: string): MeteredAnswer {
  const properties = field(parse(json), 'data', 0)
  return {
    isMetered: METERED.has(field(properties, 'Metered', 'data')),
    isMobile: MOBILE.has(field(properties, 'PrimaryConnectionType', 'data')),
  }
}

/**
 * Whether a modem that is connected is in another operator's network: reads the answer to GetManagedObjects of
 * ModemManager.
 *
 * @param json anything; what cannot be read says no
 */
export function isRoaming(json: string): boolean {
  const objects = field(parse(json), 'data', 0)
  if (typeof objects !== 'object' || objects === null) return false
  return Object.values(objects).some((interfaces: unknown) => {
    const state = field(interfaces, 'org.freedesktop.ModemManager1.Modem', 'State', 'data')
    const registration = field(
      interfaces,
      'org.freedesktop.ModemManager1.Modem.Modem3gpp',
      'RegistrationState',
      'data',
    )
    return state === CONNECTED && ROAMING.has(registration)
  })
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

/** What lies in `value` under these names, one within the other; `undefined` where there is nothing. */
function field(value: unknown, ...path: readonly (string | number)[]): unknown {
  let found = value
  for (const name of path) {
    if (typeof found !== 'object' || found === null) return undefined
    const fields = new Map<string, unknown>(Object.entries(found))
    found = fields.get(String(name))
  }
  return found
}
