/** As whom the files of a turn are asked for: made of an order, wiped when the turn is over. */

import { decodeCredentials } from '../auth/credential-record.ts'
import { wipeCredentials, type CredentialPair, type Credentials } from '../auth/credentials.ts'
import { FirstTrials } from '../auth/first-trials.ts'
import type { Mechanisms } from '../auth/mechanism.ts'
import type { AuthWorld } from '../auth/scheme.ts'
import { defaultAuthSettings, type AuthSettings } from '../auth/settings.ts'
import type { Wallet } from '../auth/wallet.ts'
import type { IdentityOrder } from '../engine/order.ts'
import { Identity, type IdentityOptions } from '../http/identity.ts'
import { nodeHashes } from '../http/node-hashes.ts'
import { LocalNtlm } from './local-ntlm.ts'
import { isServiceAccount } from './service-account.ts'
import { systemClock } from './system-clock.ts'
import { systemRandom } from './system-random.ts'
import { WitnessedMechanisms } from './witnessed-mechanisms.ts'

/** Who hears of identities. */
export interface IdentityListeners extends Pick<IdentityOptions, 'witness' | 'warn'> {
  /** Hears of each identity that is gone: its connections are nobody's. */
  readonly closed: (identity: Identity) => void
}

/**
 * The identities of one turn: one for all files, and one more for every name and password that stands in a URL (A42).
 * A job that has nothing to prove has none, and pays nothing for it.
 */
export class Identities {
  readonly #order: IdentityOrder | undefined
  readonly #world: AuthWorld
  readonly #pairs: readonly CredentialPair[]
  readonly #byUrlCredentials = new Map<string, Identity>()
  readonly #urlCredentials: Credentials[] = []
  readonly #listeners: IdentityListeners
  /** All identities of a turn have the same passwords but one. */
  readonly #trials = { server: new FirstTrials(), proxy: new FirstTrials() }
  readonly #helper: Credentials | undefined
  #common: Identity | undefined

  /** @param order its secrets are wiped: what is needed of them was copied */
  constructor(
    order: IdentityOrder | undefined,
    mechanisms: Mechanisms,
    listeners: IdentityListeners,
  ) {
    this.#order = order
    this.#listeners = listeners
    // What they fail with is told to whoever looks at the job, and no name that was set may be (A17).
    const nameless = new WitnessedMechanisms(mechanisms, () => undefined)
    this.#world = worldOf(nameless, order?.settings ?? defaultAuthSettings)
    this.#pairs = (order?.pairs ?? []).map(({ target, scheme, credentials }) => ({
      target,
      scheme,
      credentials: takeCredentials(credentials),
    }))
    this.#helper = order?.helper === undefined ? undefined : takeCredentials(order.helper)
  }

  /**
   * As whom a file is asked for; `undefined` as nobody.
   *
   * @param urlCredentials of the file's URL, if it has any; wiped
   */
  of(urlCredentials: Uint8Array | undefined): Identity | undefined {
    if (urlCredentials !== undefined) return this.#withUrl(urlCredentials)
    return this.#hasAnything ? this.#ofAll : undefined
  }

  /** As {@link of}, but as somebody also where there is nothing to prove: who can say why not. */
  ofSomebody(urlCredentials: Uint8Array | undefined): Identity {
    return this.of(urlCredentials) ?? this.#ofAll
  }

  get #ofAll(): Identity {
    this.#common ??= this.#make(this.#wallet)
    return this.#common
  }

  #make(wallet: Wallet): Identity {
    const { closed: _, ...listeners } = this.#listeners
    const isUnasked = this.#order?.provesUnasked ?? false
    const trials = this.#trials
    return new Identity({ wallet, world: this.#world, isUnasked, trials, ...listeners })
  }

  /** Whether anything is set, or known of who is logged on, that a peer could refuse: a password, a token. */
  get hasPasswords(): boolean {
    if (this.#world.mechanisms.unavailable('ntlm') === undefined) return true
    const given = [...this.#pairs.map(({ credentials }) => credentials), ...this.#urlCredentials]
    return given.some(({ kind }) => kind === 'password' || kind === 'bearer' || kind === 'client')
  }

  /** Wipes everything; no file of the turn is on its way any more. May be called twice. */
  close(): void {
    for (const identity of [...this.#byUrlCredentials.values(), this.#common]) {
      if (identity === undefined) continue
      identity.close()
      this.#listeners.closed(identity)
    }
    this.#byUrlCredentials.clear()
    for (const { credentials } of this.#pairs) wipeCredentials(credentials)
    if (this.#helper !== undefined) wipeCredentials(this.#helper)
    for (const credentials of this.#urlCredentials) wipeCredentials(credentials)
    this.#order?.certificate?.passphrase?.fill(0)
  }

  get #hasAnything(): boolean {
    const { settings } = this.#world
    const usesStored = this.#order?.usesStoredForProxy === true
    return this.#pairs.length > 0 || usesStored || settings.useLmCompat !== 2
  }

  get #wallet(): Wallet {
    const usesStoredForProxy = this.#order?.usesStoredForProxy ?? false
    const helper = this.#helper === undefined ? {} : { helper: this.#helper }
    return {
      pairs: this.#pairs,
      usesStoredForProxy,
      isServiceAccount: isServiceAccount(),
      ...helper,
    }
  }

  #withUrl(record: Uint8Array): Identity | undefined {
    // Thousands of files come with one and the same name and password.
    const key = Buffer.from(nodeHashes.hash('sha-256', record)).toString('latin1')
    const known = this.#byUrlCredentials.get(key)
    const credentials = takeCredentials(record)
    if (known !== undefined || credentials.kind !== 'password') {
      wipeCredentials(credentials)
      return known
    }
    this.#urlCredentials.push(credentials)
    const wallet = { ...this.#wallet, urlCredentials: credentials }
    const identity = this.#make(wallet)
    this.#byUrlCredentials.set(key, identity)
    return identity
  }
}

/** Who is logged on, for servers that the administrator lets know it (A61). Holds no secret. */
export function whoIsLoggedOn(mechanisms: Mechanisms, settings: AuthSettings): Identity {
  const pairs = (['negotiate', 'ntlm'] as const).map((scheme) => ({
    target: 'server' as const,
    scheme,
    credentials: { kind: 'implicit' as const },
  }))
  return new Identity({ wallet: { pairs }, world: worldOf(mechanisms, settings) })
}

function worldOf(platform: Mechanisms, settings: AuthSettings): AuthWorld {
  const world = { hashes: nodeHashes, random: systemRandom, clock: systemClock, settings }
  return { ...world, mechanisms: new LocalNtlm(platform, world) }
}

/** Reads a record and wipes it. */
function takeCredentials(record: Uint8Array): Credentials {
  try {
    return decodeCredentials(record)
  } finally {
    record.fill(0)
  }
}
