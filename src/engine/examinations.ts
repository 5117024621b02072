/** Questions about the way to a URL, and the carriers that find the answers. */

import { encodeCredentials } from '../auth/credential-record.ts'
import { wipeCredentials, type CredentialPair } from '../auth/credentials.ts'
import { takeCertificate, type GivenCertificate } from '../job/certificate.ts'
import { isFailure, JobError, type Failure } from '../job/failure.ts'
import type { Finding } from '../job/finding.ts'
import { takeLogin, takePair, type GivenPair } from '../job/given-credentials.ts'
import {
  defaultTransfer,
  type Job,
  type JobId,
  type Owner,
  type TransferOptions,
} from '../job/job.ts'
import { isFinal } from '../job/moves.ts'
import { readRemoteName } from '../job/names.ts'
import { checkPinnedKeys } from '../job/pinned-keys.ts'
import { checkProxySettings } from '../job/proxy-rules.ts'
import type { ProxySettings } from '../job/route.ts'
import { readSecurityFlags } from '../job/security-flags.ts'
import { findJob, invalidState, type Caller } from './access.ts'
import type { Core } from './core.ts'
import { identityOf } from './identity.ts'
import type { CertificateOrder, ExamineOrder, PairOrder, Report } from './order.ts'

/** How long nothing may come. */
const STALL_MS = 30_000

/** What somebody wonders about. */
export interface Question {
  /** http or https; absent: the file that the job failed with, else its first. */
  readonly url?: string
  /** As this job would ask. */
  readonly id?: JobId
  readonly credentials?: readonly GivenPair[]
  /** As {@link Job.provesUnasked}. */
  readonly provesUnasked?: boolean
  readonly proxy?: ProxySettings
  readonly certificate?: GivenCertificate
  /** PEM file of the authorities that are trusted instead of the platform's. */
  readonly caFile?: string
  /** BITS's mask (A79). */
  readonly securityFlags?: number
  readonly pinnedKeys?: readonly string[]
}

/** What is asked for. */
interface Subject {
  readonly job?: Job
  /** Without user information. */
  readonly url: string
  /** The name and password of the URL, as `auth/credential-record` writes them; secret. */
  readonly urlCredentials?: Uint8Array
}

/** What an order says besides its name. */
type Wording = Omit<ExamineOrder, 'kind' | 'examination'>

/** Examinations under way. Nothing of them outlives the service. */
export class Examinations {
  readonly #core: Core
  readonly #waiting = new Map<string, (findings: readonly Finding[]) => void>()
  #count = 0

  constructor(core: Core) {
    this.#core = core
  }

  /**
   * Has a carrier find out how a URL is reached and what is asked for on the way: as a job would, or as nobody's job
   * with what is given.
   *
   * @returns what was met; empty when the carrier is gone before it knew
   * @throws {JobError} as `findJob`, `readRemoteName`, `takePair`, `checkProxySettings`, `takeCertificate`,
   *   `CertificateStores.find`, `readSecurityFlags` and `checkPinnedKeys`; `E_INVALIDARG` when there is no URL,
   *   `E_ACCESSDENIED` for the job of somebody else, `BG_E_INVALID_STATE` for a final job
   */
  examine(caller: Caller, question: Question): Promise<readonly Finding[]> {
    const { promise, resolve } = Promise.withResolvers<readonly Finding[]>()
    this.#core.commit(() => {
      const order = this.#word(caller, question)
      if (isFailure(order)) resolve([{ kind: 'failure', failure: order }])
      else this.#begin(caller.owner, order, resolve)
    })
    return promise
  }

  #word(caller: Caller, question: Question): Wording | Failure {
    const { job, url, urlCredentials } = this.#subject(caller, question)
    const { proxy = job?.proxy } = question
    if (question.proxy !== undefined) checkProxySettings(question.proxy)
    const given = question.credentials?.map((pair) => takePair(pair)) ?? []
    const certificate = this.#certificate(caller.owner, question)
    const identity = job === undefined ? undefined : identityOf(job, this.#core)
    if (identity !== undefined && isFailure(identity)) return identity
    const pairs = [...(identity?.pairs ?? []).filter(unlessIn(given)), ...given.map(pairOrder)]
    return {
      url,
      transfer: transferOf(job, question),
      stallTimeoutMs: STALL_MS,
      identity: {
        usesStoredForProxy: false,
        ...identity,
        pairs,
        settings: this.#core.settings.auth,
        ...(question.provesUnasked === undefined ? {} : { provesUnasked: question.provesUnasked }),
        ...(certificate === undefined ? {} : { certificate }),
      },
      ...(urlCredentials === undefined ? {} : { urlCredentials }),
      ...(proxy === undefined ? {} : { proxy }),
    }
  }

  #subject(caller: Caller, { url, id }: Question): Subject {
    const job = id === undefined ? {} : { job: this.#job(caller, id) }
    if (url !== undefined) return { ...job, ...this.#named(url) }
    if (job.job !== undefined) {
      const subject = this.#file(job.job)
      if (subject !== undefined) return subject
    }
    throw new JobError('E_INVALIDARG', 'Cannot examine nothing: there is neither a URL nor a file')
  }

  #job(caller: Caller, id: JobId): Job {
    const job = findJob(this.#core, caller, id)
    if (job.owner.id !== caller.owner.id) {
      const sentence = `Cannot examine as job ${job.id} asks: only its owner ${job.owner.name} may`
      throw new JobError('E_ACCESSDENIED', sentence)
    }
    // What it asked with went with it (A13).
    if (isFinal(job.state.kind)) throw invalidState(job, 'examine')
    return job
  }

  /** A URL that was given, and what stood in it (A45). */
  #named(text: string): Subject {
    const { remoteName, login } = readRemoteName(text)
    if (login === undefined) return { url: remoteName }
    if (this.#core.settings.refusesUrlCredentials) {
      const sentence = `Cannot examine ${remoteName}: a name or password in the URL is not allowed here; give credentials instead`
      throw new JobError('E_INVALIDARG', sentence)
    }
    const credentials = takeLogin(login)
    const urlCredentials = encodeCredentials(credentials)
    wipeCredentials(credentials)
    this.#core.wipeOnFailure(urlCredentials)
    return { url: remoteName, urlCredentials }
  }

  /** What the job fails with tells which of its files somebody wonders about. */
  #file(job: Job): Subject | undefined {
    const ordinal = 'failure' in job.state ? (job.state.failure.file ?? 0) : 0
    const file = this.#core.store.findFile(job.id, ordinal)
    if (file === undefined) return undefined
    const logins = this.#core.secrets.openLogins(job, [file])
    const urlCredentials = isFailure(logins) ? undefined : logins.get(ordinal)
    const url = file.askedName ?? file.remoteName
    return { job, url, ...(urlCredentials === undefined ? {} : { urlCredentials }) }
  }

  #certificate(owner: Owner, { certificate: given }: Question): CertificateOrder | undefined {
    if (given === undefined) return undefined
    const { certificate, passphrase } = takeCertificate(given)
    const files = this.#core.world.certificates.find(owner, certificate)
    return passphrase === undefined ? files : { ...files, passphrase }
  }

  #begin(owner: Owner, order: Wording, resolve: (findings: readonly Finding[]) => void): void {
    const examination = `examination ${++this.#count}`
    this.#core.afterwards(() => {
      this.#waiting.set(examination, resolve)
      this.#core.world.carriers.send(owner, { ...order, kind: 'examine', examination })
    })
  }

  examined({ examination, findings }: Extract<Report, { kind: 'examined' }>): void {
    this.#waiting.get(examination)?.(findings)
    this.#waiting.delete(examination)
  }

  /** The carrier is gone. */
  lost(): void {
    for (const resolve of this.#waiting.values()) resolve([])
    this.#waiting.clear()
  }
}

/** As the job asks, but for its headers, which may be secrets. */
function transferOf(job: Job | undefined, question: Question): TransferOptions {
  const { redirects, caFile: own, securityFlags: flags, validation, pinnedKeys: pins } = job?.transfer ?? defaultTransfer // prettier-ignore
  const { caFile = own, securityFlags, pinnedKeys = pins } = question
  checkPinnedKeys(pinnedKeys ?? [])
  const checks =
    securityFlags === undefined
      ? { redirects, ...(flags === undefined ? {} : { securityFlags: flags }) }
      : readSecurityFlags(securityFlags)
  return {
    headers: [],
    overwrite: false,
    contentDisposition: false,
    ...checks,
    // What the job has to prove is for servers that were accepted.
    ...(validation === undefined ? {} : { validation }),
    ...(caFile === undefined ? {} : { caFile }),
    ...(pinnedKeys === undefined ? {} : { pinnedKeys }),
  }
}

function pairOrder({ target, scheme, credentials }: CredentialPair): PairOrder {
  const encoded = encodeCredentials(credentials)
  wipeCredentials(credentials)
  return { target, scheme, credentials: encoded }
}

/** What is given counts instead of what the job has. */
function unlessIn(given: readonly CredentialPair[]): (pair: PairOrder) => boolean {
  return ({ target, scheme }) =>
    !given.some((pair) => pair.target === target && pair.scheme === scheme)
}
