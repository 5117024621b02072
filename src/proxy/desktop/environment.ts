/** The variables `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy`, by curl's rules (N40, N41). */

import { scriptHost } from '../ports.ts'
import { invalidProxyInfo } from '../failure.ts'
import { matchNoProxy } from '../no-proxy.ts'
import type { Environment } from '../program.ts'
import { parseProxyAddress } from '../proxy-list.ts'
import type { FixedChoice, FixedProxies, PlaceSettings } from '../settings.ts'

/** A value and where it stands. */
export interface Variable {
  readonly name: string
  /** Not empty. */
  readonly value: string
}

/** Proxies as variables name them. */
export interface ProxyVariables {
  readonly http?: Variable | undefined
  readonly https?: Variable | undefined
  /** Where the other two are not set. */
  readonly all?: Variable | undefined
  readonly none?: Variable | undefined
}

/** What the environment says. */
export function environmentSettings(environment: Environment): PlaceSettings {
  const place = 'the environment'
  const variables = variablesOf(environment)
  const set = [variables.http, variables.https, variables.all].flatMap((each) => each?.name ?? [])
  const { none } = variables
  if (set.length > 0) {
    const says = `${[...set, ...(none === undefined ? [] : [none.name])].join(', ')} set`
    return { place, says, fixed: variableProxies(variables) }
  }
  if (none === undefined) return { place, says: 'no variable names a proxy' }
  // As with curl, where a proxy comes from elsewhere: the exceptions are from that.
  return { place, says: `${none.name} set`, exceptions: { match: (url) => exception(none, url) } }
}

/**
 * The variables that count: lower case before upper case, empty as if not set. `HTTP_PROXY` in upper case counts only
 * where `REQUEST_METHOD` is not set: to a CGI program a client can set it with a field named Proxy.
 */
function variablesOf(environment: Environment): ProxyVariables {
  const first = (...names: readonly string[]): Variable | undefined => {
    for (const name of names) {
      const value = environment[name]
      if (value !== undefined && value !== '') return { name, value }
    }
    return undefined
  }
  const isCgi = environment['REQUEST_METHOD'] !== undefined
  return {
    http: isCgi ? first('http_proxy') : first('http_proxy', 'HTTP_PROXY'),
    https: first('https_proxy', 'HTTPS_PROXY'),
    all: first('all_proxy', 'ALL_PROXY'),
    none: first('no_proxy', 'NO_PROXY'),
  }
}

/** Proxies by variables; one that does not parse fails only the URLs that need it. */
export function variableProxies(variables: ProxyVariables): FixedProxies {
  return { warnings: [], choose: (url) => choose(variables, url) }
}

function choose({ http, https, all, none }: ProxyVariables, url: URL): FixedChoice {
  const variable = (url.protocol === 'https:' ? https : http) ?? all
  if (variable === undefined) {
    return { hops: ['direct'], because: `no variable is set for ${url.protocol.slice(0, -1)}` }
  }
  const because = none === undefined ? undefined : exception(none, url)
  if (because !== undefined) return { hops: ['direct'], because }
  const [first, ...others] = parseProxyAddress(variable.value.trim()) ?? []
  if (first === undefined) {
    // Without the value: what makes it wrong may be a character of the password in it.
    throw invalidProxyInfo(`Cannot use ${variable.name}: its value names no proxy`)
  }
  return { hops: [first, ...others], because: `${variable.name} says so` }
}

/** Why `no_proxy` lets a URL go straight; undefined when it does not. */
function exception({ name, value }: Variable, url: URL): string | undefined {
  const token = matchNoProxy(value, scriptHost(url))
  return token === undefined ? undefined : `${name} has ${token}`
}
