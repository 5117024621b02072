/**
 * What the engine tells a carrier to do, and what a carrier tells back: plain data, because there is a thread or a
 * process boundary between them.
 *
 * Every order that moves bytes carries the *turn* of its job: a number the engine counts up with each activation. A
 * report about an older turn is about something that no longer matters, except for what it says about bytes on disk.
 */

import type { AuthTarget, SchemeName } from '../auth/auth.ts'
import type { AuthSettings } from '../auth/settings.ts'
import type { ByteRanges } from '../base/byte-range.ts'
import type { Failure } from '../job/failure.ts'
import type { Finding } from '../job/finding.ts'
import type { ExpectedDigest, FileIdentity, JobId, TransferOptions } from '../job/job.ts'
import type { Restraint } from '../job/restraint.ts'
import type { ProxySettings } from '../job/route.ts'
import type { Version } from '../wire/validator.ts'

/** What a carrier is told. */
export type Order =
  | FetchOrder
  /** No more files will follow in this turn: when the last one is there, the turn is over. */
  | { readonly kind: 'last'; readonly job: JobId; readonly turn: number }
  /** Stop this turn: sync what is there, report it, report `stopped`. */
  | { readonly kind: 'stop'; readonly job: JobId; readonly turn: number }
  /** The engine has forgotten the old bytes of a file: it may start again from zero. */
  | {
      readonly kind: 'restart'
      readonly job: JobId
      readonly turn: number
      readonly ordinal: number
    }
  | RenameOrder
  /** Delete these partial files, whatever is in them; one that is not there is deleted already. */
  | { readonly kind: 'discard'; readonly job: JobId; readonly partialNames: readonly string[] }
  | ExamineOrder
  /** This machine's network is another one now: what was found out about ways, scripts and proxies is void (N6). */
  | { readonly kind: 'networkChanged' }

/** After how much the bytes of a turn are made durable: whichever comes first. */
export interface CheckpointPolicy {
  /** Milliseconds after bytes arrived that no checkpoint has covered. */
  readonly everyMs: number
  /** So many of these bytes. */
  readonly bytes: number
}

/** Fetch these files too. The first order of a turn begins it. */
export interface FetchOrder {
  readonly kind: 'fetch'
  readonly job: JobId
  readonly turn: number
  readonly transfer: TransferOptions
  readonly stallTimeoutMs: number
  /** How many connections of one origin the files of this job may use side by side. */
  readonly connections: number
  /** How easy the turn goes on servers; absent: not at all. The first order of a turn decides. */
  readonly restraint?: Restraint
  /** When a checkpoint begins, at the latest. */
  readonly checkpoint: CheckpointPolicy
  /** As whom the turn asks; absent: as nobody. The first order of a turn decides. */
  readonly identity?: IdentityOrder
  /** Which way its requests go; absent: as the owner's settings say. */
  readonly proxy?: ProxySettings
  readonly files: readonly FileOrder[]
}

/** As whom a turn asks. What is secret in it belongs to the carrier, which wipes it when the turn is over. */
export interface IdentityOrder {
  readonly pairs: readonly PairOrder[]
  readonly settings: AuthSettings
  /** Whether challenges of the proxy may be answered with who is logged on (A63). */
  readonly usesStoredForProxy: boolean
  /** Whether servers are told before they ask (A86); absent: no. */
  readonly provesUnasked?: boolean
  /** Who implicit credentials stand for instead of the owner: a helper (A90), as `auth/credential-record` writes it. */
  readonly helper?: Uint8Array
  /** What the server gets when it asks for a certificate (A70). */
  readonly certificate?: CertificateOrder
}

/** One credential of a job. */
export interface PairOrder {
  readonly target: AuthTarget
  readonly scheme: SchemeName
  /** As `auth/credential-record` writes it; secret. */
  readonly credentials: Uint8Array
}

/** A client certificate by the files it is in: PEM, or PKCS#12 with certificate and key together. */
export interface CertificateOrder {
  /** Full path. */
  readonly certificateFile: string
  /** Full path of the private key, where it is not in the same file. */
  readonly keyFile?: string
  /** What opens the key, UTF-8; secret. */
  readonly passphrase?: Uint8Array
}

/** Wipes what is secret in an order; not before its receiver has a copy. */
export function wipeOrder(order: Order): void {
  if (order.kind !== 'fetch' && order.kind !== 'examine') return
  for (const { credentials } of order.identity?.pairs ?? []) credentials.fill(0)
  order.identity?.helper?.fill(0)
  order.identity?.certificate?.passphrase?.fill(0)
  const logins = order.kind === 'fetch' ? order.files : [order]
  for (const { urlCredentials } of logins) urlCredentials?.fill(0)
}

/** Find out how a URL is reached and what is asked for on the way, without keeping anything of it. */
export interface ExamineOrder {
  readonly kind: 'examine'
  /** What the report is about. */
  readonly examination: string
  /** http or https, without user information. */
  readonly url: string
  readonly urlCredentials?: Uint8Array
  readonly transfer: TransferOptions
  readonly stallTimeoutMs: number
  readonly identity?: IdentityOrder
  readonly proxy?: ProxySettings
}

/** One file to fetch. */
export interface FileOrder {
  readonly ordinal: number
  /** Without user information. */
  readonly remoteName: string
  /** The name and password of its URL (A40), as `auth/credential-record` writes them; secret. */
  readonly urlCredentials?: Uint8Array
  readonly localName: string
  /** Full path of the file the bytes go to, in the target's folder. */
  readonly partialName: string
  readonly digests: readonly ExpectedDigest[]
  /** What is durably there, and of which version. */
  readonly ranges: ByteRanges
  readonly version?: Version
  readonly size?: number
  readonly tagRestarts: number
}

/** Give these finished partial files their names and sync the folders. */
export interface RenameOrder {
  readonly kind: 'rename'
  readonly job: JobId
  readonly overwrite: boolean
  readonly files: readonly RenameFile[]
}

/** One finished partial file. */
export interface RenameFile {
  readonly ordinal: number
  readonly partialName: string
  readonly localName: string
  readonly identity?: FileIdentity
}

/** What a carrier tells. There are no bytes in it, and no number that JSON has no word for. */
export type Report =
  /** A server answered with bytes to come. */
  | { readonly kind: 'connected'; readonly job: JobId; readonly turn: number }
  /** These facts are on disk: the data is synced. */
  | {
      readonly kind: 'checkpoint'
      readonly job: JobId
      readonly turn: number
      readonly files: readonly FileProgress[]
    }
  /** For displays: bytes received since the turn began, durable or not. May be left out under load. */
  | {
      readonly kind: 'moved'
      readonly job: JobId
      readonly turn: number
      readonly bytes: number
    }
  /** A file is another version now and must start again; nothing is overwritten before the `restart` order comes back. */
  | {
      readonly kind: 'changed'
      readonly job: JobId
      readonly turn: number
      readonly ordinal: number
      readonly reason: string
      /** Whether only the entity tag differed (see wire/validator). */
      readonly tagOnly: boolean
    }
  /** A password or token goes to this server or proxy as everybody on the way can read it (A183). */
  | {
      readonly kind: 'readable'
      readonly job: JobId
      readonly turn: number
      readonly target: AuthTarget
      /** Its origin. */
      readonly peer: string
      readonly scheme: string
    }
  /** The turn is over because of this; everything worth keeping was reported before. */
  | {
      readonly kind: 'failed'
      readonly job: JobId
      readonly turn: number
      readonly failure: Failure
    }
  /** The turn is over: it was stopped, or every file is there. */
  | { readonly kind: 'stopped'; readonly job: JobId; readonly turn: number }
  /** These files have their names, durably; `failure` says why the others do not. */
  | {
      readonly kind: 'renamed'
      readonly job: JobId
      readonly ordinals: readonly number[]
      readonly failure?: Failure
    }
  /** The partial files are gone, but for those that could not be deleted. */
  | { readonly kind: 'discarded'; readonly job: JobId; readonly leftovers: readonly string[] }
  | {
      readonly kind: 'examined'
      readonly examination: string
      readonly findings: readonly Finding[]
    }

/** What is durably true of one file. */
export interface FileProgress {
  readonly ordinal: number
  readonly ranges: ByteRanges
  readonly version?: Version
  readonly size?: number
  /** Whether every byte is there and every digest agrees. */
  readonly transferred: boolean
  readonly identity?: FileIdentity
  /** The target, where the server was allowed to name it. */
  readonly localName?: string
  /** The final URL, where redirects are to be reported. */
  readonly remoteName?: string
}
