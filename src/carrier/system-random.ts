/** The randomness of this machine. */

import { randomBytes } from 'node:crypto'
import type { Random } from '../base/random.ts'

export const systemRandom: Random = {
  fraction: () => Math.random(),
  bytes: (length) => randomBytes(length),
}
