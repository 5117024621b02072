/** Who this process is. */

import { homedir, userInfo } from 'node:os'

/** A user as jobs have owners. */
export interface User {
  /** A user id, or on Windows the name. */
  readonly id: string
  readonly name: string
}

/** The user of this process; in containers a number may be all there is. */
export function currentUser(): User {
  try {
    const { uid, username } = userInfo()
    return { id: uid < 0 ? username : String(uid), name: username }
  } catch {
    const id = String(process.getuid?.() ?? 0)
    return { id, name: id }
  }
}

/** The home folder of this user; one that cannot be where there is none. */
export function homeFolder(): string {
  try {
    return homedir()
  } catch {
    return '/nonexistent'
  }
}
