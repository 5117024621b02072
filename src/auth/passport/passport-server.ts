/** The other sides of Passport 1.4, for fixtures: the partner, the sign-in server, and the configuration server. */

import type { Acceptor, AcceptorRequest, Reception } from '../acceptor.ts'
import { fieldValues, type Field } from '../auth.ts'
import type { Secret } from '../secret.ts'
import type { Detour, DetourResponse } from '../scheme.ts'
import { escapePassport, parseElements, passportToken, textAfterToken } from './header.ts'

/** What the service is like. */
export interface PassportServiceOptions {
  readonly realm: string
  readonly nexusUrl: string
  /** As the configuration says it; a scheme may be missing. */
  readonly login: string
  readonly version: number
  readonly users: ReadonlyMap<string, Secret>
  /** Elements of the sign-in challenge, such as `ts=-2` and `prompt`. */
  readonly custom?: readonly string[]
  /** Where a sign-in request is sent before it is answered, one after the other. */
  readonly redirects?: readonly string[]
  /** Where tickets are to be taken; the original URL when absent. */
  readonly returnUrl?: string
  /** Whether tickets are in single quotes, as real servers write them (A339). */
  readonly isQuoted?: boolean
}

/** A partner sees cookies too. */
export interface PartnerRequest extends AcceptorRequest {
  /** The value of `Cookie`. */
  readonly cookie?: string
}

/** The server that the job asks. */
export interface PassportPartner extends Acceptor {
  receive(credentials: string | undefined, request: PartnerRequest): Promise<Reception>
}

/** Cookies by which this service knows a user again. */
const signInCookie = 'PPAuth'
const partnerCookie = 'MSPAuth'

/** One Passport service. Tickets and cookies are counted, not secret: it serves tests. */
export class PassportService {
  readonly #options: PassportServiceOptions
  readonly #tickets = new Map<string, string>()
  readonly #redirected = new Set<string>()
  readonly #signInCookies = new Map<string, string>()
  readonly #partnerCookies = new Map<string, string>()
  #count = 0

  constructor(options: PassportServiceOptions) {
    this.#options = options
  }

  /** Answers a request to the configuration server or the sign-in server. */
  async answer(detour: Detour): Promise<DetourResponse> {
    const { nexusUrl } = this.#options
    return detour.url === nexusUrl ? this.#configure(detour) : this.#signIn(detour)
  }

  #configure({ url }: Detour): DetourResponse {
    const { realm, login, version } = this.#options
    return respond(url, 200, [
      ['PassportURLs', `DARealm=${realm},DALogin=${login},ConfigVersion=${version}`],
    ])
  }

  #signIn({ url, fields }: Detour): DetourResponse {
    const { redirects = [], version } = this.#options
    const next = redirects.find((redirect) => !this.#redirected.has(redirect))
    const said = readAuthorization(fields)
    if (said.has('sign-in') && next !== undefined) {
      this.#redirected.add(next)
      return respond(url, 302, [
        ['Location', next],
        ['Authentication-Info', `${passportToken} da-status=redir`],
      ])
    }
    const user = this.#userOf(said, fieldValues(fields, 'cookie'))
    return user === undefined
      ? respond(url, 401, [
          ['WWW-Authenticate', this.#challenge()],
          ['PassportConfig', `ConfigVersion=${version}`],
        ])
      : this.#succeed(url, user, said.get('orgurl') ?? '')
  }

  #challenge(): string {
    const { realm, custom = [] } = this.#options
    return `${passportToken} ${['da-status=failed', `srealm=${realm}`, ...custom].join(',')}`
  }

  #succeed(url: string, user: string, originalUrl: string): DetourResponse {
    const { returnUrl = originalUrl, isQuoted = false } = this.#options
    const ticket = `t=${++this.#count}&p=`
    this.#tickets.set(ticket, user)
    this.#signInCookies.set(`s${this.#count}`, user)
    const written = isQuoted ? `'${ticket}'` : ticket
    return respond(url, 200, [
      [
        'Authentication-Info',
        `${passportToken} da-status=success,tname=${signInCookie},from-PP=${written},ru=${returnUrl}`,
      ],
      ['Set-Cookie', `${signInCookie}=s${this.#count}; Secure`],
    ])
  }

  /** By name and password, in any order (V72), or by the cookie of an earlier sign-in. */
  #userOf(said: ReadonlyMap<string, string>, [cookies]: readonly string[]): string | undefined {
    const password = said.get('pwd')
    if (password === undefined) {
      return this.#signInCookies.get(cookieOf(cookies, signInCookie) ?? '')
    }
    const name = decodeURIComponent(said.get('sign-in') ?? '')
    return this.#options.users.get(name)?.use(escapePassport) === password ? name : undefined
  }

  /** The user of a ticket, which is good for once. */
  redeem(ticket: string): string | undefined {
    const plain = ticket.replace(/^'(.*)'$/, '$1')
    const user = this.#tickets.get(plain)
    this.#tickets.delete(plain)
    return user
  }

  /** Makes the side of a partner, for any number of connections. */
  partner(parameters: string): PassportPartner {
    const challenge = `${passportToken} ${parameters}`.trim()
    return {
      receive: async (credentials, { cookie }) => {
        const known = this.#known(cookie)
        if (known !== undefined) return { kind: 'granted', user: known, fields: [] }
        const text = credentials === undefined ? undefined : textAfterToken(credentials)
        const ticket = parseElements(text ?? '').find(({ name }) => name === 'from-PP')?.value
        const user = ticket === undefined ? undefined : this.redeem(ticket)
        return user === undefined
          ? { kind: 'challenged', challenges: [challenge] }
          : { kind: 'granted', user, fields: this.#greet(user) }
      },
    }
  }

  /** Ends every cookie of partners, as time does. */
  expire(): void {
    this.#partnerCookies.clear()
  }

  #known(cookies: string | undefined): string | undefined {
    const value = cookieOf(cookies, partnerCookie)
    return value === undefined ? undefined : this.#partnerCookies.get(value)
  }

  #greet(user: string): readonly Field[] {
    const value = `p${++this.#count}`
    this.#partnerCookies.set(value, user)
    return [
      ['Authentication-Info', `${passportToken} tname=${partnerCookie}`],
      ['Set-Cookie', `${partnerCookie}=${value}; Path=/`],
    ]
  }
}

function cookieOf(cookies: string | undefined, name: string): string | undefined {
  const pairs = (cookies ?? '').split('; ').map((pair) => pair.split('='))
  return pairs.find(([key]) => key === name)?.[1]
}

/** The elements of `Authorization`, by lower-case name. */
function readAuthorization(fields: readonly Field[]): ReadonlyMap<string, string> {
  const [value = ''] = fieldValues(fields, 'authorization')
  const elements = parseElements(textAfterToken(value) ?? '')
  return new Map(elements.map(({ name, value = '' }) => [name.toLowerCase(), value]))
}

function respond(url: string, status: number, fields: readonly Field[]): DetourResponse {
  return { url, status, fields, body: new Uint8Array() }
}
