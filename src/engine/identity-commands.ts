/** What clients may ask about as whom, and which way, a job asks. */

import type { AuthTarget } from '../auth/auth.ts'
import { wipeCredentials } from '../auth/credentials.ts'
import {
  takeCertificate,
  type ClientCertificate,
  type GivenCertificate,
} from '../job/certificate.ts'
import { JobError } from '../job/failure.ts'
import { takePair, takeToken, type GivenPair, type GivenToken } from '../job/given-credentials.ts'
import { checkHelperTokenFlags } from '../job/helper-token.ts'
import type { Job, JobId } from '../job/job.ts'
import { checkCostFlags } from '../job/cost.ts'
import { checkProxySettings, withoutProxyLogins } from '../job/proxy-rules.ts'
import { defaultProxySettings, type ProxySettings } from '../job/route.ts'
import { writeSecurityFlags } from '../job/security-flags.ts'
import { findChangeable, findJob, findOwned, type Caller } from './access.ts'
import type { Core } from './core.ts'
import type { PairName } from './secrets.ts'

/** The calls about identities. A change reaches a job that is being transferred with a new turn. */
export class IdentityCommands {
  readonly #core: Core

  constructor(core: Core) {
    this.#core = core
  }

  /**
   * Sets the credentials of one pair of target and scheme, in the place of what was set for it (A11, A12).
   *
   * @throws {JobError} `E_ACCESSDENIED` when the caller is not the owner (A18), `BG_E_INVALID_STATE`, and as `takePair`
   * @throws {VaultError} when the vault is not available
   */
  setCredentials(caller: Caller, id: JobId, given: GivenPair): void {
    const job = findOwned(this.#core, caller, id, 'the credentials')
    const pair = takePair(given)
    try {
      this.#core.commit(() => {
        this.#core.secrets.savePairs(job, [pair])
        if (pair.target === 'server' && needsCredentials(job)) {
          this.#core.secrets.removeLostLogins(job)
        }
        this.#core.renewTurn(job)
      })
    } finally {
      wipeCredentials(pair.credentials)
    }
  }

  /**
   * Forgets the credentials of one pair.
   *
   * @returns whether there were any (A25)
   * @throws {JobError} `E_ACCESSDENIED`, `BG_E_INVALID_STATE`
   */
  removeCredentials(caller: Caller, id: JobId, { target, scheme }: PairName): boolean {
    const job = findOwned(this.#core, caller, id, 'the credentials')
    return this.#core.commit(() => {
      const were = this.#core.secrets.remove(job, { target, scheme })
      if (were) this.#core.renewTurn(job)
      return were
    })
  }

  /** Which pairs are set, and nothing else of them (A17). @throws {JobError} as `findJob` */
  credentials(caller: Caller, id: JobId): readonly PairName[] {
    return this.#core.secrets.pairs(findJob(this.#core, caller, id))
  }

  /**
   * Says whether proxies may be told who is logged on, without serving the server as implicit credentials for the proxy
   * do (A51, A63).
   *
   * @param target whose challenges are answered like that; `undefined`: nobody's
   * @throws {JobError} `BG_E_USE_STORED_CREDENTIALS_NOT_SUPPORTED` for the server, `E_ACCESSDENIED` when the caller is
   *   not the owner, `BG_E_INVALID_STATE`
   */
  setUseStoredCredentials(caller: Caller, id: JobId, target: AuthTarget | undefined): void {
    if (target === 'server') {
      throw new JobError(
        'BG_E_USE_STORED_CREDENTIALS_NOT_SUPPORTED',
        'Cannot use stored credentials for the server: only a proxy gets them',
      )
    }
    const job = findOwned(this.#core, caller, id, 'the use of stored credentials')
    const usesStoredForProxy = target === 'proxy'
    this.#change(job, (before) => ({ ...before, usesStoredForProxy }))
  }

  /** Whose challenges are answered with who is logged on (A63). @throws {JobError} as `findJob` */
  useStoredCredentials(caller: Caller, id: JobId): 'proxy' | undefined {
    const { usesStoredForProxy = false } = findJob(this.#core, caller, id)
    return usesStoredForProxy ? 'proxy' : undefined
  }

  /**
   * Says whether servers are told who is asking before they want to know: for those that let everybody in and then
   * refuse the file (A85, A86).
   *
   * @throws {JobError} `E_ACCESSDENIED` when the caller is not the owner, `BG_E_INVALID_STATE`
   */
  setPreemptiveAuthentication(caller: Caller, id: JobId, provesUnasked: boolean): void {
    const job = findOwned(this.#core, caller, id, 'the authentication')
    this.#change(job, (before) => ({ ...before, provesUnasked }))
  }

  /** @throws {JobError} as `findJob` */
  preemptiveAuthentication(caller: Caller, id: JobId): boolean {
    return findJob(this.#core, caller, id).provesUnasked ?? false
  }

  /** @throws {JobError} `BG_E_INVALID_STATE`, and as `checkProxySettings` */
  setProxySettings(caller: Caller, id: JobId, proxy: ProxySettings): void {
    checkProxySettings(proxy)
    const kept = withoutProxyLogins(proxy)
    this.#change(findChangeable(this.#core, caller, id), (job) => ({ ...job, proxy: kept }))
  }

  /** @throws {JobError} as `findJob` */
  proxySettings(caller: Caller, id: JobId): ProxySettings {
    return findJob(this.#core, caller, id).proxy ?? defaultProxySettings
  }

  /**
   * Sets the client certificate, in the place of what was set (A70).
   *
   * @throws {JobError} `E_ACCESSDENIED` when the caller is not the owner (A75), `BG_E_INVALID_STATE`, as
   *   `takeCertificate`, and as {@link CertificateStores.find}
   * @throws {VaultError} when there is a passphrase and the vault is not available
   */
  setCertificate(caller: Caller, id: JobId, given: GivenCertificate): void {
    const job = findOwned(this.#core, caller, id, 'the client certificate')
    const { certificate, passphrase } = takeCertificate(given)
    if (!('certificateFile' in certificate))
      this.#core.world.certificates.find(job.owner, certificate)
    this.#core.commit(() => {
      this.#core.secrets.savePassphrase(job, passphrase)
      this.#change(job, (before) => ({ ...before, certificate }))
    })
  }

  /** How the certificate is named (A74). @throws {JobError} `RPC_X_BAD_STUB_DATA` when none is set, as `findJob` */
  certificate(caller: Caller, id: JobId): ClientCertificate {
    const job = findJob(this.#core, caller, id)
    if (job.certificate !== undefined) return job.certificate
    throw new JobError(
      'RPC_X_BAD_STUB_DATA',
      `Cannot tell the certificate of job ${job.id}: none is set`,
    )
  }

  /** @returns whether one was set @throws {JobError} `E_ACCESSDENIED` (A75), `BG_E_INVALID_STATE` */
  removeCertificate(caller: Caller, id: JobId): boolean {
    const job = findOwned(this.#core, caller, id, 'the client certificate')
    if (job.certificate === undefined) return false
    this.#core.commit(() => {
      this.#core.secrets.savePassphrase(job, undefined)
      this.#change(job, withoutCertificate)
    })
    return true
  }

  /**
   * Lends a job another identity of this machine, until the service ends; nothing of it is written down (A94, A97).
   *
   * @throws {JobError} `E_ACCESSDENIED` when the caller is not the owner (A93), `BG_E_INVALID_STATE`, as `takeToken`
   */
  setHelperToken(caller: Caller, id: JobId, given: GivenToken): void {
    const job = findOwned(this.#core, caller, id, 'the helper token')
    const token = takeToken(given)
    this.#core.commit(() => {
      this.#core.afterwards(() => this.#core.helpers.set(job.id, token))
      this.#core.renewTurn(job)
    })
  }

  /** Takes it back; the flags stay (A92). @throws {JobError} as {@link setHelperToken} */
  clearHelperToken(caller: Caller, id: JobId): void {
    const job = findOwned(this.#core, caller, id, 'the helper token')
    this.#core.commit(() => {
      this.#core.afterwards(() => this.#core.helpers.delete(job.id))
      this.#core.renewTurn(job)
    })
  }

  /** @throws {JobError} `E_INVALIDARG` for flags that mean nothing, and as {@link setHelperToken} */
  setHelperTokenFlags(caller: Caller, id: JobId, helperFlags: number): void {
    checkHelperTokenFlags(helperFlags)
    const job = findOwned(this.#core, caller, id, 'the helper token')
    this.#change(job, (before) => ({ ...before, helperFlags }))
  }

  /** @throws {JobError} as `findJob` */
  helperTokenFlags(caller: Caller, id: JobId): number {
    return findJob(this.#core, caller, id).helperFlags ?? 0
  }

  /**
   * Who the helper is (GetHelperTokenSid, A92): the principal, or the cache of tickets where no principal was named.
   *
   * @returns `undefined` when there is no token
   * @throws {JobError} as `findJob`
   */
  helperTokenSid(caller: Caller, id: JobId): string | undefined {
    const token = this.#core.helpers.get(findJob(this.#core, caller, id).id)
    return token?.principal ?? (token?.kind === 'tickets' ? token.cache : undefined)
  }

  /**
   * Says on which networks a job may be transferred; true at once, also of one that is being transferred.
   *
   * @param costFlags a set of `costStates`, with the options of BITS
   * @throws {JobError} `E_INVALIDARG`, `BG_E_INVALID_STATE`, and as `findJob`
   */
  setCostFlags(caller: Caller, id: JobId, costFlags: number): void {
    checkCostFlags(costFlags)
    const job = findChangeable(this.#core, caller, id)
    this.#core.commit(() => {
      this.#core.save({ ...job, costFlags, modified: this.#core.clock.now() })
    })
  }

  /** What was set, else the operator's policy for its priority. @throws {JobError} as `findJob` */
  costFlags(caller: Caller, id: JobId): number {
    return this.#core.network.flagsOf(findJob(this.#core, caller, id))
  }

  /** BITS's mask: how servers are checked, and what becomes of redirects (A79). @throws {JobError} as `findJob` */
  securityFlags(caller: Caller, id: JobId): number {
    return writeSecurityFlags(findJob(this.#core, caller, id).transfer)
  }

  /**
   * Makes the caller the owner. What the job could prove or was told to say as its old owner is removed: credentials,
   * certificate, headers, helper token (A19, bits-jobs.md §24.2).
   *
   * @throws {JobError} `E_ACCESSDENIED` when the caller is no administrator, `BG_E_INVALID_STATE`
   */
  takeOwnership(caller: Caller, id: JobId): Job {
    const job = findChangeable(this.#core, caller, id)
    if (!caller.administrator) {
      throw new JobError('E_ACCESSDENIED', `Cannot take job ${job.id}: this needs an administrator`)
    }
    if (job.owner.id === caller.owner.id) return job
    return this.#core.commit(() => {
      this.#core.forgetIdentity(job)
      return this.#change(job, (before) => ({
        ...withoutCertificate(before),
        owner: caller.owner,
        hasUrlCredentials: false,
        usesStoredForProxy: false,
        provesUnasked: false,
      }))
    })
  }

  /** Saves what a change makes of a job; one that has its turn begins a new one. */
  #change(job: Job, change: (before: Job) => Job): Job {
    return this.#core.commit(() => {
      const after = { ...change(this.#core.renewTurn(job)), modified: this.#core.clock.now() }
      this.#core.save(after)
      return after
    })
  }
}

/** Whether a job stands still because secrets of it are lost. */
function needsCredentials({ state, hasUrlCredentials = false }: Job): boolean {
  return (
    hasUrlCredentials &&
    state.kind === 'error' &&
    state.failure.symbol === 'BG_E_INVALID_CREDENTIALS'
  )
}

function withoutCertificate(job: Job): Job {
  const { certificate: _, ...rest } = job
  return rest
}
