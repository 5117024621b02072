/**
 * The service's language: every method, what it takes and what it answers. JSON-RPC 2.0; `docs/rpc.md` is checked
 * against this table. Everything here is plain JSON; BITS's words are used for states and contexts.
 */

import type { AuthTarget, SchemeName } from '../auth/auth.ts'
import type { ClientCertificate, GivenCertificate } from '../job/certificate.ts'
import type { ErrorContext } from '../job/failure.ts'
import type { Finding } from '../job/finding.ts'
import type { GivenPair, GivenToken } from '../job/given-credentials.ts'
import type { JobId, JobType, Priority, RedirectPolicy } from '../job/job.ts'
import type { BitsState } from '../job/moves.ts'
import type { ProxySettings } from '../job/route.ts'
import type { ShownServer } from '../job/server-validation.ts'

/** A job as clients see it. */
export interface JobView {
  readonly id: JobId
  readonly displayName: string
  readonly description: string
  readonly type: JobType
  readonly priority: Priority
  readonly state: BitsState
  /** The owner's name; `ownerId` decides. */
  readonly owner: string
  readonly ownerId: string
  /** `null` while the size of any file is unknown. */
  readonly bytesTotal: number | null
  /** Bytes received, durable or not: what a display shows. Never less than durable bytes. */
  readonly bytesTransferred: number
  readonly filesTotal: number
  readonly filesTransferred: number
  /** Why it does not move, as a sentence; `null` while it moves or nothing is awaited. */
  readonly waitingFor: string | null
  /** When it is tried again, ISO 8601. */
  readonly retryAt: string | null
  readonly error: FailureView | null
  readonly errorCount: number
  /** ISO 8601. */
  readonly created: string
  readonly modified: string
  readonly transferred: string | null
  readonly minimumRetryDelay: number
  readonly noProgressTimeout: number
  readonly maximumDownloadTime: number
  /** Whether an ACKNOWLEDGED job left files out (BG_S_PARTIAL_COMPLETE). */
  readonly partial: boolean
}

/** What went wrong, as clients see it. */
export interface FailureView {
  /** `0x80190194`. */
  readonly hresult: string
  readonly symbol: string
  readonly context: ErrorContext
  readonly message: string
  /** The file concerned. */
  readonly file: number | null
  readonly remoteName: string | null
  readonly localName: string | null
}

/** A file as clients see it. */
export interface FileView {
  readonly ordinal: number
  readonly remoteName: string
  readonly localName: string
  readonly bytesTotal: number | null
  /** Durable bytes. */
  readonly bytesTransferred: number
  /** Every byte is on disk. */
  readonly transferred: boolean
  /** It has its final name (BG_FILE_PROGRESS.Completed). */
  readonly completed: boolean
}

/** A file to add. */
export interface FileParams {
  /** A URL; a name and a password in it are kept sealed and shown nowhere (A40). */
  readonly remoteName: string
  /** A full path. */
  readonly localName: string
  /** Digests the file must have: `sha256:HEX`, or HEX alone for SHA-256. */
  readonly digests?: readonly string[]
}

/** Properties that may be set when a job is made and changed later; absent ones stay as they are. */
export interface JobProperties {
  readonly displayName?: string
  readonly description?: string
  readonly priority?: Priority
  /** Seconds; below 5 is raised to 5. */
  readonly minimumRetryDelay?: number
  /** Seconds; 0: the first transient failure is final. */
  readonly noProgressTimeout?: number
  /** Seconds. */
  readonly maximumDownloadTime?: number
  /** Seconds without a byte after which a connection is given up. */
  readonly stallTimeout?: number
  /** Replaces all of them. */
  readonly headers?: readonly (readonly [name: string, value: string])[]
  /** Full path of a PEM file of authorities that are trusted instead of the platform's. */
  readonly caFile?: string
  readonly redirects?: Partial<RedirectPolicy>
  /**
   * BITS's mask (A79): which checks of certificates are left out or added, and what becomes of redirects, for which
   * `redirects` counts where both are given.
   */
  readonly securityFlags?: number
  /** Servers need one of these public keys, each `sha256//BASE64`; an empty list: any will do. */
  readonly pinnedKeys?: readonly string[]
  readonly overwrite?: boolean
  readonly contentDisposition?: boolean
  readonly completesItself?: boolean
}

/** What a new job is made of. */
export interface CreateParams extends JobProperties {
  readonly displayName: string
  readonly type?: JobType
  readonly files?: readonly FileParams[]
  /** Whether it starts at once; otherwise it is SUSPENDED until `job.resume`. */
  readonly resume?: boolean
  /** As `job.setCredentials` sets them, so that the job has them before it first runs. */
  readonly credentials?: readonly CredentialParams[]
  /** As `job.setPreemptiveAuthentication` sets it. */
  readonly preemptiveAuthentication?: boolean
  /** As `job.setProxySettings` sets them. */
  readonly proxy?: ProxySettings
  /** As `job.setClientCertificate` sets it. */
  readonly certificate?: CertificateParams
}

/** What somebody wonders about; `url` or `id` is there. */
export interface ExamineParams {
  readonly url?: string
  /** As this job would ask. */
  readonly id?: JobId
  readonly credentials?: readonly CredentialParams[]
  /** As `job.setPreemptiveAuthentication` sets it. */
  readonly preemptiveAuthentication?: boolean
  readonly proxy?: ProxySettings
  /** As `job.setClientCertificate` sets it. */
  readonly certificate?: CertificateParams
  /** Full path of a PEM file of authorities that are trusted instead of the platform's. */
  readonly caFile?: string
  /** BITS's mask, as in a job (A79). */
  readonly securityFlags?: number
  readonly pinnedKeys?: readonly string[]
}

/** What an examination met. */
export type FindingView =
  | Exclude<Finding, { readonly kind: 'failure' }>
  | { readonly kind: 'failure'; readonly failure: FailureView }

/** One credential and where it may be used. Its texts are secrets and travel only over the local socket. */
export type CredentialParams = GivenPair

/** A client certificate: by its files, with what opens the key, or in a store. */
export type CertificateParams = GivenCertificate

/** Every method of the service. */
export interface Methods {
  'job.create': { params: CreateParams; result: JobView }
  'job.addFiles': { params: { id: JobId; files: readonly FileParams[] }; result: JobView }
  'job.set': { params: { id: JobId } & JobProperties; result: JobView }
  'job.resume': { params: { id: JobId }; result: JobView }
  'job.suspend': { params: { id: JobId }; result: JobView }
  /** Answers when every finished file has its name; `status` is `S_OK` or `BG_S_PARTIAL_COMPLETE`. */
  'job.complete': { params: { id: JobId }; result: CompleteResult }
  /** Answers when the partial files are gone; `status` is `S_OK` or `BG_S_UNABLE_TO_DELETE_FILES`. */
  'job.cancel': { params: { id: JobId }; result: CancelResult }
  /** `id` may be any unique beginning. Final jobs are found for as long as they are remembered. */
  'job.get': { params: { id: string }; result: JobView }
  'job.list': { params: ListParams; result: JobPage }
  'job.files': { params: { id: JobId; from?: number; limit?: number }; result: FilePage }
  /**
   * Sets one pair of target and scheme, in the place of what was set for it (A11, A12); only the owner may. No method
   * gives it back.
   */
  'job.setCredentials': { params: { id: JobId } & CredentialParams; result: null }
  /** `removed` is false when nothing was set for this pair (S_FALSE, A25). */
  'job.removeCredentials': {
    params: { id: JobId; target: AuthTarget; scheme: SchemeName }
    result: { readonly removed: boolean }
  }
  /** Which pairs are set, and nothing else of them (A17). */
  'job.listCredentials': { params: { id: JobId }; result: CredentialPairs }
  /**
   * Whether proxies may be told who is logged on without credentials that say so (A63): `null` for no. The server is
   * refused with BG_E_USE_STORED_CREDENTIALS_NOT_SUPPORTED.
   */
  'job.setUseStoredCredentials': { params: { id: JobId; target: AuthTarget | null }; result: null }
  'job.getUseStoredCredentials': {
    params: { id: JobId }
    result: { readonly target: 'proxy' | null }
  }
  /** Whether servers are told who is asking before they want to know (A86); proxies always ask. Only the owner may. */
  'job.setPreemptiveAuthentication': { params: { id: JobId; enabled: boolean }; result: null }
  'job.getPreemptiveAuthentication': {
    params: { id: JobId }
    result: { readonly enabled: boolean }
  }
  /** Lists and script are read when the job runs (N2). */
  'job.setProxySettings': { params: { id: JobId } & ProxySettings; result: null }
  'job.getProxySettings': { params: { id: JobId }; result: ProxySettings }
  /** Only the owner may (A75). */
  'job.setClientCertificate': { params: { id: JobId } & CertificateParams; result: null }
  /** Refused with RPC_X_BAD_STUB_DATA when none is set (A73); a passphrase is not given back. */
  'job.getClientCertificate': { params: { id: JobId }; result: ClientCertificate }
  'job.removeClientCertificate': { params: { id: JobId }; result: { readonly removed: boolean } }
  /** Another identity of this machine, until the service ends (A94); `flags` say what it is used for. */
  'job.setHelperToken': { params: { id: JobId; token: GivenToken }; result: null }
  /** Forgets the token and keeps the flags (A92). */
  'job.clearHelperToken': { params: { id: JobId }; result: null }
  /** 1: local files, 2: the network (A6). */
  'job.setHelperTokenFlags': { params: { id: JobId; flags: number }; result: null }
  'job.getHelperTokenFlags': { params: { id: JobId }; result: { readonly flags: number } }
  /** Who the helper is; `null` when there is no token (A92). */
  'job.getHelperTokenSid': { params: { id: JobId }; result: { readonly sid: string | null } }
  /** BITS_COST_STATE_* and BITS_COST_OPTION_*. */
  'job.setCostFlags': { params: { id: JobId; flags: number }; result: null }
  'job.getCostFlags': { params: { id: JobId }; result: { readonly flags: number } }
  /** BITS's mask of `securityFlags` and `redirects`. */
  'job.getSecurityFlags': { params: { id: JobId }; result: { readonly flags: number } }
  /**
   * Whether a program judges the certificate of every server before anything is sent there (A84). Each that nobody has
   * accepted stops the job in ERROR with BG_E_SERVER_CERT_VALIDATION_INTERFACE_REQUIRED; what was accepted before is
   * forgotten. Refused with BG_E_READ_ONLY_WHEN_JOB_ACTIVE unless the job is SUSPENDED, in ERROR or TRANSFERRED.
   */
  'job.setServerValidation': { params: { id: JobId; required: boolean }; result: null }
  /** What the server has shown that the job stopped at; `null` where it did not stop for that. */
  'job.getServerCertificate': {
    params: { id: JobId }
    result: { readonly shown: ShownServer | null }
  }
  /** Accepted, the job that stopped there goes on; otherwise it asks again after the retry delay. */
  'job.judgeServerCertificate': {
    params: { id: JobId; server: string; hash: string; accepted: boolean }
    result: null
  }
  /** Makes the caller the owner; credentials, certificate, headers and helper token are removed. Administrators only. */
  'job.takeOwnership': { params: { id: JobId }; result: JobView }
  /** Finds out how a URL is reached and what is asked for on the way, as a job would or with what is given. */
  'doctor.examine': { params: ExamineParams; result: { readonly findings: readonly FindingView[] } }
  /** Makes a new master key and seals every secret of the queue with it. Administrators and the service's own user. */
  'vault.rotate': { params: Record<string, never>; result: RotateResult }
  'service.status': { params: Record<string, never>; result: ServiceStatus }
  /** Answers, then ends the service with everything synced. */
  'service.stop': { params: Record<string, never>; result: null }
}

/** The name of a method. */
export type MethodName = keyof Methods

/** How `job.complete` ended. */
export interface CompleteResult {
  readonly job: JobView
  readonly status: 'S_OK' | 'BG_S_PARTIAL_COMPLETE'
}

/** How `job.cancel` ended. */
export interface CancelResult {
  readonly job: JobView
  readonly status: 'S_OK' | 'BG_S_UNABLE_TO_DELETE_FILES'
}

/** What credentials are set for. */
export interface CredentialPairs {
  readonly pairs: readonly { readonly target: AuthTarget; readonly scheme: SchemeName }[]
}

/** What a new master key came to. */
export interface RotateResult {
  /** Records that are sealed with the new key now. */
  readonly resealed: number
  /** Records that no key opens; they stay as they are. */
  readonly lost: number
}

/** Which jobs to list; in the order of creation. */
export interface ListParams {
  /** BITS's words; every state that is not final when absent. */
  readonly states?: readonly BitsState[]
  /** Jobs of every owner (BG_JOB_ENUM_ALL_USERS); needs an administrator. */
  readonly allUsers?: boolean
  /** The `next` of the page before. */
  readonly after?: number
  /** 1 to 10,000; 1,000 when absent. */
  readonly limit?: number
}

/** Jobs in the order of creation. */
export interface JobPage {
  readonly jobs: readonly JobView[]
  /** Give it as `after` for the next page; `null` on the last one. */
  readonly next: number | null
}

/** Files in their order. */
export interface FilePage {
  readonly files: readonly FileView[]
  /** Give it as `from` for the next page; `null` on the last one. */
  readonly next: number | null
}

/** The service, and what it knows of its machine. */
export interface ServiceStatus {
  readonly pid: number
  readonly version: string
  /** The folder that holds the queue. */
  readonly home: string
  /** Process ids of carriers that are processes; empty when carriers are threads. */
  readonly carriers: readonly number[]
  /** ISO 8601. */
  readonly started: string
  /** Jobs that are not final. */
  readonly jobs: number
  /** The same by their states. */
  readonly states: Readonly<Record<LiveState, number>>
  readonly network: NetworkView
  readonly masterKey: MasterKeyView
  readonly code: CodeView
  /** What the operating system offers beyond Node, and why not. */
  readonly native: Readonly<Record<string, string>>
}

/** States that a job can still leave. */
export type LiveState = Exclude<BitsState, 'ACKNOWLEDGED' | 'CANCELLED'>

/** The network as the service sees it. */
export interface NetworkView {
  /** Whether this machine has an address that reaches further than itself. */
  readonly isThere: boolean
  /** Names of BITS_COST_STATE: `unrestricted`, `roaming`; `null` while nobody needs to know, or nobody says. */
  readonly cost: readonly string[] | null
}

/** The key that secrets are sealed with. */
export interface MasterKeyView {
  /**
   * `ready`; `rotating`: older keys are kept until a rotation has ended; `lost`: there are secrets that no key opens;
   * `unavailable`: it cannot be used, and no secret with it.
   */
  readonly state: 'ready' | 'rotating' | 'lost' | 'unavailable'
  /** Why it is not ready, as a sentence. */
  readonly reason: string | null
}

/** The code that the service runs. */
export interface CodeView {
  /** `replaced`: other files lie there now than those that it began with, as after an upgrade. */
  readonly state: 'current' | 'replaced'
  /** Whether the service begins anew with them, right after this answer; otherwise it does once nothing is transferred. */
  readonly isRestarting: boolean
}

/** One event of `GET /events`, as Server-Sent Events: `event: KIND`, `data: JSON`. */
export type JobEventView =
  /** The job as it is now: first, once for each watched job, and after every change of state, property or files. */
  | { readonly kind: 'job'; readonly job: JobView }
  /** Bytes moved; at most a few per second and job. */
  | { readonly kind: 'progress'; readonly job: JobView }
  /** The job is not in the queue any more and was not remembered. */
  | { readonly kind: 'gone'; readonly id: JobId }

/** JSON-RPC error codes: the standard's own, and one for a refused call, whose `data` says the rest. */
export const rpcErrorCodes = {
  parseError: -32_700,
  invalidRequest: -32_600,
  methodNotFound: -32_601,
  invalidParams: -32_602,
  internalError: -32_603,
  refused: -32_000,
} as const

/** The `data` of an error response. */
export interface RpcErrorData {
  readonly hresult: string
  readonly symbol: string
  readonly context: ErrorContext
}
