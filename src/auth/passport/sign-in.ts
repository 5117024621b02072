/** The way to a ticket: what is asked of a sign-in server, and what its answers mean (MS-PASS §3.1, A334 to A339). */

import { ProtocolError } from '../../base/error.ts'
import { fieldValues, type Field } from '../auth.ts'
import { parseChallenges } from '../challenge.ts'
import type { PasswordCredentials } from '../credentials.ts'
import type { Detour, DetourResponse, Refused, Unable } from '../scheme.ts'
import type { CookieJar } from './cookies.ts'
import {
  formatSignIn,
  formatTokenRequest,
  isSendable,
  parsePassportInfo,
  parseSignInChallenge,
  passportToken,
  type OriginalRequest,
  type PassportConfiguration,
  type PassportInfo,
  type SignInChallenge,
} from './header.ts'

/** What one sign-in is made of. */
export interface SignInOptions {
  readonly original: OriginalRequest
  readonly credentials: PasswordCredentials
  readonly configuration: Pick<PassportConfiguration, 'realm' | 'loginUrl'>
  /** Whole seconds since the credentials were given. */
  readonly elapsedSeconds: number
  /** Those of the sign-in server. */
  readonly cookies: CookieJar
  readonly now: () => number
  /** Origins besides the sign-in server's own domain that may be told the password. */
  readonly trustedOrigins: readonly string[]
  /** Whether to begin with the password, without asking for a ticket by cookies first (A337). */
  readonly isPasswordFirst?: boolean
}

/** A ticket, and where to take it. */
export interface Ticket {
  readonly kind: 'ticket'
  readonly ticket: string
  /** As the sign-in server wrote it; absent when it did not say. */
  readonly returnUrl?: string
}

/** What to do next. */
export type SignInStep = Detour | Ticket | Unable | Refused

/** A135. */
const maximumRedirects = 5

/** One sign-in. The password is sent at most once to each server that redirects. */
export class SignIn {
  readonly #options: SignInOptions
  #url: URL
  #header = ''
  #hasSentPassword = false
  #redirects = 0

  constructor(options: SignInOptions) {
    this.#options = options
    this.#url = new URL(options.configuration.loginUrl)
  }

  /** The first request. */
  begin(): SignInStep {
    if (this.#url.protocol !== 'https:') {
      return unable('the sign-in server is not reached over TLS')
    }
    if (this.#options.isPasswordFirst === true) return this.#sendPassword([], false)
    this.#header = formatTokenRequest(this.#options.original)
    return this.#request()
  }

  /** Takes an answer of the sign-in server. */
  take({ status, fields }: DetourResponse): SignInStep {
    this.#options.cookies.store(this.#url, fields, this.#options.now())
    const info = parsePassportInfo(fieldValues(fields, 'authentication-info'))
    if (info?.status === 'success') return this.#succeed(info)
    if (info?.status === 'redir') return this.#redirect(fieldValues(fields, 'location'))
    const text = status === 401 ? challengeText(fields) : undefined
    if (text !== undefined) return this.#challenge(parseSignInChallenge(text))
    return unable(`the sign-in server answers with status ${status} and no word of Passport`)
  }

  #succeed({ ticket = '', returnUrl }: PassportInfo): SignInStep {
    if (ticket === '' || !isSendable(ticket)) return unable('the sign-in server gives no ticket')
    return returnUrl === undefined
      ? { kind: 'ticket', ticket }
      : { kind: 'ticket', ticket, returnUrl }
  }

  #challenge({ status, realm, custom, isPrompt }: SignInChallenge): SignInStep {
    const expected = this.#options.configuration.realm
    if (realm.toLowerCase() !== expected.toLowerCase()) {
      return refused('the sign-in server belongs to another realm')
    }
    if (this.#hasSentPassword) return refused('the user name or the password is wrong')
    // The text of the standard has both spellings of the other one.
    if (status !== 'failed') return refused('the sign-in server does not let anybody try')
    if (!custom.every(isSendable)) return unable('the challenge of the sign-in server is garbled')
    return this.#sendPassword(custom, isPrompt)
  }

  #sendPassword(custom: readonly string[], isPrompt: boolean): Detour {
    const { original, credentials, elapsedSeconds } = this.#options
    this.#hasSentPassword = true
    this.#header = credentials.password.use((password) =>
      formatSignIn(original, {
        userName: credentials.userName,
        password,
        elapsedSeconds: isPrompt ? 0 : elapsedSeconds,
        custom,
      }),
    )
    return this.#request()
  }

  /** The same request somewhere else (A338); it may carry the password, so not just anywhere. */
  #redirect([location]: readonly string[]): SignInStep {
    if (location === undefined || !URL.canParse(location, this.#url)) {
      return unable('the sign-in server redirects to nowhere')
    }
    if (++this.#redirects > maximumRedirects) return unable('the sign-in server redirects for ever')
    const next = new URL(location, this.#url)
    const isTrusted =
      next.protocol === 'https:' &&
      (isSameSite(next.hostname, new URL(this.#options.configuration.loginUrl).hostname) ||
        this.#options.trustedOrigins.includes(next.origin))
    if (!isTrusted) return refused('the sign-in server redirects to somebody else')
    this.#url = next
    return this.#request()
  }

  #request(): Detour {
    const cookie = this.#options.cookies.format(this.#url, this.#options.now())
    const url = new URL(this.#url.href)
    url.hash = ''
    url.username = ''
    url.password = ''
    return {
      kind: 'detour',
      method: 'GET',
      url: url.href,
      fields: [
        ['Authorization', this.#header],
        ...(cookie === undefined ? [] : [['Cookie', cookie] as const]),
      ],
    }
  }
}

/** The text of Passport's challenge among others; `undefined` when there is none. */
function challengeText(fields: readonly Field[]): string | undefined {
  try {
    const challenges = parseChallenges(fieldValues(fields, 'www-authenticate'))
    return challenges.find(({ scheme }) => scheme === passportToken.toLowerCase())?.text
  } catch (error) {
    // More than the limits of challenges allow is no challenge of ours.
    if (error instanceof ProtocolError) return undefined
    throw error
  }
}

/** Names below which anybody can have one, where a country has them: `co.uk`, `com.au`. */
const publicLabels: ReadonlySet<string> = new Set(['ac', 'co', 'com', 'edu', 'gov', 'net', 'org'])

/**
 * Whether two hosts belong to the same domain, which is what is left of the sign-in server's name without its first
 * label. A domain that could belong to everybody does not count, nor do addresses; a list of all public suffixes is
 * more than this one retired service is worth.
 */
export function isSameSite(host: string, signInHost: string): boolean {
  if (host === signInHost) return true
  const [, ...labels] = signInHost.split('.')
  const isAddress = signInHost.startsWith('[') || /^[\d.]+$/.test(signInHost)
  const [first = '', second = ''] = labels
  const isPublic = labels.length === 2 && second.length === 2 && publicLabels.has(first)
  if (isAddress || labels.length < 2 || isPublic) return false
  const domain = labels.join('.')
  return host === domain || host.endsWith(`.${domain}`)
}

function unable(why: string): Unable {
  return { kind: 'unable', reason: `Passport: ${why}` }
}

function refused(why: string): Refused {
  return { kind: 'refused', reason: `Passport: ${why}` }
}
