/** Whether this process runs as an account of the system, and not as a person (N96). */

import { homedir } from 'node:os'
import { env } from 'node:process'

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
  /** Whether the system started the process, and nobody who has logged on. */
  readonly isStartedBySystem: boolean
}

/**
 * Whether nobody is logged on but the system itself: one of its accounts (root, or another number below those of
 * people), started by its service manager; on Windows LocalSystem, LocalService or NetworkService. Root at a terminal is
 * a person, and so is the only account of a container.
 */
export function isServiceAccount(account: Account = ownAccount()): boolean {
  const { platform, uid, home, isStartedBySystem } = account
  if (platform === 'win32' || uid === undefined) return systemProfiles.test(home)
  const first = platform === 'darwin' ? FIRST_PERSON.darwin : FIRST_PERSON.other
  return isStartedBySystem && uid < first
}

function ownAccount(): Account {
  return {
    platform: process.platform,
    uid: process.geteuid?.(),
    home: process.platform === 'win32' ? homedir() : '',
    isStartedBySystem: process.platform === 'darwin' ? isOfLaunchd() : isOfSystemd(),
  }
}

/** systemd tells a unit's main process its own number, which children inherit (systemd.exec(5)). */
function isOfSystemd(): boolean {
  const main = Number(env['SYSTEMD_EXEC_PID'])
  return main === process.pid || main === process.ppid
}

/** What launchd starts has the label of its job for a name, and launchd for a parent. */
function isOfLaunchd(): boolean {
  const { XPC_SERVICE_NAME: label = '0' } = env
  return label !== '0' && process.ppid === 1
}
