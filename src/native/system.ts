/** Chooses the operating system's calls, once. */

import { openDarwin } from './darwin.ts'
import { openElsewhere } from './elsewhere.ts'
import { openLinux } from './linux.ts'
import type { SystemCalls } from './system-calls.ts'

let chosen: SystemCalls | undefined

/** The calls of this machine; the first in a thread loads koffi (about 6 ms and 3 MiB). Never throws. */
export function systemCalls(): SystemCalls {
  chosen ??= openSystem(process.platform)
  return chosen
}

/** The calls of a platform, as `process.platform` names it. */
export function openSystem(platform: NodeJS.Platform): SystemCalls {
  if (platform === 'linux') return openLinux()
  if (platform === 'darwin') return openDarwin()
  return openElsewhere(`no calls are known for ${platform}`)
}
