/**
 * What the administrator of the machine decided outside of the configuration file about who is logged on and about NTLM
 * (A53, A56). Only Windows has a place for that; where it says something, that counts and not the file (A58).
 */

import type { LmCompatibilityLevel, UseLmCompat } from '../auth/settings.ts'
import type { Log } from '../base/log.ts'
import type { AuthConfig } from './auth-config.ts'
import { readMachinePolicy as readNothing } from './policy/elsewhere.ts'
import { readMachinePolicy as readRegistry } from './policy/windows.ts'

/** What the machine says; absent where it says nothing. */
export interface MachinePolicy {
  readonly useLmCompat?: UseLmCompat
  readonly lmCompatibilityLevel?: LmCompatibilityLevel
}

/** Reads it; once, at the start of the service. Never throws: a place that cannot be read says nothing. */
export type ReadMachinePolicy = (log: Log) => MachinePolicy

/** How it is read on a platform, as `process.platform` names it. */
export function policyReader(platform: NodeJS.Platform = process.platform): ReadMachinePolicy {
  return platform === 'win32' ? (log) => readRegistry(log) : readNothing
}

/** The file, with what the machine says in the place of what the file says about the same. */
export function withMachinePolicy(config: AuthConfig, policy: MachinePolicy, log: Log): AuthConfig {
  for (const name of ['useLmCompat', 'lmCompatibilityLevel'] as const) {
    const [ours, theirs] = [config[name], policy[name]]
    if (ours === undefined || theirs === undefined || ours === theirs) continue
    log.write('warn', 'The registry decides, and not the configuration file', {
      setting: name,
      registry: theirs,
      file: ours,
    })
  }
  return { ...config, ...policy }
}
