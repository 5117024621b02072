/**
 * Kerberos over GSSAPI, in processes that can be killed.
 *
 * Terms (RFC 2743, RFC 4120):
 *
 * - *principal*: somebody with a key in a *realm*; a *KDC* gives out the realm's tickets.
 * - *credential cache*: a file or kernel keyring with tickets. *Keytab*: a file with keys of principals.
 * - *target*: a service by the name `HTTP@host`, host-based. *Context*: the exchange of tokens with it.
 * - *helper*: a process that makes the library's calls, because each may block for half a minute, and nothing but
 *   killing a process ends one. It has one *identity* and the environment that belongs to it.
 *
 * ```
 * auth          Mechanisms, MechanismContext
 *   HelperMechanisms     which helper, started and ended          ┐
 *   HelperProcess        requests and answers, deadline, kill     ┘ in the service
 * ─────────────────────── two pipes, frames
 *   serve                one request, one answer                  ┐
 *   GssInitiator         credentials and contexts                 │ in a helper
 *   GssLibrary           calls and their errors                   │
 *   GssForeign           koffi                                    ┘
 * ```
 */

import type { MechanismIdentity, MechanismName } from '../../auth/mechanism.ts'
import type { HelperIdentity } from './conversation.ts'
import { environmentFor, type Environment } from './environment.ts'
import { openGssForeign } from './gss-foreign.ts'
import { HelperMechanisms, type HelperPolicy, type MechanismPlatform } from './helper-mechanisms.ts'
import { principalOf, type RealmsByDomain } from './principal.ts'

/** How Kerberos is used. */
export interface GssapiOptions extends HelperPolicy {
  /** Around the helpers, and where implicit credentials are found; this process's own unless said otherwise. */
  readonly environment?: Environment
  /** For users named `DOMAIN\user`. */
  readonly realms?: RealmsByDomain
  /** Why there is no library, if that is known; found out on first use otherwise. */
  readonly library?: () => string | undefined
}

/**
 * Kerberos as the room auth asks for it. Nothing runs before the first context is opened; `stop` ends what runs then.
 *
 * NTLM and the platform's own negotiation are not here: what GSSAPI could add to it, auth has.
 */
export function gssapiMechanisms(options: GssapiOptions): HelperMechanisms {
  return new HelperMechanisms(new GssapiPlatform(options), options)
}

class GssapiPlatform implements MechanismPlatform {
  // A helper is a file of this folder as it runs: from the sources or built.
  readonly script = new URL(`./gss-process${import.meta.url.slice(-3)}`, import.meta.url)
  readonly #environment: Environment
  readonly #realms: RealmsByDomain
  readonly #library: () => string | undefined
  #reason: { readonly text: string | undefined } | undefined

  constructor({ environment = process.env, realms = {}, library = whyNoLibrary }: GssapiOptions) {
    this.#environment = environment
    this.#realms = realms
    this.#library = library
  }

  unavailable(mechanism: MechanismName): string | undefined {
    if (mechanism === 'ntlm') return 'NTLM needs a user name and a password on this platform'
    if (mechanism === 'negotiate') return 'this platform negotiates nothing beyond Kerberos'
    this.#reason ??= { text: this.#library() }
    return this.#reason.text
  }

  place(
    identity: MechanismIdentity,
    targetName: string,
  ): { identity: HelperIdentity; environment: Readonly<Record<string, string>> } {
    return {
      identity: this.#identityOf(identity, targetName),
      environment: environmentFor(identity, this.#environment),
    }
  }

  #identityOf(identity: MechanismIdentity, targetName: string): HelperIdentity {
    switch (identity.kind) {
      case 'implicit':
        return { kind: 'implicit' }
      case 'tickets':
        return identity.principal === undefined
          ? { kind: 'implicit' }
          : { kind: 'implicit', principal: identity.principal }
      case 'keytab':
        return { kind: 'keytab', principal: identity.principal, keytab: identity.keytab }
      case 'password': {
        const userName = principalOf(identity.userName, targetName, this.#realms)
        return { kind: 'password', userName }
      }
      default:
        return identity satisfies never
    }
  }
}

/** Opening it runs nothing of it: every call is a helper's. */
function whyNoLibrary(): string | undefined {
  const library = openGssForeign()
  return library.kind === 'missing' ? library.reason : undefined
}
