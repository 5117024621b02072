/** Passport 1.4: a ticket from a sign-in server, shown to the partner server once, then its cookies (MS-PASS, A330). */

import { fieldValues } from '../auth.ts'
import type { Challenge } from '../challenge.ts'
import type { PasswordCredentials } from '../credentials.ts'
import type {
  Answer,
  AuthScheme,
  AuthWorld,
  Detour,
  DetourResponse,
  Handshake,
  RequestFacts,
  ResponseFacts,
  Send,
  Session,
  Unable,
  Verdict,
} from '../scheme.ts'
import { CookieJar } from './cookies.ts'
import {
  formatTicket,
  isSendable,
  parseConfiguration,
  parseConfigurationVersion,
  parsePassportInfo,
  passportToken,
  type OriginalRequest,
  type PassportConfiguration,
} from './header.ts'
import { SignIn, type SignInStep, type Ticket } from './sign-in.ts'

/** Passport, for servers, with a name and a password only (A60, A344). */
export const passportScheme: AuthScheme = {
  name: 'passport',
  token: passportToken,
  binds: 'request',
  // The password goes to the sign-in server, over TLS (A2, A337); the target sees a ticket.
  sendsSecret: false,
  accepts: ({ kind }, target) => kind === 'password' && target === 'server',
  open({ credentials, world }) {
    if (credentials.kind !== 'password') return unable('it needs a user name and a password')
    const { nexusUrl, signIn } = world.settings.passport
    const first = signIn?.url ?? nexusUrl
    if (!URL.canParse(first) || new URL(first).protocol !== 'https:') {
      return unable('its servers have to be reached over TLS')
    }
    return new PassportSession(world, credentials)
  },
}

function unable(why: string): Unable {
  return { kind: 'unable', reason: `Passport: ${why}` }
}

/** What is kept between requests: where to sign in, and the cookies of both sides. They are strings; see A343. */
class PassportSession implements Session {
  readonly world: AuthWorld
  readonly credentials: PasswordCredentials
  readonly partnerCookies = new CookieJar()
  readonly signInCookies = new CookieJar()
  readonly #openedAt: number
  #configuration: PassportConfiguration | undefined
  #isOutdated = false

  constructor(world: AuthWorld, credentials: PasswordCredentials) {
    this.world = world
    this.credentials = credentials
    this.#openedAt = world.clock.now()
    const { signIn } = world.settings.passport
    if (signIn !== undefined) {
      // What the administrator named does not go out of date (A332).
      const version = Number.POSITIVE_INFINITY
      this.#configuration = { realm: signIn.realm, loginUrl: signIn.url, version }
    }
  }

  /** Where to sign in; `undefined` when the configuration server has to be asked. */
  get configuration(): PassportConfiguration | undefined {
    return this.#isOutdated ? undefined : this.#configuration
  }

  /** Takes what the configuration server says; the same or an older version changes nothing (A331). */
  configure(said: PassportConfiguration): PassportConfiguration {
    const known = this.#configuration
    const configuration = known !== undefined && said.version <= known.version ? known : said
    this.#configuration = configuration
    this.#isOutdated = false
    return configuration
  }

  /** Hears which version a sign-in server knows of; a newer one is fetched before the next sign-in (A331). */
  hearOf(version: number): void {
    this.#isOutdated ||= version > (this.#configuration?.version ?? 0)
  }

  /** Whole seconds since the credentials were given, as far as this side knows (A336). */
  get elapsedSeconds(): number {
    return Math.max(0, Math.floor((this.world.clock.now() - this.#openedAt) / 1000))
  }

  begin(): Handshake {
    return new PassportHandshake(this)
  }

  close(): void {
    this.partnerCookies.clear()
    this.signInCookies.clear()
  }
}

/** How far a handshake is. */
type Stage =
  /** Nobody asked yet, or cookies were sent. */
  | { readonly kind: 'quiet' }
  /** The configuration server was asked. */
  | { readonly kind: 'configuring'; readonly original: OriginalRequest }
  | { readonly kind: 'signing-in'; readonly signIn: SignIn }
  /** The ticket was sent. */
  | { readonly kind: 'ticket'; readonly send: Send }

/** One request. */
class PassportHandshake implements Handshake {
  readonly #session: PassportSession
  #stage: Stage = { kind: 'quiet' }
  /** Where the proof was sent; `undefined` while there was none. */
  #provedAt: URL | undefined

  constructor(session: PassportSession) {
    this.#session = session
  }

  /** Never before a challenge (A344), but with the cookies that came of an earlier one (A341). */
  async prepare({ url }: RequestFacts): Promise<Send | undefined> {
    if (this.#stage.kind === 'ticket') return this.#stage.send
    const cookie = this.#session.partnerCookies.format(url, this.#session.world.clock.now())
    if (cookie === undefined) return undefined
    this.#provedAt = url
    return { kind: 'send', cookie, canSucceed: true }
  }

  async answer({ text = '' }: Challenge, { method, url }: RequestFacts): Promise<Answer> {
    if (this.#stage.kind !== 'quiet') {
      return { kind: 'refused', reason: 'Passport: the server does not take the ticket' }
    }
    if (!isSendable(text)) return unable('the challenge of the server is garbled')
    // Cookies that the server asks again with are over (A343).
    if (this.#provedAt !== undefined) this.#session.partnerCookies.clear()
    const original = { method, url, parameters: text }
    const { configuration } = this.#session
    if (configuration !== undefined) return this.#signIn(configuration, original, url)
    this.#stage = { kind: 'configuring', original }
    return this.#askConfiguration()
  }

  async detoured(response: DetourResponse, { url }: RequestFacts): Promise<Answer> {
    switch (this.#stage.kind) {
      case 'configuring': {
        const [said = ''] = fieldValues(response.fields, 'passporturls')
        const configuration = parseConfiguration(said)
        if (configuration === undefined) return unable('nobody says where to sign in')
        return this.#signIn(this.#session.configure(configuration), this.#stage.original, url)
      }
      case 'signing-in': {
        const [said = ''] = fieldValues(response.fields, 'passportconfig')
        this.#session.hearOf(parseConfigurationVersion(said))
        return this.#follow(this.#stage.signIn.take(response), url)
      }
      case 'quiet':
      case 'ticket':
        return unable('nobody was asked')
      default:
        return this.#stage satisfies never
    }
  }

  async accept({ fields }: ResponseFacts): Promise<Verdict> {
    const now = this.#session.world.clock.now()
    // Cookies of a server that nothing was proved to are none of our business.
    if (this.#provedAt !== undefined) {
      this.#session.partnerCookies.store(this.#provedAt, fields, now)
    }
    const info = parsePassportInfo(fieldValues(fields, 'authentication-info'))
    if (info?.status === 'logout') this.#session.signInCookies.clear()
    this.close()
    return { kind: 'done' }
  }

  close(): void {
    this.#stage = { kind: 'quiet' }
    this.#provedAt = undefined
  }

  #askConfiguration(): Detour {
    const { nexusUrl } = this.#session.world.settings.passport
    return { kind: 'detour', method: 'GET', url: nexusUrl, fields: [] }
  }

  #signIn(configuration: PassportConfiguration, original: OriginalRequest, url: URL): Answer {
    const { world, credentials, elapsedSeconds, signInCookies } = this.#session
    const signIn = new SignIn({
      original,
      credentials,
      configuration,
      elapsedSeconds,
      cookies: signInCookies,
      now: () => world.clock.now(),
      trustedOrigins: world.settings.trustedOrigins,
    })
    this.#stage = { kind: 'signing-in', signIn }
    return this.#follow(signIn.begin(), url)
  }

  #follow(step: SignInStep, url: URL): Answer {
    return step.kind === 'ticket' ? this.#takeTicket(step, url) : step
  }

  /** The ticket goes to the server that asked and to no other (A340). */
  #takeTicket({ ticket, returnUrl }: Ticket, url: URL): Answer {
    const target = returnUrl === undefined ? url : parseReturnUrl(returnUrl, url)
    if (target === undefined) {
      return { kind: 'refused', reason: 'Passport: the ticket is for another server' }
    }
    const send: Send = {
      kind: 'send',
      header: formatTicket(ticket),
      ...(target.href === url.href ? {} : { url: target.href }),
      canSucceed: true,
    }
    this.#stage = { kind: 'ticket', send }
    this.#provedAt = target
    return send
  }
}

/** Where the ticket goes: to the host that was asked, and never from TLS back to clear text. */
function parseReturnUrl(text: string, asked: URL): URL | undefined {
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  url.hash = ''
  url.username = ''
  url.password = ''
  const isUpgrade = asked.protocol === 'http:' && url.protocol === 'https:'
  const isSame = url.origin === asked.origin || (isUpgrade && url.hostname === asked.hostname)
  return isSame ? url : undefined
}
