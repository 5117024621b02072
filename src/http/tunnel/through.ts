/** A proxy on the way to a server, with all that is needed to get past it. */

import type { Authenticator } from '../../auth/authenticator.ts'
import type { PasswordCredentials } from '../../auth/credentials.ts'
import type { Proxy } from '../../job/route.ts'
import type { Field } from '../../wire/fields.ts'
import type { LoginTrial } from './login-trial.ts'
import type { ConnectionTls } from './tls.ts'

/** How to go through a proxy. */
export interface Through {
  readonly proxy: Proxy
  /** For proxies of scheme `https`, which need it: TLS to the proxy itself, verified against the proxy's own name. */
  readonly tls?: ConnectionTls | undefined
  /** What the caller says to the proxy on CONNECT, until a proof takes its place (A46). */
  readonly given?: readonly Field[] | undefined
  /** Answers what the proxy asks for on CONNECT; without it nothing is proved. Its owner closes it. */
  readonly authenticator?: Authenticator | undefined
  /** What a SOCKS proxy is told when it asks (N102): (PROXY, BASIC) of the job. Its owner wipes it. */
  readonly login?: PasswordCredentials | undefined
  /** What this proxy has made of that on other connections. */
  readonly loginTrial?: LoginTrial | undefined
}
