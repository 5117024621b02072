/** The registry of Windows, read by its own program. Written and checked against what that prints; not yet run there. */

import { execFileSync } from 'node:child_process'
import type { LmCompatibilityLevel, UseLmCompat } from '../../auth/settings.ts'
import type { Log } from '../../base/log.ts'
import { parseValues } from '../../proxy/desktop/windows.ts'
import type { MachinePolicy } from '../machine-policy.ts'

/** Where the two values lie (A53, A56), and the highest number that each knows (A53, A57). */
const values = {
  useLmCompat: {
    key: String.raw`HKLM\Software\Microsoft\Windows\CurrentVersion\BITS`,
    name: 'UseLMCompat',
    highest: 2,
  },
  lmCompatibilityLevel: {
    key: String.raw`HKLM\System\CurrentControlSet\Control\LSA`,
    name: 'LmCompatibilityLevel',
    highest: 5,
  },
} as const

/** A program that has not answered by then is ended. */
const TIME_LIMIT_MS = 5_000

/** Asks the registry. @returns what `reg query` prints; `undefined` when it fails, as for a value that is not there */
export type QueryRegistry = (args: readonly string[]) => string | undefined

/** The two values of the registry; one that is no number of its range is told in the log and says nothing. */
export function readMachinePolicy(log: Log, query: QueryRegistry = queryRegistry): MachinePolicy {
  const read = (setting: keyof typeof values): number | undefined => {
    const { key, name, highest } = values[setting]
    // The view of 64 bits, whatever this process is.
    const printed = query(['query', key, '/v', name, '/reg:64'])
    const value = printed === undefined ? undefined : parseValues(printed).get(name.toLowerCase())
    if (value === undefined) return undefined
    if (typeof value === 'number' && value <= highest) return value
    log.write('warn', 'A value of the registry is not understood', {
      value: `${key}\\${name}`,
      expected: `REG_DWORD, 0 to ${highest}`,
    })
    return undefined
  }
  const useLmCompat = read('useLmCompat')
  const lmCompatibilityLevel = read('lmCompatibilityLevel')
  // Each number of its range is one of its type's.
  return {
    ...(useLmCompat === undefined ? {} : { useLmCompat: useLmCompat as UseLmCompat }),
    ...(lmCompatibilityLevel === undefined
      ? {}
      : { lmCompatibilityLevel: lmCompatibilityLevel as LmCompatibilityLevel }),
  }
}

function queryRegistry(args: readonly string[]): string | undefined {
  const root = process.env['SystemRoot'] ?? String.raw`C:\Windows`
  try {
    return execFileSync(String.raw`${root}\System32\reg.exe`, [...args], {
      timeout: TIME_LIMIT_MS,
      windowsHide: true,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  } catch {
    return undefined
  }
}
