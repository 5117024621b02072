/**
 * What jobs keep sealed: each secret is sealed in the breath in which it comes, and opened in the breath in which an
 * order carries it away. Between the two nothing of it is in memory.
 */

import type { AuthTarget, SchemeName } from '../auth/auth.ts'
import { encodeCredentials } from '../auth/credential-record.ts'
import type { CredentialPair } from '../auth/credentials.ts'
import { failure, type Failure } from '../job/failure.ts'
import { authSchemes, authTargets } from '../job/given-credentials.ts'
import type { Job } from '../job/job.ts'
import type { Core } from './core.ts'
import type { PairOrder } from './order.ts'
import type { JobSecret } from './ports/job-store.ts'
import { VaultError, type SealContext } from './ports/vault.ts'

/** The rest of a secret's context beside its job. */
export type SecretName = Pick<SealContext, 'target' | 'scheme'>

/** What is sealed besides credentials, whose names are their target and scheme. */
export const secretNames = {
  /** What opens the key of the client certificate, UTF-8. */
  passphrase: { target: 'job', scheme: 'passphrase' },
} as const satisfies Readonly<Record<string, SecretName>>

/** The secrets of a job in the clear; they belong to whoever asked for them. */
export interface OpenedSecrets {
  readonly pairs: readonly PairOrder[]
  readonly passphrase?: Uint8Array
}

/** One target and scheme. */
export interface PairName {
  readonly target: AuthTarget
  readonly scheme: SchemeName
}

/** Whose a secret is. */
type Holder = Pick<Job, 'id' | 'owner'>

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
    try {
      const sealed = secrets.map(({ bytes, ...name }): JobSecret => {
        return { ...name, sealed: this.#core.world.vault.seal(contextOf(job, name), bytes) }
      })
      if (sealed.length > 0) this.#core.store.saveSecrets(job.id, sealed)
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
    return { pairs, ...(passphrase === undefined ? {} : { passphrase }) }
  }

  /** Nothing more is scrubbed by itself; what is left is scrubbed now. */
  stop(): void {
    if (this.#scrubAlarm !== undefined) this.#scrub()
  }

  #open(job: Job, { sealed, ...name }: JobSecret): Uint8Array {
    const bytes = this.#core.world.vault.open(contextOf(job, name), sealed)
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

function contextOf({ id, owner }: Holder, { target, scheme }: SecretName): SealContext {
  return { jobId: id, ownerId: owner.id, target, scheme }
}

/** The name of a credential; `undefined` for every other secret. */
function pairName(name: SecretName): PairName | undefined {
  const target = authTargets.find((word) => word === name.target)
  const scheme = authSchemes.find((word) => word === name.scheme)
  return target === undefined || scheme === undefined ? undefined : { target, scheme }
}
