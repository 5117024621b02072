/** As whom a turn asks. Pure. */

import type { AuthSettings } from '../auth/settings.ts'
import type { IdentityOrder } from './order.ts'
import type { OpenedSecrets } from './secrets.ts'

/** The identity of a turn; `undefined` when nothing is set and the settings allow nothing that is not (A53). */
export function identityOf(
  { pairs }: OpenedSecrets,
  settings: AuthSettings,
): IdentityOrder | undefined {
  const isAnonymous = pairs.length === 0 && settings.useLmCompat === 2
  return isAnonymous ? undefined : { pairs, settings, usesStoredForProxy: false }
}
