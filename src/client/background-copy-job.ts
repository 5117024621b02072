/** One job, as programs handle it. */

import type { AuthTarget, SchemeName } from '../auth/auth.ts'
import type { CertificateLocation, ClientCertificate } from '../job/certificate.ts'
import type { GivenToken } from '../job/given-credentials.ts'
import type { Priority } from '../job/job.ts'
import type { BitsState } from '../job/moves.ts'
import { asCaller } from '../job/proxy-rules.ts'
import type { ProxySettings, ProxyUsage } from '../job/route.ts'
import type { RpcClient } from '../rpc/client.ts'
import type {
  FileParams,
  FileView,
  JobEventView,
  JobProperties,
  JobView,
  MethodName,
  Methods,
} from '../rpc/contract.ts'
import { call, translated } from './call.ts'
import { BackgroundCopyError, clientError, translate, unavailable } from './errors.ts'
import {
  certificateParams,
  credentialParams,
  type JobCertificate,
  type JobCredentialPair,
} from './given.ts'
import { currentWorld } from './home.ts'
import { ServerValidation, type ValidateServerCertificate } from './server-validation.ts'
import { addManyFiles } from './long-job.ts'

/** How far a job is (BG_JOB_PROGRESS); `bytesTotal` is `undefined` while the size of any file is unknown. */
export interface JobProgress {
  readonly bytesTotal: number | undefined
  readonly bytesTransferred: number
  readonly filesTotal: number
  readonly filesTransferred: number
}

/** Files per page. */
const PAGE = 1_000

/** One job (IBackgroundCopyJob). Every call asks the service; nothing is cached. */
export class BackgroundCopyJob {
  readonly #client: RpcClient
  /** The job's GUID. */
  readonly id: string

  constructor(client: RpcClient, id: string) {
    this.#client = client
    this.id = id
  }

  /** Adds a file: a URL, and the full path where it shall stand. */
  async addFile(
    remoteName: string,
    localName: string,
    options: Pick<FileParams, 'digests'> = {},
  ): Promise<void> {
    await this.addFileSet([{ remoteName, localName, ...options }])
  }

  /**
   * Adds several files with one commit; more than fit into one message (10,000, or 4 Mi characters of names) with several,
   * in their order: when one of those is refused, the ones before it stand.
   */
  async addFileSet(files: readonly FileParams[]): Promise<void> {
    try {
      await addManyFiles(this.#client, this.id, files)
    } catch (error) {
      throw translate(error)
    }
  }

  /** Starts the job, or tries it again at once. @throws {BackgroundCopyError} `BG_E_EMPTY`, `BG_E_INVALID_STATE` */
  async resume(): Promise<void> {
    await this.#call('job.resume', { id: this.id })
  }

  /** Pauses the job; what it has is kept. */
  async suspend(): Promise<void> {
    await this.#call('job.suspend', { id: this.id })
  }

  /**
   * Gives every transferred file its name and ends the job.
   *
   * @returns `BG_S_PARTIAL_COMPLETE` when files were left out
   */
  async complete(): Promise<'S_OK' | 'BG_S_PARTIAL_COMPLETE'> {
    return (await this.#call('job.complete', { id: this.id })).status
  }

  /** Ends the job and deletes what is there of it. */
  async cancel(): Promise<'S_OK' | 'BG_S_UNABLE_TO_DELETE_FILES'> {
    return (await this.#call('job.cancel', { id: this.id })).status
  }

  /** Everything there is to know at once. */
  getView(): Promise<JobView> {
    return this.#call('job.get', { id: this.id })
  }

  async getState(): Promise<BitsState> {
    return (await this.getView()).state
  }

  async getProgress(): Promise<JobProgress> {
    const { bytesTotal, bytesTransferred, filesTotal, filesTransferred } = await this.getView()
    return { bytesTotal: bytesTotal ?? undefined, bytesTransferred, filesTotal, filesTransferred }
  }

  /**
   * What the job failed with, in ERROR, TRANSIENT_ERROR, or TRANSFERRED after a Complete that could not rename.
   *
   * @throws {BackgroundCopyError} `BG_E_ERROR_INFORMATION_UNAVAILABLE` otherwise
   */
  async getError(): Promise<BackgroundCopyError> {
    const { error, state } = await this.getView()
    if (error !== null) return new BackgroundCopyError(error)
    throw clientError(
      'BG_E_ERROR_INFORMATION_UNAVAILABLE',
      'GENERAL_QUEUE_MANAGER',
      `Cannot tell an error of job ${this.id}: its state is ${state}`,
    )
  }

  /** The files, in their order. */
  async *enumFiles(): AsyncGenerator<FileView, void> {
    let from = 0
    for (;;) {
      const { files, next } = await this.#call('job.files', { id: this.id, from, limit: PAGE })
      yield* files
      if (next === null) return
      from = next
    }
  }

  /** Sets any properties with one commit. */
  async set(properties: JobProperties): Promise<void> {
    await this.#call('job.set', { id: this.id, ...properties })
  }

  setDisplayName(displayName: string): Promise<void> {
    return this.set({ displayName })
  }

  setDescription(description: string): Promise<void> {
    return this.set({ description })
  }

  setPriority(priority: Priority): Promise<void> {
    return this.set({ priority })
  }

  /** @param seconds below 5 is raised to 5 */
  setMinimumRetryDelay(seconds: number): Promise<void> {
    return this.set({ minimumRetryDelay: seconds })
  }

  /** @param seconds 0: the first transient failure is final */
  setNoProgressTimeout(seconds: number): Promise<void> {
    return this.set({ noProgressTimeout: seconds })
  }

  /** @param seconds of activity in all */
  setMaximumDownloadTime(seconds: number): Promise<void> {
    return this.set({ maximumDownloadTime: seconds })
  }

  /** Replaces the headers that are sent with every request. */
  setCustomHeaders(headers: readonly (readonly [name: string, value: string])[]): Promise<void> {
    return this.set({ headers })
  }

  /**
   * Sets what a server or proxy gets that asks for it with this scheme, in the place of what was set for it (A11, A12).
   * Set them before the first {@link resume}, or when the job stands in ERROR with `BG_E_HTTP_ERROR_401` or `407`: it
   * then goes on from the bytes it has (A140). Nothing gives them back (A17).
   *
   * @throws {BackgroundCopyError} `E_ACCESSDENIED` when the caller is not the owner (A18); `E_INVALIDARG` (A14, A15),
   *   `BG_E_USERNAME_TOO_LARGE`, `BG_E_PASSWORD_TOO_LARGE` (A16), `BG_E_INVALID_AUTH_TARGET`,
   *   `BG_E_INVALID_AUTH_SCHEME`, `BG_E_INVALID_CREDENTIALS` (A157)
   */
  async setCredentials(pair: JobCredentialPair): Promise<void> {
    await this.#call('job.setCredentials', { id: this.id, ...credentialParams(pair) })
  }

  /** Removes one pair (A25). @returns whether it was set */
  async removeCredentials(target: AuthTarget, scheme: SchemeName): Promise<boolean> {
    const { removed } = await this.#call('job.removeCredentials', { id: this.id, target, scheme })
    return removed
  }

  /** Which pairs are set; what they are is nobody's to read (A17). */
  async listCredentials(): Promise<readonly { target: AuthTarget; scheme: SchemeName }[]> {
    return (await this.#call('job.listCredentials', { id: this.id })).pairs
  }

  /**
   * Lets proxies be told who is logged on, or the helper, although no credentials say so
   * (BITS_JOB_PROPERTY_USE_STORED_CREDENTIALS, A63). Unlike implicit credentials for the proxy they do not serve the
   * server.
   *
   * @param target `undefined` takes it back
   * @throws {BackgroundCopyError} `BG_E_USE_STORED_CREDENTIALS_NOT_SUPPORTED` for the server
   */
  async setUseStoredCredentials(target: AuthTarget | undefined): Promise<void> {
    await this.#call('job.setUseStoredCredentials', { id: this.id, target: target ?? null })
  }

  async getUseStoredCredentials(): Promise<'proxy' | undefined> {
    return (await this.#call('job.getUseStoredCredentials', { id: this.id })).target ?? undefined
  }

  /**
   * Lets servers be told who is asking before they want to know: for those that let everybody in and then refuse the file
   * to who has not said who they are (A85). What was set for Basic, for a fixed Bearer token, or for Negotiate where
   * Kerberos answers goes out with the first request, to the job's own servers; the other schemes and all proxies wait
   * to be asked (A86, A387). Off unless it is set.
   *
   * @throws {BackgroundCopyError} `E_ACCESSDENIED` when the caller is not the owner
   */
  async setPreemptiveAuthentication(enabled: boolean): Promise<void> {
    await this.#call('job.setPreemptiveAuthentication', { id: this.id, enabled })
  }

  async getPreemptiveAuthentication(): Promise<boolean> {
    return (await this.#call('job.getPreemptiveAuthentication', { id: this.id })).enabled
  }

  /**
   * Sets which proxy the job goes through (N1). The lists are read when the job runs: what cannot be read ends it with
   * `BG_E_INVALID_PROXY_INFO` (N2). With `preconfig` the variables of this process count as the owner's (N40).
   *
   * @param list with `override`: proxies (`http=proxy:8080 https=proxy:8080`)
   * @param bypass with `override`: hosts that are reached without them (`*.corp.example <local>`)
   * @throws {BackgroundCopyError} `E_INVALIDARG`, `E_NOTIMPL`, `BG_E_PROXY_LIST_TOO_LARGE`,
   *   `BG_E_PROXY_BYPASS_LIST_TOO_LARGE`
   */
  async setProxySettings(usage: ProxyUsage, list?: string, bypass?: string): Promise<void> {
    const settings: ProxySettings = {
      usage,
      ...(list === undefined ? {} : { list }),
      ...(bypass === undefined ? {} : { bypass }),
    }
    const meant = asCaller(settings, currentWorld().env)
    await this.#call('job.setProxySettings', { id: this.id, ...meant })
  }

  /** Lets a script choose the proxy for each URL. @param script the URL of a PAC file: `http:`, `https:` or `file:` */
  async setProxyScript(script: string): Promise<void> {
    await this.#call('job.setProxySettings', { id: this.id, usage: 'override', script })
  }

  getProxySettings(): Promise<ProxySettings> {
    return this.#call('job.getProxySettings', { id: this.id })
  }

  /** Sets what a server gets that asks for a certificate (A70): files, or one of a store. */
  async setClientCertificate(certificate: JobCertificate): Promise<void> {
    await this.#call('job.setClientCertificate', {
      id: this.id,
      ...certificateParams(certificate),
    })
  }

  /**
   * The certificate of a store by its SHA-1 (A71).
   *
   * @param hash 20 bytes, or 40 hexadecimal digits
   * @throws {BackgroundCopyError} `RPC_X_BAD_STUB_DATA` for another length, `E_NOTIMPL` for another location
   */
  setClientCertificateByID(
    location: CertificateLocation,
    store: string,
    hash: Uint8Array | string,
  ): Promise<void> {
    const digits = typeof hash === 'string' ? hash : Buffer.from(hash).toString('hex')
    return this.setClientCertificate({ location, store, hash: digits })
  }

  /** The first certificate of a store whose subject holds this name (A72). */
  setClientCertificateByName(
    location: CertificateLocation,
    store: string,
    name: string,
  ): Promise<void> {
    return this.setClientCertificate({ location, store, name })
  }

  /** How the certificate is named (A74). @throws {BackgroundCopyError} `RPC_X_BAD_STUB_DATA` when none is set */
  getClientCertificate(): Promise<ClientCertificate> {
    return this.#call('job.getClientCertificate', { id: this.id })
  }

  /** @returns whether one was set */
  async removeClientCertificate(): Promise<boolean> {
    return (await this.#call('job.removeClientCertificate', { id: this.id })).removed
  }

  /** Gives the job another identity of this machine, which the flags put to use (A90 to A96). */
  async setHelperToken(token: GivenToken): Promise<void> {
    await this.#call('job.setHelperToken', { id: this.id, token })
  }

  /** Forgets the token; the flags stay (A92). */
  async clearHelperToken(): Promise<void> {
    await this.#call('job.clearHelperToken', { id: this.id })
  }

  /** @param flags 1 for local files, 2 for the network (A6) */
  async setHelperTokenFlags(flags: number): Promise<void> {
    await this.#call('job.setHelperTokenFlags', { id: this.id, flags })
  }

  async getHelperTokenFlags(): Promise<number> {
    return (await this.#call('job.getHelperTokenFlags', { id: this.id })).flags
  }

  /** Who the helper is: a principal, or a cache of tickets; `undefined` when there is no token (A92). */
  async getHelperTokenSid(): Promise<string | undefined> {
    return (await this.#call('job.getHelperTokenSid', { id: this.id })).sid ?? undefined
  }

  /** Sets over which networks the job may go. @param flags of `costStates`, or one of `transferPolicies` */
  async setCostFlags(flags: number): Promise<void> {
    await this.#call('job.setCostFlags', { id: this.id, flags })
  }

  async getCostFlags(): Promise<number> {
    return (await this.#call('job.getCostFlags', { id: this.id })).flags
  }

  /**
   * Sets how servers are checked and what becomes of redirects (IBackgroundCopyJobHttpOptions, A79). A job that has
   * its turn begins a new one with them.
   *
   * @param flags of `securityFlags`; 0 checks everything but revocation, and follows redirects
   * @throws {BackgroundCopyError} `E_NOTIMPL` for bits that mean nothing, and for two redirect policies at once
   */
  setSecurityFlags(flags: number): Promise<void> {
    return this.set({ securityFlags: flags })
  }

  async getSecurityFlags(): Promise<number> {
    return (await this.#call('job.getSecurityFlags', { id: this.id })).flags
  }

  /**
   * Has a program look at the certificate of every server, after all other checks and before anything is sent there
   * (IBackgroundCopyJobHttpOptions3, A84). What it accepts is remembered for the job; what it rejects is asked again
   * after the retry delay. While nobody judges, as after this program has ended, a job that meets a server that was not
   * accepted stops in ERROR with `BG_E_SERVER_CERT_VALIDATION_INTERFACE_REQUIRED`, and goes on when somebody does again.
   *
   * @returns who judges; dispose of it to stop judging
   * @throws {BackgroundCopyError} `BG_E_READ_ONLY_WHEN_JOB_ACTIVE` unless the job is SUSPENDED, in ERROR or TRANSFERRED;
   *   `E_ACCESSDENIED` when the caller is not the owner
   */
  async setServerCertificateValidation(
    validate: ValidateServerCertificate,
  ): Promise<ServerValidation> {
    await this.#call('job.setServerValidation', { id: this.id, required: true })
    return new ServerValidation(this.#client, this.id, validate, (signal) => this.watch({ signal }))
  }

  /** Lets every server be that passes the other checks. @throws as {@link setServerCertificateValidation} */
  async removeServerCertificateValidation(): Promise<void> {
    await this.#call('job.setServerValidation', { id: this.id, required: false })
  }

  /**
   * Makes the caller the owner. Credentials, certificate, headers and helper token are removed (A19).
   *
   * @throws {BackgroundCopyError} `E_ACCESSDENIED` when the caller is no administrator
   */
  async takeOwnership(): Promise<void> {
    await this.#call('job.takeOwnership', { id: this.id })
  }

  /**
   * Follows the job: first as it is, then every change; ends when it is final. ERROR is not: another {@link resume}
   * lets the job go on, so that whoever does not wait for one looks for that state.
   *
   * @throws {BackgroundCopyError} `RPC_S_SERVER_UNAVAILABLE` when the service ends meanwhile; the job goes on with the
   *   next one
   */
  async *watch({ signal }: { readonly signal?: AbortSignal } = {}): AsyncGenerator<
    JobEventView,
    void
  > {
    const controller = new AbortController()
    const either =
      signal === undefined ? controller.signal : AbortSignal.any([signal, controller.signal])
    try {
      for await (const event of translated(this.#client.watch([this.id], { signal: either }))) {
        yield event
        if (event.kind === 'gone' || finalStates.has(event.job.state)) return
      }
    } finally {
      controller.abort()
    }
    signal?.throwIfAborted()
    throw unavailable(`Cannot follow job ${this.id}: the service was stopped`)
  }

  #call<Name extends MethodName>(
    method: Name,
    params: Methods[Name]['params'],
  ): Promise<Methods[Name]['result']> {
    return call(this.#client, method, params)
  }
}

const finalStates: ReadonlySet<BitsState> = new Set<BitsState>(['ACKNOWLEDGED', 'CANCELLED'])
