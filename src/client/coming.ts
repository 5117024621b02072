/** A service that starts, or begins anew, says so beside its lock: whoever finds nobody at the socket waits for it. */

import { setTimeout as delay } from 'node:timers/promises'
import { parseHolder } from '../base/holder.ts'
import type { Home } from './home.ts'
import { readFileSync } from './node-fs.ts'

/** How long a service that comes is waited for, and how often it is looked for. */
const COMING_LIMIT_MS = 10_000
const LOOK_EVERY_MS = 50

/**
 * Does something that needs the service; again while it fails because nobody is there and somebody comes.
 *
 * @param isAway whether it failed because nobody was there, and may be done again
 */
export async function whenThere<T>(
  home: Home,
  work: () => Promise<T>,
  isAway: (error: unknown) => boolean,
): Promise<T> {
  let isLast = false
  for (let waited = 0; ; waited += LOOK_EVERY_MS) {
    try {
      return await work()
    } catch (error) {
      if (isLast || !isAway(error)) throw error
    }
    // Nobody comes, or somebody came just now: that is found out by one more look.
    isLast = waited >= COMING_LIMIT_MS || !isComing(home)
    if (!isLast) await delay(LOOK_EVERY_MS)
  }
}

function isComing({ lock }: Home): boolean {
  try {
    const holder = parseHolder(readFileSync(`${lock}.pid`, 'utf8'))
    if (holder?.isComing !== true) return false
    // Throws when it ended on the way.
    return process.kill(holder.pid, 0)
  } catch {
    return false
  }
}
