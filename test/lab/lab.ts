/** A corporate network on the loopback: a realm, a server for every scheme, and a proxy for every scheme. */

import { Apache, cannotServeSchemes } from './apache.ts'
import { Authority, type CertificateFiles } from './authority.ts'
import { PASSWORD } from './kdc-contexts.ts'
import { cannotServeTickets, Kdc, type KdcOptions } from './kdc.ts'
import { USER } from './people.ts'
import { cannotJudgeNtlm, Winbind } from './samba.ts'
import { cannotProxy, Squid, type ProxyScheme } from './squid.ts'

/** Why there are no servers here; `false` when there can be. */
export const cannotServe: string | false = cannotServeTickets || cannotServeSchemes

/** Why there is no proxy for a scheme here; `false` when there can be one. */
export function cannotProxyWith(scheme: ProxyScheme): string | false {
  return cannotProxy || (scheme === 'ntlm' && cannotJudgeNtlm)
}

/** Everything that is common to the servers of one network. */
export class Lab implements AsyncDisposable {
  readonly authority: Authority
  readonly kdc: Kdc
  readonly apache: Apache
  /** What the user is known by. */
  readonly client: CertificateFiles
  /** A cache with the user's ticket, by its residual name. */
  readonly tickets: string
  readonly #squids: ReadonlyMap<ProxyScheme, Squid>
  readonly #stack: AsyncDisposableStack

  private constructor(
    parts: Pick<Lab, 'authority' | 'kdc' | 'apache' | 'client' | 'tickets'>,
    squids: ReadonlyMap<ProxyScheme, Squid>,
    stack: AsyncDisposableStack,
  ) {
    this.authority = parts.authority
    this.kdc = parts.kdc
    this.apache = parts.apache
    this.client = parts.client
    this.tickets = parts.tickets
    this.#squids = squids
    this.#stack = stack
  }

  /** Starts the servers, and of the proxies those that are named and can be here. */
  static async start({
    proxies = [],
    realm = {},
  }: {
    readonly proxies?: readonly ProxyScheme[]
    readonly realm?: KdcOptions
  } = {}): Promise<Lab> {
    await using stack = new AsyncDisposableStack()
    const authority = stack.use(await Authority.create())
    const users = [{ name: USER, password: PASSWORD }, { name: 'HTTP/localhost' }]
    const kdc = stack.use(await Kdc.start(users, realm))
    const [certificate, client, keytab, tickets] = await Promise.all([
      authority.issue({ name: 'localhost', use: 'server' }),
      authority.issue({ name: USER, use: 'client' }),
      kdc.keytab('http.keytab', ['HTTP/localhost']),
      kdc.tickets({ name: USER, password: PASSWORD }),
    ])
    const kerberos = kdc.environment
    const common = { certificate, authority: authority.cert, keytab, kerberos }
    const apache = stack.use(await Apache.start(common))
    const winbind =
      proxies.includes('ntlm') && cannotProxyWith('ntlm') === false
        ? stack.use(await Winbind.start())
        : undefined
    const squids = new Map<ProxyScheme, Squid>()
    const starting = proxies
      .filter((scheme) => cannotProxyWith(scheme) === false)
      .map(async (scheme) => {
        const helper = winbind === undefined ? {} : { ntlmHelper: winbind.helper }
        squids.set(scheme, stack.use(await Squid.start({ ...common, ...helper, scheme })))
      })
    // Whatever has begun is to be known before anything is ended.
    await Promise.allSettled(starting)
    await Promise.all(starting)
    return new Lab({ authority, kdc, apache, client, tickets }, squids, stack.move())
  }

  /** The proxy that asks for a scheme. */
  squid(scheme: ProxyScheme): Squid {
    const squid = this.#squids.get(scheme)
    if (squid === undefined) throw new Error(`The lab has no proxy for ${scheme}`)
    return squid
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack[Symbol.asyncDispose]()
  }
}
