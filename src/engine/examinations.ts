/** Questions about the way to a URL, and the carriers that find the answers. */

import { encodeCredentials } from '../auth/credential-record.ts'
import { wipeCredentials, type CredentialPair } from '../auth/credentials.ts'
import { JobError } from '../job/failure.ts'
import type { Finding } from '../job/finding.ts'
import { takePair, type GivenPair } from '../job/given-credentials.ts'
import {
  defaultTransfer,
  type Job,
  type JobId,
  type Owner,
  type TransferOptions,
} from '../job/job.ts'
import { checkProxySettings } from '../job/proxy-rules.ts'
import type { ProxySettings } from '../job/route.ts'
import { findOwned, type Caller } from './access.ts'
import type { Core } from './core.ts'
import { identityOf } from './identity.ts'
import type { ExamineOrder, PairOrder, Report } from './order.ts'

/** How long nothing may come. */
const STALL_MS = 30_000

/** What somebody wonders about. */
export interface Question {
  /** http or https; absent: the first file of the job. */
  readonly url?: string
  /** As this job would ask. */
  readonly id?: JobId
  readonly credentials?: readonly GivenPair[]
  readonly proxy?: ProxySettings
  /** PEM file of the authorities that are trusted instead of the platform's. */
  readonly caFile?: string
}

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
   * @throws {JobError} as `findOwned`, `takePair` and `checkProxySettings`; `E_INVALIDARG` when there is no URL
   * @throws {VaultError} when what a job keeps sealed cannot be opened
   */
  examine(caller: Caller, question: Question): Promise<readonly Finding[]> {
    const { job, url } = this.#subject(caller, question)
    const given = question.credentials?.map((pair) => takePair(pair)) ?? []
    if (question.proxy !== undefined) checkProxySettings(question.proxy)
    return this.#core.commit(() => {
      const identity = job === undefined ? undefined : identityOf(job, this.#core)
      if (identity !== undefined && 'hresult' in identity) {
        return Promise.resolve([{ kind: 'failure', failure: identity } as const])
      }
      const pairs = [...(identity?.pairs ?? []).filter(unlessIn(given)), ...given.map(pairOrder)]
      const proxy = question.proxy ?? job?.proxy
      return this.#begin(caller.owner, {
        url,
        transfer: transferOf(job, question.caFile),
        stallTimeoutMs: STALL_MS,
        identity: {
          usesStoredForProxy: false,
          ...identity,
          pairs,
          settings: this.#core.settings.auth,
        },
        ...(proxy === undefined ? {} : { proxy }),
      })
    })
  }

  #subject(
    caller: Caller,
    { url, id }: Question,
  ): { readonly job?: Job | undefined; readonly url: string } {
    const job =
      id === undefined ? undefined : findOwned(this.#core, caller, id, 'what it is asked as')
    const named = url ?? (job && this.#core.store.findFile(job.id, 0)?.remoteName)
    if (named !== undefined) return { job, url: named }
    throw new JobError('E_INVALIDARG', 'Cannot examine nothing: there is neither a URL nor a file')
  }

  #begin(
    owner: Owner,
    order: Omit<ExamineOrder, 'kind' | 'examination'>,
  ): Promise<readonly Finding[]> {
    const { promise, resolve } = Promise.withResolvers<readonly Finding[]>()
    const examination = `examination ${++this.#count}`
    this.#waiting.set(examination, resolve)
    this.#core.afterwards(() => {
      this.#core.world.carriers.send(owner, { ...order, kind: 'examine', examination })
    })
    return promise
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
function transferOf(job: Job | undefined, caFile: string | undefined): TransferOptions {
  const { redirects, caFile: own } = job?.transfer ?? defaultTransfer
  const trusted = caFile ?? own
  return {
    headers: [],
    redirects,
    overwrite: false,
    contentDisposition: false,
    ...(trusted === undefined ? {} : { caFile: trusted }),
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
