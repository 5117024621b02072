/** As whom a caller asks: answers the challenges of servers and proxies, each peer apart from all others. */

import type { AuthTarget } from '../auth/auth.ts'
import { Authenticator, type AuthenticatorOptions } from '../auth/authenticator.ts'
import type { PasswordCredentials } from '../auth/credentials.ts'
import type { Witnessed } from '../auth/exchange.ts'
import { FirstTrials } from '../auth/first-trials.ts'
import type { ReadableProof } from '../auth/peer-memory.ts'
import type { AuthWorld } from '../auth/scheme.ts'
import type { Wallet } from '../auth/wallet.ts'
import { describeProxy, type Proxy } from '../job/route.ts'
import type { Target } from './target.ts'
import { LoginTrial } from './tunnel/login-trial.ts'

/** What an identity is made of. */
export interface IdentityOptions {
  /** Its secrets stay their owner's, who wipes them after the identity was closed. */
  readonly wallet: Wallet
  readonly world: AuthWorld
  /** Whether to prove to servers before they ask (A86); proxies always ask (A387). */
  readonly isUnasked?: boolean
  /** Who tries what for the first time, where other identities have the same credentials. */
  readonly trials?: Readonly<Record<AuthTarget, FirstTrials>>
  /** Hears what each response that asks for proof meant. Must not throw. */
  readonly witness?: (witnessed: Witnessed) => void
  /** Is warned before a password or token is shown to everybody on the way (A183). Must not throw. */
  readonly warn?: (readable: ReadableProof) => void
}

/** How many there have been. */
let made = 0

/**
 * Everything one job may prove, and what its peers have said to that.
 *
 * Connections that were authenticated belong to it and to no other (A360): its {@link principal} is part of what a
 * connection is leased for.
 */
export class Identity implements Disposable {
  /** Unlike that of every other identity. */
  readonly principal = `identity ${++made}`
  readonly #options: IdentityOptions & Pick<Required<IdentityOptions>, 'trials'>
  /** Whether servers are answered as by somebody who has nothing to prove: their challenges are answers like others. */
  readonly isForProxiesOnly: boolean
  readonly #authenticators = new Map<string, Authenticator>()
  readonly #loginTrials = new Map<string, LoginTrial>()
  #forProxies: Identity | undefined

  constructor(options: IdentityOptions, isForProxiesOnly = false) {
    const { trials = { server: new FirstTrials(), proxy: new FirstTrials() } } = options
    this.#options = { ...options, trials }
    this.isForProxiesOnly = isForProxiesOnly
  }

  /** Whether anything is set for servers. */
  get hasForServers(): boolean {
    const { pairs, urlCredentials } = this.#options.wallet
    const isSet = urlCredentials !== undefined || pairs.some(({ target }) => target === 'server')
    return isSet && !this.isForProxiesOnly
  }

  /**
   * Who answers a server.
   *
   * @param isForeign whether a redirect led here from the origin that the job named (A380)
   */
  server({ scheme, authority }: Target, isForeign: boolean): Authenticator {
    const origin = `${scheme}://${authority}`
    return this.#known(`${isForeign ? 'foreign' : 'own'} ${origin}`, () => ({
      target: 'server',
      peer: new URL(origin),
      isForeign,
    }))
  }

  /** Who answers a proxy. */
  proxy(proxy: Proxy): Authenticator {
    // A SOCKS proxy asks in its own way and never here; the scheme only has to be one that URLs know.
    const scheme = proxy.scheme === 'https' ? 'https' : 'http'
    return this.#known(`proxy ${describeProxy(proxy)}`, () => ({
      target: 'proxy',
      peer: new URL(describeProxy({ ...proxy, scheme })),
      isForeign: false,
    }))
  }

  /**
   * The name and password that were set for the proxy and Basic: what a SOCKS proxy is told (N102). It hears them in clear
   * text, so it is told nothing where the administrator does not let them go like that (A183, N96).
   */
  get proxyLogin(): PasswordCredentials | undefined {
    const { allowClearText, disableProxyAuthSchemes } = this.#options.world.settings
    if (!allowClearText || disableProxyAuthSchemes.includes('basic')) return undefined
    const pair = this.#options.wallet.pairs.find(
      ({ target, scheme }) => target === 'proxy' && scheme === 'basic',
    )
    return pair?.credentials.kind === 'password' ? pair.credentials : undefined
  }

  /** What a SOCKS proxy has made of {@link proxyLogin}. */
  proxyLoginTrial(proxy: Proxy): LoginTrial {
    const key = describeProxy(proxy)
    const known = this.#loginTrials.get(key)
    if (known !== undefined) return known
    const { warn } = this.#options
    const trial = new LoginTrial(() => warn?.({ target: 'proxy', peer: key, scheme: 'SOCKS' }))
    this.#loginTrials.set(key, trial)
    return trial
  }

  /** The same identity, but for proxies alone: no server is proven anything. */
  forProxies(): Identity {
    this.#forProxies ??= new Identity(this.#options, true)
    return this.#forProxies
  }

  #known(key: string, situation: () => AuthenticatorOptions['situation']): Authenticator {
    const known = this.#authenticators.get(key)
    if (known !== undefined) return known
    const { isUnasked = false, trials, ...others } = this.#options
    const about = situation()
    const options = {
      ...others,
      situation: about,
      trials: trials[about.target],
      isUnasked: isUnasked && about.target === 'server',
    }
    const authenticator = new Authenticator(
      this.isForProxiesOnly && options.situation.target === 'server' ? empty(options) : options,
    )
    this.#authenticators.set(key, authenticator)
    return authenticator
  }

  /** Wipes what was derived from credentials; not while exchanges are under way. May be called twice. */
  close(): void {
    for (const authenticator of this.#authenticators.values()) authenticator.close()
    this.#authenticators.clear()
    this.#forProxies?.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

/** Not even who is logged on (A51, A53). */
function empty({ world, ...options }: AuthenticatorOptions): AuthenticatorOptions {
  const settings = { ...world.settings, useLmCompat: 2 as const }
  return { ...options, wallet: { pairs: [] }, world: { ...world, settings } }
}
