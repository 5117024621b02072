/**
 * Kerberos, NTLM and Negotiate over SSPI, in processes that can be killed: what `gssapi` is elsewhere, with the same
 * helpers and the same port. Windows has who is logged on; it knows neither credential caches nor keytabs.
 */

import { MechanismError } from '../../auth/error.ts'
import type { MechanismIdentity, MechanismName } from '../../auth/mechanism.ts'
import type { HelperIdentity } from '../gssapi/conversation.ts'
import type { Environment } from '../gssapi/environment.ts'
import {
  HelperMechanisms,
  type HelperPlace,
  type HelperPolicy,
  type MechanismPlatform,
} from '../gssapi/helper-mechanisms.ts'
import { openSspiForeign } from './sspi-foreign.ts'

/** How SSPI is used. */
export interface SspiOptions extends HelperPolicy {
  /** Around the helpers; this process's own unless said otherwise. */
  readonly environment?: Environment
  /** Why there is no library, if that is known; found out on first use otherwise. */
  readonly library?: () => string | undefined
}

/** What a helper inherits, so that it can start and the library finds its own parts. */
const inherited = [
  'SystemRoot',
  'SystemDrive',
  'windir',
  'PATH',
  'TEMP',
  'TMP',
  'USERPROFILE',
  'APPDATA',
  'LOCALAPPDATA',
] as const

/** What Windows proves, as the room auth asks for it. `stop` ends what runs after the first context was opened. */
export function sspiMechanisms(options: SspiOptions): HelperMechanisms {
  return new HelperMechanisms(new SspiPlatform(options), options)
}

class SspiPlatform implements MechanismPlatform {
  // A helper is a file of this folder as it runs: from the sources or built.
  readonly script = new URL(`./sspi-process${import.meta.url.slice(-3)}`, import.meta.url)
  readonly #environment: Readonly<Record<string, string>>
  readonly #library: () => string | undefined
  #reason: { readonly text: string | undefined } | undefined

  constructor({ environment = process.env, library = whyNoLibrary }: SspiOptions) {
    this.#library = library
    this.#environment = Object.fromEntries(
      inherited.flatMap((name) => {
        const value = environment[name]
        return value === undefined ? [] : [[name, value]]
      }),
    )
  }

  unavailable(_mechanism: MechanismName): string | undefined {
    this.#reason ??= { text: this.#library() }
    return this.#reason.text
  }

  place(identity: MechanismIdentity): HelperPlace {
    return { identity: identityOf(identity), environment: this.#environment }
  }
}

function identityOf(identity: MechanismIdentity): HelperIdentity {
  switch (identity.kind) {
    case 'implicit':
      return { kind: 'implicit' }
    case 'password':
      return { kind: 'password', userName: identity.userName }
    case 'tickets':
    case 'keytab':
      throw new MechanismError(
        'ERR_SSPI_IDENTITY',
        `Cannot use ${identity.kind} credentials: Windows knows neither caches nor keytabs`,
        { reason: 'unable' },
      )
    default:
      return identity satisfies never
  }
}

function whyNoLibrary(): string | undefined {
  const library = openSspiForeign()
  return library.kind === 'missing' ? library.reason : undefined
}
