/**
 * What jobs keep sealed: each secret is sealed in the breath in which it comes, and opened in the breath in which an
 * order carries it away. Between the two nothing of it is in memory.
 */

import type { AuthTarget, SchemeName } from '../auth/auth.ts'
import { encodeCredentials } from '../auth/credential-record.ts'
import type { CredentialPair, Credentials } from '../auth/credentials.ts'
import { assert } from '../base/error.ts'
import { failure, type Failure } from '../job/failure.ts'
import { authSchemes, authTargets } from '../job/given-credentials.ts'
import type { Headers, Job, JobFile } from '../job/job.ts'
import type { Core } from './core.ts'
import type { PairOrder } from './order.ts'
import { clearHeaders, type JobSecret } from './ports/job-store.ts'
import { VaultError, fileTarget, jobTarget, type SealContext } from './ports/vault.ts'

/** The rest of a secret's context beside its job. */
export type SecretName = Pick<SealContext, 'target' | 'scheme'>

/** What is sealed besides credentials, whose names are their target and scheme. */
export const secretNames = {
  /** The custom headers: a JSON list of pairs, UTF-8. */
  headers: { target: jobTarget, scheme: 'headers' },
  /** What opens the key of the client certificate, UTF-8. */
  passphrase: { target: jobTarget, scheme: 'passphrase' },
} as const satisfies Readonly<Record<string, SecretName>>

/** The secrets of a job in the clear; they belong to whoever asked for them. */
export interface OpenedSecrets {
  readonly headers: Headers
  readonly pairs: readonly PairOrder[]
  readonly passphrase?: Uint8Array
}

/** One target and scheme. */
export interface PairName {
  readonly target: AuthTarget
  readonly scheme: SchemeName
}

/** The name and password that stood in the URL of a file. */
export interface FileLogin {
  readonly ordinal: number
  readonly credentials: Credentials
}

/** Whose a secret is. */
type Holder = Pick<Job, 'id' | 'owner'>

/** How many secrets in clear one commit seals. */
const CLEAR_AT_ONCE = 500

/** How long after a secret was removed its last traces are. */
const SCRUB_AFTER_MS = 1_000

/** Secrets of the jobs in the queue. */
export class Secrets {
  readonly #core: Core
  #scrubAlarm: Disposable | undefined

  constructor(core: Core) {
    this.#core = core
  }

  /**
   * Seals secrets and keeps them, each in the place of the one with its name; within a commit. Wipes them.
   *
   * @throws {VaultError} when the vault is not available
   */
  save(job: Holder, secrets: readonly (SecretName & { readonly bytes: Uint8Array })[]): void {
    if (secrets.length === 0) return
    try {
      const sealed = secrets.map(({ bytes, ...name }): JobSecret => {
        return { ...name, sealed: this.#core.world.vault.seal(contextOf(job, name), bytes) }
      })
      this.#core.store.saveSecrets(job.id, sealed)
      this.#scrubLater()
    } finally {
      for (const { bytes } of secrets) bytes.fill(0)
    }
  }

  /** Seals credentials, which stay the caller's, and keeps them; within a commit. @throws {VaultError} as {@link save} */
  savePairs(job: Holder, pairs: readonly CredentialPair[]): void {
    const secrets = pairs.map(({ target, scheme, credentials }) => {
      return { target, scheme, bytes: encodeCredentials(credentials) }
    })
    this.save(job, secrets)
  }

  /** Seals the logins of files, which stay the caller's; within a commit. @throws {VaultError} as {@link save} */
  saveLogins(job: Holder, logins: readonly FileLogin[]): void {
    const secrets = logins.map(({ ordinal, credentials }) => {
      return { ...loginName(ordinal), bytes: encodeCredentials(credentials) }
    })
    this.save(job, secrets)
  }

  /** Keeps headers in the place of those that there are; none to keep none; within a commit. @throws as {@link save} */
  saveHeaders(job: Holder, headers: Headers): void {
    this.remove(job, clearHeaders)
    if (headers.length === 0) this.remove(job, secretNames.headers)
    else this.save(job, [{ ...secretNames.headers, bytes: encodeHeaders(headers) }])
  }

  /** Keeps what opens the key of the certificate, or that nothing does; wipes it; within a commit. @throws as {@link save} */
  savePassphrase(job: Holder, bytes: Uint8Array | undefined): void {
    if (bytes === undefined) this.remove(job, secretNames.passphrase)
    else this.save(job, [{ ...secretNames.passphrase, bytes }])
  }

  /** Forgets one secret, or all of a job; within a commit. Tells whether there was any. */
  remove(job: Holder, name?: SecretName): boolean {
    const query = name && { target: name.target, from: name.scheme, to: name.scheme }
    const were = this.#core.store.removeSecrets(job.id, query)
    if (were) this.#scrubLater()
    return were
  }

  /** Which credentials are set. */
  pairs(job: Holder): readonly PairName[] {
    return this.#core.store.secrets(job.id).flatMap((secret) => pairName(secret) ?? [])
  }

  /**
   * Opens what a turn of the job needs; within a commit, which wipes it when it fails.
   *
   * @returns why the job cannot go on when something of it does not open: only its owner can help (A130)
   */
  open(job: Job): OpenedSecrets | Failure {
    const pairs: PairOrder[] = []
    const single = new Map<string, Uint8Array>()
    try {
      for (const secret of this.#core.store.secrets(job.id)) {
        const name = pairName(secret)
        const bytes = this.#open(job, secret)
        if (name === undefined) single.set(secret.scheme, bytes)
        else pairs.push({ ...name, credentials: bytes })
      }
    } catch (error) {
      if (error instanceof VaultError) return this.#unusable(job, error)
      throw error
    }
    const passphrase = single.get(secretNames.passphrase.scheme)
    const headers = single.get(secretNames.headers.scheme) ?? single.get(clearHeaders.scheme)
    return {
      pairs,
      headers: headers === undefined ? [] : takeHeaders(headers),
      ...(passphrase === undefined ? {} : { passphrase }),
    }
  }

  /**
   * Opens the names and passwords in the URLs of some files of a job, which are in their order; within a commit.
   *
   * @returns by ordinal, as `auth/credential-record` writes them
   */
  openLogins(job: Job, files: readonly JobFile[]): ReadonlyMap<number, Uint8Array> | Failure {
    const logins = new Map<number, Uint8Array>()
    const [first, last] = [files[0], files.at(-1)]
    if (job.hasUrlCredentials !== true || first === undefined || last === undefined) return logins
    const range = { from: loginName(first.ordinal).scheme, to: loginName(last.ordinal).scheme }
    for (const secret of this.#core.store.secrets(job.id, { target: fileTarget, ...range })) {
      const file = Number(secret.scheme)
      try {
        logins.set(file, this.#open(job, secret))
      } catch (error) {
        if (error instanceof VaultError) return { ...this.#unusable(job, error), file }
        throw error
      }
    }
    return logins
  }

  /** Forgets the logins of files that no key opens any more: others were set in their place. Within a commit. */
  removeLostLogins(job: Job): void {
    for (const secret of this.#core.store.secrets(job.id, { target: fileTarget })) {
      try {
        this.#open(job, secret).fill(0)
      } catch (error) {
        if (!(error instanceof VaultError) || error.code !== 'ERR_VAULT_KEY_LOST') throw error
        this.remove(job, secret)
      }
    }
  }

  /** Seals what an older version kept in clear; what does not work now is tried with the next start. */
  sealClear(): void {
    try {
      while (this.#sealSome() > 0);
      this.scrub()
    } catch (error) {
      if (!(error instanceof VaultError)) throw error
      this.#core.world.log.write('error', 'Headers of jobs lie in the queue in clear', {
        code: error.code,
        reason: error.message,
      })
    }
  }

  #sealSome(): number {
    const { store } = this.#core
    const clear = store.clearSecrets(CLEAR_AT_ONCE)
    this.#core.commit(() => {
      for (const { context, sealed } of clear) {
        const job = store.find(context.jobId)
        if (job === undefined) continue
        this.save(job, [{ ...secretNames.headers, bytes: sealed.slice() }])
        this.remove(job, clearHeaders)
      }
    })
    return clear.length
  }

  /** Scrubs now what would be scrubbed later. */
  scrub(): void {
    if (this.#scrubAlarm !== undefined) this.#scrub()
  }

  #open(job: Job, { sealed, ...name }: JobSecret): Uint8Array {
    const bytes =
      name.scheme === clearHeaders.scheme
        ? sealed.slice()
        : this.#core.world.vault.open(contextOf(job, name), sealed)
    this.#core.wipeOnFailure(bytes)
    return bytes
  }

  #unusable(job: Job, error: VaultError): Failure {
    this.#core.world.log.write('error', 'A secret of a job cannot be used', {
      job: job.id,
      code: error.code,
      sentence: error.message,
    })
    return failure('BG_E_INVALID_CREDENTIALS', 'GENERAL_QUEUE_MANAGER', error.message)
  }

  /** Removed secrets lie in the log for a moment: many removals cost one scrubbing. */
  #scrubLater(): void {
    this.#core.afterwards(() => {
      this.#scrubAlarm ??= this.#core.clock.alarm(SCRUB_AFTER_MS, () => this.#scrub())
    })
  }

  #scrub(): void {
    this.#scrubAlarm?.[Symbol.dispose]()
    this.#scrubAlarm = undefined
    try {
      this.#core.store.scrub()
    } catch (error) {
      // A disk that is full now will not be for ever, and closing the queue scrubs it, too.
      this.#core.world.log.write('warn', 'Removed secrets could not be scrubbed from the queue', {
        reason: error instanceof Error ? error.message : String(error),
      })
    }
  }
}

/** The name of the login that stood in the URL of a file; ordered as files are. */
export function loginName(ordinal: number): SecretName {
  return { target: fileTarget, scheme: String(ordinal).padStart(ORDINAL_DIGITS, '0') }
}

/** Digits of the highest ordinal that a job could ever have. */
const ORDINAL_DIGITS = 10

/** Headers as bytes. */
export function encodeHeaders(headers: Headers): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(headers))
}

/** Reads headers from bytes that we wrote, and wipes them. */
function takeHeaders(bytes: Uint8Array): Headers {
  const headers: unknown = JSON.parse(new TextDecoder().decode(bytes))
  bytes.fill(0)
  assert(Array.isArray(headers), 'headers are kept as a list')
  // The vault vouches for it, or the queue of an older version: it is what was checked when it came.
  return headers as Headers
}

function contextOf({ id, owner }: Holder, { target, scheme }: SecretName): SealContext {
  return { jobId: id, ownerId: owner.id, target, scheme }
}

/** The name of a credential; `undefined` for every other secret. */
function pairName(name: SecretName): PairName | undefined {
  const target = authTargets.find((word) => word === name.target)
  const scheme = authSchemes.find((word) => word === name.scheme)
  return target === undefined || scheme === undefined ? undefined : { target, scheme }
}
