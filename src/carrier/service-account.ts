/** Whether this process runs as an account of the system, and not as a person (N96). */

import { homedir } from 'node:os'

/** The first number that systems give to people. */
const FIRST_PERSON = { darwin: 500, other: 1_000 } as const

/** Where the profiles of LocalSystem, LocalService and NetworkService lie, in every language of Windows. */
const systemProfiles = /\\(?:config\\systemprofile|ServiceProfiles\\[^\\]+)\\?$/iu

/** What tells accounts apart. */
export interface Account {
  readonly platform: string
  /** Absent on Windows. */
  readonly uid: number | undefined
  readonly home: string
}

/**
 * Whether an account is one of the system: root, or another number below those of people; on Windows LocalSystem,
 * LocalService or NetworkService. Containers that know no account but root have none but those.
 */
export function isServiceAccount({ platform, uid, home }: Account = ownAccount()): boolean {
  if (platform === 'win32' || uid === undefined) return systemProfiles.test(home)
  return uid < (platform === 'darwin' ? FIRST_PERSON.darwin : FIRST_PERSON.other)
}

function ownAccount(): Account {
  return {
    platform: process.platform,
    uid: process.geteuid?.(),
    home: process.platform === 'win32' ? homedir() : '',
  }
}
