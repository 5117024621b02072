/** What clients may ask for: checked, applied, committed. */

import { assert } from '../base/error.ts'
import { wipeCredentials } from '../auth/credentials.ts'
import { JobError } from '../job/failure.ts'
import { takeCertificate, type GivenCertificate } from '../job/certificate.ts'
import { takeLogin, takePair, type GivenPair } from '../job/given-credentials.ts'
import type { HresultSymbol } from '../job/hresult.ts'
import {
  defaultPatience,
  defaultTransfer,
  type ExpectedDigest,
  type Job,
  type JobFile,
  type JobId,
  type JobType,
  type Owner,
  type Tally,
} from '../job/job.ts'
import { isActive, isFinal } from '../job/moves.ts'
import { checkLocalName, readRemoteName, type PathStyle } from '../job/names.ts'
import { checkProxySettings, withoutProxyLogins } from '../job/proxy-rules.ts'
import type { ProxySettings } from '../job/route.ts'
import { transition } from '../job/transition.ts'
import { checkOwner, findChangeable, findJob, invalidState, type Caller } from './access.ts'
import { checkChanges, isCheckedAlike, withChanges, type JobChanges } from './changes.ts'
import type { Core } from './core.ts'
import type { Housekeeping, Outcome } from './housekeeping.ts'
import type { FileQuery, JobQuery, NewFile } from './ports/job-store.ts'
import type { FileLogin } from './secrets.ts'

/** A file to add. */
export type NewFileRequest = Omit<NewFile, 'ordinal' | 'digests'> & {
  readonly digests?: readonly ExpectedDigest[]
}

/** A new job. */
export interface JobRequest extends JobChanges {
  readonly displayName: string
  readonly type?: JobType
  readonly files?: readonly NewFileRequest[]
  readonly resume?: boolean
  readonly credentials?: readonly GivenPair[]
  readonly provesUnasked?: boolean
  readonly proxy?: ProxySettings
  readonly certificate?: GivenCertificate
}

/** New files, and the names and passwords that stood in their URLs: those are the caller's, who wipes them. */
interface CheckedFiles {
  readonly files: readonly NewFile[]
  readonly logins: readonly FileLogin[]
}

/** The calls of clients. */
export class Commands {
  readonly #core: Core
  readonly #housekeeping: Housekeeping
  readonly #pathStyle: PathStyle

  constructor(core: Core, housekeeping: Housekeeping, pathStyle: PathStyle) {
    this.#core = core
    this.#housekeeping = housekeeping
    this.#pathStyle = pathStyle
  }

  /**
   * Makes a job with everything it is given, in one commit; the secrets in `request` stay the caller's.
   *
   * @throws {JobError} as `checkChanges`, `readRemoteName`, `checkLocalName`, `takePair`, `checkProxySettings`,
   *   `takeCertificate` and `CertificateStores.find`; `E_NOTIMPL` for uploads, and BITS's codes for too many jobs or
   *   files
   */
  create(caller: Caller, request: JobRequest): Job {
    if (request.type !== undefined && request.type !== 'download') {
      throw new JobError(
        'E_NOTIMPL',
        `Cannot create a job of type ${request.type}: only downloads are known`,
      )
    }
    checkChanges(request)
    this.#checkLimits(caller)
    const { files, logins } = this.#checkFiles(caller, request.files ?? [], 0)
    const { fields, passphrase, pairs } = this.#takeIdentity(caller, request)
    const insert = (): Job => {
      const now = this.#core.clock.now()
      const tally = { ...emptyTally, filesTotal: files.length }
      const turn = this.#core.store.nextTurn()
      const blankJob = { ...blank(this.#newId(), caller.owner, request, now), tally, turn }
      const draft: Job = {
        ...withChanges(blankJob, request),
        ...fields,
        ...marks(logins),
        sequence: 0,
      }
      const ready = request.resume === true ? transition(draft, { kind: 'resume' }, now) : draft
      const job = this.#core.store.insert(ready)
      if (files.length > 0) this.#core.store.insertFiles(job.id, files)
      this.#core.secrets.savePairs(job, pairs)
      this.#core.secrets.saveLogins(job, logins)
      this.#core.secrets.saveHeaders(job, request.transfer?.headers ?? [])
      this.#core.secrets.savePassphrase(job, passphrase)
      this.#core.announce(job)
      return job
    }
    try {
      return this.#core.commit(insert)
    } finally {
      for (const { credentials } of [...pairs, ...logins]) wipeCredentials(credentials)
      passphrase?.fill(0)
    }
  }

  addFiles(caller: Caller, id: JobId, requests: readonly NewFileRequest[]): Job {
    const before = findChangeable(this.#core, caller, id)
    const { files, logins } = this.#checkFiles(caller, requests, before.tally.filesTotal)
    const insert = (): Job => {
      this.#core.store.insertFiles(before.id, files)
      this.#core.secrets.saveLogins(before, logins)
      const filesTotal = before.tally.filesTotal + files.length
      const job = {
        ...before,
        ...marks(logins),
        tally: { ...before.tally, filesTotal },
        modified: this.#core.clock.now(),
      }
      this.#core.save(job)
      return job
    }
    try {
      return this.#core.commit(insert)
    } finally {
      for (const { credentials } of logins) wipeCredentials(credentials)
    }
  }

  change(caller: Caller, id: JobId, changes: JobChanges): Job {
    checkChanges(changes)
    const job = findChangeable(this.#core, caller, id)
    const headers = changes.transfer?.headers
    if (headers !== undefined) checkOwner(caller, job, 'the headers')
    return this.#core.commit(() => {
      if (headers !== undefined) this.#core.secrets.saveHeaders(job, headers)
      // What is under way was checked in another way (bits-jobs.md §14.2).
      const isOther = !isCheckedAlike(job.transfer, { ...job.transfer, ...changes.transfer })
      const before = isOther ? this.#core.renewTurn(job) : job
      const changed = { ...withChanges(before, changes), modified: this.#core.clock.now() }
      this.#core.save(changed)
      return changed
    })
  }

  resume(caller: Caller, id: JobId): Job {
    const job = findJob(this.#core, caller, id)
    return this.#core.commit(() => {
      const turn = this.#core.turns.get(job.id)
      const resumed = this.#core.apply(notCompleting(job), { kind: 'resume' })
      if (turn !== undefined && isActive(resumed.state.kind)) {
        const limitMs = job.patience.maximumDownloadTimeS * 1000
        this.#core.afterwards(() => {
          turn.deadline = this.#core.clock.monotonic() + limitMs
        })
      }
      return resumed
    })
  }

  suspend(caller: Caller, id: JobId): Job {
    const job = findJob(this.#core, caller, id)
    return this.#core.commit(() => {
      this.#core.stopTurn(job.id)
      return this.#core.apply(job, { kind: 'suspend' })
    })
  }

  /**
   * Resolves when every finished file has its name.
   *
   * @throws {JobError} as `findJob`; `BG_E_INVALID_STATE` for a final job, and for one that is cancelled meanwhile
   */
  async complete(caller: Caller, id: JobId): Promise<Outcome> {
    const job = findJob(this.#core, caller, id)
    if (isFinal(job.state.kind)) throw invalidState(job, 'complete')
    const done = this.#housekeeping.whenDone(job.id)
    this.#core.commit(() => {
      this.#core.stopTurn(job.id)
      const still = this.#core.apply(job, { kind: 'suspend' })
      const intended: Job = { ...still, pending: 'complete' }
      this.#core.save(intended)
      this.#housekeeping.advance(intended)
    })
    const outcome = await done
    // Somebody cancelled meanwhile: files that had no name yet are gone.
    if (outcome.job.state.kind === 'cancelled') throw invalidState(outcome.job, 'complete')
    return outcome
  }

  /**
   * Resolves when the partial files are gone.
   *
   * @throws {JobError} as `findJob`; `BG_E_INVALID_STATE` for a final job
   */
  async cancel(caller: Caller, id: JobId): Promise<Outcome> {
    const job = findJob(this.#core, caller, id)
    if (isFinal(job.state.kind)) throw invalidState(job, 'cancel')
    const done = this.#housekeeping.whenDone(job.id)
    this.#core.commit(() => {
      this.#core.stopTurn(job.id)
      this.#housekeeping.advance(this.#core.apply(job, { kind: 'cancel' }))
    })
    return done
  }

  get(caller: Caller, idOrPrefix: string): Job {
    return findJob(this.#core, caller, idOrPrefix)
  }

  /** @throws {JobError} `E_ACCESSDENIED` for jobs of others when the caller is no administrator */
  list(caller: Caller, query: JobQuery): readonly Job[] {
    if (query.owner !== caller.owner.id && !caller.administrator) {
      throw new JobError(
        'E_ACCESSDENIED',
        "Cannot list other users' jobs: this needs an administrator",
      )
    }
    return this.#core.store.page(query)
  }

  files(caller: Caller, id: JobId, query: FileQuery): readonly JobFile[] {
    return this.#core.store.files(findJob(this.#core, caller, id).id, query)
  }

  /** As whom, and which way, a new job asks. The secrets are the caller's. */
  #takeIdentity(caller: Caller, request: JobRequest) {
    const { proxy, certificate: given, credentials, provesUnasked = false } = request
    if (proxy !== undefined) checkProxySettings(proxy)
    const { certificate, passphrase } = given === undefined ? {} : takeCertificate(given)
    if (certificate !== undefined && !('certificateFile' in certificate)) {
      this.#core.world.certificates.find(caller.owner, certificate)
    }
    return {
      fields: {
        ...(proxy === undefined ? {} : { proxy: withoutProxyLogins(proxy) }),
        ...(certificate === undefined ? {} : { certificate }),
        ...(provesUnasked ? { provesUnasked } : {}),
      },
      passphrase,
      pairs: (credentials ?? []).map(takePair),
    }
  }

  #checkLimits({ owner, administrator }: Caller): void {
    const { limits } = this.#core.settings
    if (administrator) return
    const { jobsPerMachine, jobsPerUser } = limits
    if (jobsPerMachine !== undefined && this.#core.store.count() >= jobsPerMachine) {
      throw tooManyJobs('BG_E_TOO_MANY_JOBS_PER_MACHINE', jobsPerMachine)
    }
    if (jobsPerUser !== undefined && this.#core.store.count(owner.id) >= jobsPerUser) {
      throw tooManyJobs('BG_E_TOO_MANY_JOBS_PER_USER', jobsPerUser)
    }
  }

  #checkFiles(caller: Caller, requests: readonly NewFileRequest[], from: number): CheckedFiles {
    const { filesPerJob } = this.#core.settings.limits
    if (
      filesPerJob !== undefined &&
      !caller.administrator &&
      from + requests.length > filesPerJob
    ) {
      throw new JobError(
        'BG_E_TOO_MANY_FILES_IN_JOB',
        `Cannot add ${requests.length} files: the job would have ${from + requests.length}, ${filesPerJob} are allowed`,
      )
    }
    const targets = new Set<string>()
    const logins: FileLogin[] = []
    const files = requests.map(({ remoteName: name, localName, digests }, index): NewFile => {
      const { remoteName, login } = readRemoteName(name)
      if (login !== undefined) this.#checkLoginsAllowed(remoteName)
      checkLocalName(localName, this.#pathStyle)
      if (targets.has(localName)) {
        throw new JobError('E_INVALIDARG', `Cannot save two files of one job to ${localName}`, {
          context: 'LOCAL_FILE',
        })
      }
      targets.add(localName)
      const ordinal = from + index
      if (login !== undefined) logins.push({ ordinal, credentials: takeLogin(login) })
      return { ordinal, remoteName, localName, digests: digests ?? [] }
    })
    return { files, logins }
  }

  #checkLoginsAllowed(remoteName: string): void {
    if (!this.#core.settings.refusesUrlCredentials) return
    throw new JobError(
      'E_INVALIDARG',
      `Cannot add ${remoteName}: a name or password in the URL is not allowed here; set credentials instead`,
      { context: 'REMOTE_FILE' },
    )
  }

  /** A random GUID (RFC 9562 §5.4). */
  #newId(): JobId {
    const bytes = this.#core.world.random.bytes(16)
    const hex = [...bytes]
      .map((byte, index) => {
        if (index === 6) return (byte & 0x0f) | 0x40
        return index === 8 ? (byte & 0x3f) | 0x80 : byte
      })
      .map((byte) => byte.toString(16).padStart(2, '0'))
      .join('')
    assert(hex.length === 32, 'a GUID has 16 bytes')
    return [
      hex.slice(0, 8),
      hex.slice(8, 12),
      hex.slice(12, 16),
      hex.slice(16, 20),
      hex.slice(20),
    ].join('-')
  }
}

/** What a job says of the logins of its files. */
function marks(logins: readonly FileLogin[]): Pick<Job, 'hasUrlCredentials'> {
  return logins.length === 0 ? {} : { hasUrlCredentials: true }
}

function tooManyJobs(symbol: HresultSymbol, limit: number): JobError {
  return new JobError(
    symbol,
    `Cannot create another job: there are ${limit} already, the most that is allowed`,
  )
}

/** What is being completed cannot be taken back: files may have their names already. */
function notCompleting(job: Job): Job {
  if (job.pending !== 'complete') return job
  throw new JobError('BG_E_INVALID_STATE', `Cannot resume job ${job.id}: it is being completed`)
}

const emptyTally: Tally = {
  filesTotal: 0,
  filesTransferred: 0,
  filesSized: 0,
  bytesSized: 0,
  bytesTransferred: 0,
}

function blank(id: JobId, owner: Owner, request: JobRequest, now: number): Omit<Job, 'sequence'> {
  return {
    id,
    owner,
    type: request.type ?? 'download',
    displayName: request.displayName,
    description: '',
    priority: 'normal',
    state: { kind: 'suspended' },
    patience: defaultPatience,
    transfer: defaultTransfer,
    completesItself: false,
    created: now,
    modified: now,
    tally: emptyTally,
    errorCount: 0,
    attempts: 0,
    noProgressMs: 0,
    bytesBest: 0,
    touched: false,
    activeMs: 0,
    turn: 0,
  }
}
