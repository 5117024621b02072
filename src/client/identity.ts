/**
 * Identities as the SSPI knows them (A150 to A157): asked for at a terminal, packed into strings that SetCredentials
 * takes, and freed.
 */

import { parseUserName } from '../auth/credentials.ts'
import { Secret } from '../auth/secret.ts'
import { encodeIdentity } from '../job/encoded-identity.ts'
import type { GivenToken } from '../job/given-credentials.ts'
import { clientError, type BackgroundCopyError } from './errors.ts'
import { text, type SecretText } from './given.ts'
import { Terminal, TerminalError } from './terminal.ts'

/** What an identity is made of. */
export type IdentitySource =
  | { readonly kind: 'password'; readonly userName: string; readonly password: SecretText }
  /** Kerberos tickets or keys that lie on the machine. */
  | GivenToken
  /** Who is logged on. */
  | { readonly kind: 'implicit' }

/** Somebody, with what proves it. Its secret is printed nowhere; {@link freeIdentity} wipes it. */
export class AuthIdentity implements Disposable {
  readonly #source: Exclude<IdentitySource, { kind: 'password' }> | undefined
  readonly #userName: string
  readonly #password: Secret

  /** @param source a password of bytes is copied */
  constructor(source: IdentitySource) {
    this.#source = source.kind === 'password' ? undefined : source
    this.#userName = nameOf(source)
    this.#password = source.kind === 'password' ? secretOf(source.password) : Secret.fromText('')
  }

  /** The name without its domain; a principal whole. */
  get user(): string {
    return parseUserName(this.#userName).user
  }

  /** Before the backslash; empty where there is none. */
  get domain(): string {
    return parseUserName(this.#userName).domain
  }

  /**
   * One string that holds all of it, for the password of SetCredentials. As secret as the identity.
   *
   * @throws {Error} when the identity has been freed
   */
  pack(): string {
    const { user, domain } = this
    switch (this.#source?.kind) {
      case undefined:
        return this.#password.use((bytes) =>
          encodeIdentity({ kind: 'password', user, domain, password: text(bytes) }),
        )
      case 'tickets':
        return encodeIdentity({ ...this.#source, kind: 'ccache' })
      case 'keytab':
      case 'implicit':
        return encodeIdentity(this.#source)
      default:
        return this.#source satisfies never
    }
  }

  [Symbol.dispose](): void {
    this.#password.wipe()
  }
}

function nameOf(source: IdentitySource): string {
  switch (source.kind) {
    case 'password':
      return source.userName
    case 'tickets':
    case 'keytab':
      return source.principal ?? ''
    case 'implicit':
      return ''
    default:
      return source satisfies never
  }
}

function secretOf(password: SecretText): Secret {
  return typeof password === 'string'
    ? Secret.fromText(password)
    : new Secret(Uint8Array.from(password))
}

/** How somebody is asked. */
export interface PromptOptions {
  /** What it is for, as the question says it: the name of a server or proxy. */
  readonly target: string
  /** Said in front of the questions. */
  readonly message?: string
  /** Who it is; asked for when absent. */
  readonly userName?: string
  /** Gives the question up. */
  readonly signal?: AbortSignal
}

/**
 * Asks at the terminal for a user name and, without showing it, a password (SspiPromptForCredentials).
 *
 * @returns an identity that the caller frees after the credentials were set (A156)
 * @throws {BackgroundCopyError} `ERROR_CANCELLED` when it is given up with Ctrl-C; `ERROR_NOT_LOGGED_ON` when this
 *   process has no terminal
 */
export async function promptForCredentials({
  target,
  message,
  userName,
  signal,
}: PromptOptions): Promise<AuthIdentity> {
  const aborted = signal === undefined ? {} : { signal }
  try {
    using terminal = Terminal.open()
    if (message !== undefined) terminal.say(message)
    let name = userName ?? ''
    while (name === '') {
      name = text(await terminal.ask(`User name for ${target}: `, { hidden: false, ...aborted }))
    }
    const password = await terminal.ask(`Password of ${name} for ${target}: `, {
      hidden: true,
      ...aborted,
    })
    using secret = new Secret(password)
    return secret.use((bytes) => {
      text(bytes)
      return new AuthIdentity({ kind: 'password', userName: name, password: bytes })
    })
  } catch (error) {
    throw error instanceof TerminalError ? promptFailure(error, target) : error
  }
}

function promptFailure({ code }: TerminalError, target: string): BackgroundCopyError {
  return code === 'ERR_TERMINAL_CANCELLED'
    ? clientError('ERROR_CANCELLED', 'NONE', `No credentials were given for ${target}`)
    : clientError(
        'ERROR_NOT_LOGGED_ON',
        'NONE',
        `Cannot ask for the credentials for ${target}: there is no terminal`,
      )
}

/** What SspiEncodeAuthIdentityAsStrings gives (A151). */
export interface EncodedIdentity {
  readonly user: string
  readonly domain: string
  /** The password to set, for `negotiate` or `ntlm`: it holds user, domain and password. As secret as they are. */
  readonly packed: string
}

/** Packs an identity into three strings, of which SetCredentials takes `user` and `packed` (A150, A151). */
export function encodeAuthIdentityAsStrings(identity: AuthIdentity): EncodedIdentity {
  const { user, domain } = identity
  return { user, domain, packed: identity.pack() }
}

/** Wipes an identity, after its credentials were set (A156). May be called twice. */
export function freeIdentity(identity: AuthIdentity): void {
  identity[Symbol.dispose]()
}
