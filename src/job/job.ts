/**
 * A job: what somebody asked to have moved, how far it is, and what it waits for.
 *
 * Terms (bits-jobs.md §1): a *job* holds *files*; a file is a pair of *remote name* (URL) and *local name* (full path).
 * The *owner* is who made the job. A job is *active* while it has its *turn*. Data lies under a temporary *partial
 * name* in the target's folder until *Complete* renames it.
 */

import type { Instant } from '../base/clock.ts'
import type { ByteRanges } from '../base/byte-range.ts'
import type { Version } from '../wire/validator.ts'
import type { ClientCertificate } from './certificate.ts'
import type { Failure } from './failure.ts'
import type { JobStateKind } from './moves.ts'
import type { ProxySettings } from './route.ts'

/** A GUID: lower case, with hyphens, without braces. */
export type JobId = string

/** Who a job belongs to. `id` decides (a user id or a SID), `name` is for people. */
export interface Owner {
  readonly id: string
  readonly name: string
}

/** BG_JOB_TYPE. */
export type JobType = 'download' | 'upload' | 'uploadReply'

/** BG_JOB_PRIORITY, strongest first; the place in the list is BITS's number. */
export const priorities = ['foreground', 'high', 'normal', 'low'] as const

/** One of {@link priorities}. */
export type Priority = (typeof priorities)[number]

/** What a job is doing, with the facts that exist only while it does. */
export type JobState =
  | { readonly kind: 'suspended' }
  | { readonly kind: 'queued' }
  | { readonly kind: 'connecting' }
  | { readonly kind: 'transferring' }
  | {
      readonly kind: 'transientError'
      readonly failure: Failure
      /** When it is tried again by itself; absent while it waits for something that no clock brings. */
      readonly retryAt?: Instant
    }
  | { readonly kind: 'error'; readonly failure: Failure }
  | {
      readonly kind: 'transferred'
      /** Why the last Complete could not rename every file. */
      readonly failure?: Failure
    }
  | {
      readonly kind: 'acknowledged'
      /** Whether files were left out (BG_S_PARTIAL_COMPLETE). */
      readonly partial: boolean
    }
  | { readonly kind: 'cancelled' }

/** How long a job is patient; all settable at any time. */
export interface Patience {
  /** Seconds between a transient failure and the next try, 5 or more; BITS's default is 600. */
  readonly minimumRetryDelayS: number
  /** Seconds without progress after which a transient failure is final; 0: the first one is. Default 14 days. */
  readonly noProgressTimeoutS: number
  /** Seconds a job may be active in all; default 90 days. */
  readonly maximumDownloadTimeS: number
  /** Milliseconds without a byte after which a connection is given up. Default 30 s. */
  readonly stallTimeoutMs: number
}

/** How the files of a job are asked for and put down; the same for all of them. */
export interface TransferOptions extends TransferSettings {
  readonly headers: Headers
}

/** Sent with every request, in order. They may hold secrets, so in the queue they lie sealed (A165). */
export type Headers = readonly (readonly [name: string, value: string])[]

/** Those of them that are no secrets. */
export interface TransferSettings {
  /** A PEM file of certificate authorities that are trusted instead of the platform's. */
  readonly caFile?: string
  /** Which checks of a server's certificate are left out or added (A79): `certificateFlags`; absent: none. */
  readonly securityFlags?: number
  /** The public keys of which servers need one, as `checkPinnedKeys` takes them; absent: any will do. */
  readonly pinnedKeys?: readonly string[]
  /** Whom a program has to judge before anything is sent there, and whom it has accepted (A84); absent: nobody. */
  readonly validation?: { readonly accepted: readonly string[] }
  /** What happens when a server points elsewhere (bits-jobs.md §22.7). */
  readonly redirects: RedirectPolicy
  /** Whether an existing target is replaced. */
  readonly overwrite: boolean
  /** Whether the server may name the file (within the target's folder). */
  readonly contentDisposition: boolean
}

/** `silent` follows, `report` follows and keeps the final URL as remote name, `disallow` stops there. */
export interface RedirectPolicy {
  readonly follow: 'silent' | 'report' | 'disallow'
  /** Whether a redirect may lead from https to http. */
  readonly allowHttpsToHttp: boolean
}

/** Counters over the files of a job. */
export interface Tally {
  readonly filesTotal: number
  readonly filesTransferred: number
  /** How many files have a known size, and their sum in bytes. */
  readonly filesSized: number
  readonly bytesSized: number
  /** Bytes that are durably on disk. */
  readonly bytesTransferred: number
}

/** One job; a value, copied with every change. */
export interface Job {
  readonly id: JobId
  /** Creation order, from 1; never used twice. */
  readonly sequence: number
  readonly owner: Owner
  readonly type: JobType
  /** At most 256 characters; need not be unique. */
  readonly displayName: string
  /** At most 1,024 characters. */
  readonly description: string
  readonly priority: Priority
  readonly state: JobState
  readonly patience: Patience
  readonly transfer: TransferSettings
  /** Which way its requests go; absent: as its owner's settings say (N3). */
  readonly proxy?: ProxySettings
  /** What it shows to servers that ask for a certificate; what opens the key lies sealed in the queue. */
  readonly certificate?: ClientCertificate
  /** What its helper token is used for (A6); absent: nothing. */
  readonly helperFlags?: number
  /** Whether proxies may be told who is logged on although no credentials say so (A63); absent: no. */
  readonly usesStoredForProxy?: boolean
  /** Whether servers are told who is asking before they want to know (A86); absent: no. */
  readonly provesUnasked?: boolean
  /** Whether names and passwords stood in URLs of its files: they lie sealed in the queue (A40). */
  readonly hasUrlCredentials?: boolean
  /** On networks of which cost it may be transferred, as BITS_COST_STATE_* say; absent: on all. */
  readonly costFlags?: number
  /** Whether the service completes the job by itself once everything is transferred. */
  readonly completesItself: boolean
  /**
   * What is still to be done with files that no longer move: `complete` renames them, `discard` deletes what is
   * partial. It is committed with the decision and cleared with its execution, so a crash between only delays it.
   */
  readonly pending?: 'complete' | 'discard'
  readonly created: Instant
  readonly modified: Instant
  /** When the last byte was on disk. */
  readonly transferredAt?: Instant
  readonly tally: Tally
  /** Transient and fatal errors ever (bits-jobs.md §20.4). */
  readonly errorCount: number
  /** Failures since the last progress: what the back-off grows with. */
  readonly attempts: number
  /** Steady milliseconds since the first failure without progress; network outages and the service's own absence left out. */
  readonly noProgressMs: number
  /** Most bytes that were ever durable: only more than this is progress, or a server that always fails at the same place would never run out of patience. */
  readonly bytesBest: number
  /** Whether a carrier ever had it: only then can there be partial files. */
  readonly touched: boolean
  /** Steady milliseconds spent active since the last Resume. */
  readonly activeMs: number
  /** Place in the rotation of its priority: the lowest is next. */
  readonly turn: number
}

/** A digest that a file must have. */
export interface ExpectedDigest {
  readonly algorithm: 'md5' | 'sha-1' | 'sha-256' | 'sha-512'
  /** Lower-case hexadecimal. */
  readonly hex: string
}

/** One file of a job. */
export interface JobFile {
  /** Place in the job, from 0. */
  readonly ordinal: number
  readonly remoteName: string
  /**
   * Where it is asked for, when a server led to another origin and that was reported as the remote name: what the job
   * proves and says is for the origin that was named, and for none that a redirect names (A380).
   */
  readonly askedName?: string
  /** Full path of the target. */
  readonly localName: string
  readonly digests: readonly ExpectedDigest[]
  /** `missing` bytes, all `transferred` under the partial name, or `completed` under the final one. */
  readonly kind: 'missing' | 'transferred' | 'completed'
  /** The version the bytes belong to; absent until a server answered. */
  readonly version?: Version
  /** Length in bytes once known. */
  readonly size?: number
  /** What is durably in the partial file. */
  readonly ranges: ByteRanges
  /** How often it started again because only its entity tag had changed. */
  readonly tagRestarts: number
  /** What the file system calls the finished partial file, so that a rename cut short is recognised afterwards. */
  readonly identity?: FileIdentity
}

/** Device and inode as decimal text, and length in bytes. */
export interface FileIdentity {
  readonly device: string
  readonly inode: string
  readonly size: number
}

/** BITS's numbers (bits-jobs.md §26). */
export const defaultPatience: Patience = {
  minimumRetryDelayS: 600,
  noProgressTimeoutS: 1_209_600,
  maximumDownloadTimeS: 7_776_000,
  stallTimeoutMs: 30_000,
}

/** Nothing special about the requests of a job. */
export const defaultTransfer: TransferSettings = {
  redirects: { follow: 'silent', allowHttpsToHttp: false },
  overwrite: false,
  contentDisposition: false,
}

/** The bytes of all files, or `undefined` while the size of any is unknown (BG_SIZE_UNKNOWN). */
export function bytesTotal({ filesSized, filesTotal, bytesSized }: Tally): number | undefined {
  return filesSized === filesTotal ? bytesSized : undefined
}

/** Narrows a job to one state. */
export function isIn<Kind extends JobStateKind>(
  job: Job,
  kind: Kind,
): job is Job & { readonly state: Extract<JobState, { kind: Kind }> } {
  return job.state.kind === kind
}
