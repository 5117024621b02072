/** Comes by koffi. */

import { createRequire } from 'node:module'
import type * as koffi from 'koffi'

/**
 * Loads koffi; the first time takes about 6 ms. `require`, because an import would make whether there is a library a
 * promise.
 *
 * @throws where there is no binary of it for this platform
 */
export function requireKoffi(): typeof koffi {
  const loaded: unknown = createRequire(import.meta.url)('koffi')
  // koffi's own declarations describe what its CommonJS entry exports; `require` is typed as knowing nothing.
  return loaded as typeof koffi
}
