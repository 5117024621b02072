/** What an operator may set for the whole service. */

import { defaultAuthSettings, type AuthSettings } from '../auth/settings.ts'
import type { CheckpointPolicy } from './order.ts'
import type { TransferPolicy } from '../job/cost.ts'
import type { Priority } from '../job/job.ts'
import { defaultSchedulePolicy, type SchedulePolicy } from '../job/schedule.ts'

/** BITS's walls (bits-jobs.md §25); a wall that is absent does not stand. None binds administrators. */
export interface Limits {
  readonly jobsPerMachine?: number
  readonly jobsPerUser?: number
  readonly filesPerJob?: number
}

/** The engine's settings. */
export interface EngineSettings {
  readonly schedule: SchedulePolicy
  /** How many connections of one origin the files of one job use side by side. */
  readonly connectionsPerJob: number
  readonly limits: Limits
  readonly checkpoint: CheckpointPolicy
  readonly auth: AuthSettings
  /** On networks of which cost jobs are transferred that say nothing of it themselves, by their priority. */
  readonly transferPolicy: Readonly<Record<Priority, TransferPolicy>>
  /** Whether URLs with a name and a password in them are refused (A45). */
  readonly refusesUrlCredentials: boolean
  /** How long final jobs are remembered, in milliseconds. */
  readonly rememberMs: number
  /** After how many milliseconds without activity a job is given up (bits-jobs.md §20.6). */
  readonly inactivityMs: number
}

const DAY_MS = 86_400_000

/** As BITS has it, without its walls. */
export const defaultSettings: EngineSettings = {
  schedule: defaultSchedulePolicy,
  connectionsPerJob: 6,
  limits: {},
  checkpoint: { everyMs: 1_000, bytes: 64 * 1024 * 1024 },
  auth: defaultAuthSettings,
  transferPolicy: { foreground: 'always', high: 'always', normal: 'always', low: 'always' },
  refusesUrlCredentials: false,
  rememberMs: DAY_MS,
  inactivityMs: 90 * DAY_MS,
}
