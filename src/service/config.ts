/** The service's configuration file: what an operator may set, read once at the start. */

import { readFileSync } from 'node:fs'
import { LullError } from '../base/error.ts'
import { defaultSettings, type EngineSettings } from '../engine/settings.ts'
import { authConfig, authSettings, type AuthConfig } from './auth-config.ts'
import { transferPolicyNames, type TransferPolicy } from '../job/cost.ts'
import type { Priority } from '../job/job.ts'
import { DecodeError, flag, oneOf, optional, record, whole, type Decoder } from '../rpc/decode.ts'
import { proxyConfig, type ProxyConfig } from './proxy-config.ts'
import { meteredValues, type Metered } from './network-cost.ts'

/** Everything the file may say; what it leaves out has its default. */
export interface Config {
  /** How many background jobs run side by side; BITS's rule is 1. */
  readonly backgroundJobs?: number
  /** Seconds a job of one priority runs while another of the same waits. */
  readonly timeSlice?: number
  /** Connections of one origin that the files of one job use side by side. */
  readonly connectionsPerJob?: number
  /** Seconds and MiB after which what arrived is made durable, whichever comes first. */
  readonly checkpointSeconds?: number
  readonly checkpointMiB?: number
  /** BITS's walls: 300, 60 and 200 there, absent here. */
  readonly maxJobsPerMachine?: number
  readonly maxJobsPerUser?: number
  readonly maxFilesPerJob?: number
  /** Hours for which finished jobs are remembered. */
  readonly rememberHours?: number
  /** Days without activity after which a job is given up. */
  readonly inactivityDays?: number
  /** Whether the log tells everything. */
  readonly debug?: boolean
  /** Whether each carrier is a process of its own. */
  readonly carrierProcesses?: boolean
  /** Whether the network is metered; `auto` asks the machine. */
  readonly metered?: Metered
  /** On networks of which cost jobs are transferred that say nothing of it themselves, by their priority. */
  readonly transferPolicy?: Partial<Readonly<Record<Priority, TransferPolicy>>>
  /** How peers are answered that ask who is there. */
  readonly authentication?: AuthConfig
  /** Proxies for everybody, and how they are found. */
  readonly proxies?: ProxyConfig
}

const policy = optional(oneOf(transferPolicyNames))

const config: Decoder<Config> = record<Config>({
  backgroundJobs: optional(whole(1, 1_000)),
  timeSlice: optional(whole(1, 86_400)),
  connectionsPerJob: optional(whole(1, 64)),
  checkpointSeconds: optional(whole(1, 86_400)),
  checkpointMiB: optional(whole(1, 1_048_576)),
  maxJobsPerMachine: optional(whole(1)),
  maxJobsPerUser: optional(whole(1)),
  maxFilesPerJob: optional(whole(1)),
  rememberHours: optional(whole(0, 8_760)),
  inactivityDays: optional(whole(1, 999)),
  debug: optional(flag),
  carrierProcesses: optional(flag),
  metered: optional(oneOf(meteredValues)),
  transferPolicy: optional(
    record({ foreground: policy, high: policy, normal: policy, low: policy }),
  ),
  authentication: optional(authConfig),
  proxies: optional(proxyConfig),
})

/**
 * Reads the file; one that is not there says nothing.
 *
 * @throws {LullError} `ERR_CONFIG` with the place and what was found there
 */
export function readConfig(path: string): Config {
  let text: string
  try {
    // Some editors begin a file with a byte order mark.
    text = readFileSync(path, 'utf8').replace(/^\uFEFF/u, '')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {}
    throw new LullError('ERR_CONFIG', `Cannot read the configuration ${path}: ${String(error)}`, {
      cause: error,
    })
  }
  try {
    return config(JSON.parse(text), 'the configuration')
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    const reason = error instanceof DecodeError ? message : `it is not JSON: ${message}`
    throw new LullError('ERR_CONFIG', `Cannot use the configuration ${path}: ${reason}`, {
      cause: error,
    })
  }
}

/** The engine's settings as the file wants them. */
export function engineSettings(from: Config): EngineSettings {
  const { schedule, connectionsPerJob, checkpoint, rememberMs, inactivityMs, transferPolicy } =
    defaultSettings
  return {
    schedule: {
      backgroundJobs: from.backgroundJobs ?? schedule.backgroundJobs,
      timeSliceMs: from.timeSlice === undefined ? schedule.timeSliceMs : from.timeSlice * 1_000,
    },
    connectionsPerJob: from.connectionsPerJob ?? connectionsPerJob,
    checkpoint: {
      everyMs:
        from.checkpointSeconds === undefined ? checkpoint.everyMs : from.checkpointSeconds * 1_000,
      bytes: from.checkpointMiB === undefined ? checkpoint.bytes : from.checkpointMiB * 1_048_576,
    },
    limits: {
      ...(from.maxJobsPerMachine === undefined ? {} : { jobsPerMachine: from.maxJobsPerMachine }),
      ...(from.maxJobsPerUser === undefined ? {} : { jobsPerUser: from.maxJobsPerUser }),
      ...(from.maxFilesPerJob === undefined ? {} : { filesPerJob: from.maxFilesPerJob }),
    },
    auth: authSettings(from.authentication),
    refusesUrlCredentials: from.authentication?.refuseUrlCredentials ?? false,
    transferPolicy: { ...transferPolicy, ...from.transferPolicy },
    rememberMs: from.rememberHours === undefined ? rememberMs : from.rememberHours * 3_600_000,
    inactivityMs:
      from.inactivityDays === undefined ? inactivityMs : from.inactivityDays * 86_400_000,
  }
}
