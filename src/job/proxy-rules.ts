/** What SetProxySettings refuses (N1). */

import { JobError } from './failure.ts'
import { withoutUserInformation } from './names.ts'
import {
  defaultProxySettings,
  proxyUsages,
  proxyVariables,
  type ProxyEnvironment,
  type ProxySettings,
  type ProxyUsage,
} from './route.ts'

/** Characters of a list: the documents say 4,000 and 32 KB; this is the header's number. */
export const PROXY_LIST_LIMIT = 32_000

/** @throws {JobError} `E_NOTIMPL` for anything that is no usage */
export function readProxyUsage(value: unknown): ProxyUsage {
  const usage = proxyUsages.find((word) => word === value)
  if (usage !== undefined) return usage
  throw new JobError(
    'E_NOTIMPL',
    `Cannot use these proxy settings: the usage is one of ${proxyUsages.join(', ')}`,
  )
}

/**
 * Checks proxy settings; whether the lists can be read shows when the job runs (N2).
 *
 * @throws {JobError} `E_INVALIDARG` for `override` without a list or a script, or with both, and for lists with another
 *   usage; `BG_E_PROXY_LIST_TOO_LARGE`, `BG_E_PROXY_BYPASS_LIST_TOO_LARGE`
 */
export function checkProxySettings({
  usage,
  list,
  bypass,
  script,
  environment,
}: ProxySettings): void {
  if (usage !== 'override' && (list ?? bypass ?? script) !== undefined) {
    throw refuse(`lists and scripts are for override, not for ${usage}`)
  }
  if (usage !== 'preconfig' && environment !== undefined) {
    throw refuse(`variables are for preconfig, not for ${usage}`)
  }
  if (usage === 'override' && (list === undefined) === (script === undefined)) {
    throw refuse('override takes either a list or a script')
  }
  checkLength('BG_E_PROXY_LIST_TOO_LARGE', 'the proxy list', list ?? script ?? '')
  checkLength('BG_E_PROXY_BYPASS_LIST_TOO_LARGE', 'the bypass list', bypass ?? '')
  for (const [name, value] of Object.entries(environment ?? {})) {
    checkLength('BG_E_PROXY_LIST_TOO_LARGE', `the variable ${name}`, value)
  }
}

/**
 * The settings as they are kept: names and passwords of proxies are cut, because nothing uses them (N15) and everybody
 * who sees the job would read them.
 */
export function withoutProxyLogins(settings: ProxySettings): ProxySettings {
  const { list, script, environment } = settings
  return {
    ...settings,
    ...(list === undefined ? {} : { list: withoutLogins(list) }),
    ...(script === undefined ? {} : { script: withoutUserInformation(script) }),
    ...(environment === undefined
      ? {}
      : {
          environment: Object.fromEntries(
            Object.entries(environment).map(([name, value]) => [name, withoutLogins(value)]),
          ),
        }),
  }
}

/**
 * Settings as the process means them that gives them. Where the way is chosen as its owner has set it, the variables of
 * that process are what is set: the service may have been started by something else, with others.
 *
 * @param environment whole: in a CGI program `HTTP_PROXY` is a field of the request, and does not count (N40)
 * @returns the same settings where they say all, or no variable says anything
 */
export function asCaller<Given extends ProxySettings | undefined>(
  settings: Given,
  environment: Readonly<Record<string, string | undefined>>,
): Given | ProxySettings {
  const { usage, environment: said } = settings ?? defaultProxySettings
  if (usage !== 'preconfig' || said !== undefined) return settings
  const own = proxyEnvironmentOf(environment)
  return own === undefined ? settings : { usage, environment: own }
}

function proxyEnvironmentOf(
  environment: Readonly<Record<string, string | undefined>>,
): ProxyEnvironment | undefined {
  const found: { -readonly [Name in keyof ProxyEnvironment]: string } = {}
  const isCgi = environment['REQUEST_METHOD'] !== undefined
  for (const name of proxyVariables) {
    const value = environment[name]
    if (value === undefined || value === '' || (isCgi && name === 'HTTP_PROXY')) continue
    // A name and a password are of no use there (N15), and not to be written down.
    found[name] = value.replace(/^([^/]*\/\/)?[^/]*@/u, '$1')
  }
  return Object.keys(found).length > 0 ? found : undefined
}

/** A list whose entries begin with their hosts; what a protocol and a scheme say stays (N10). */
function withoutLogins(list: string): string {
  return list.replaceAll(/[^\s;,]+/gu, (entry) =>
    entry.replace(/^((?:[a-z]+=)?(?:[a-z][a-z0-9+.-]*:\/\/)?).*@/iu, '$1'),
  )
}

function refuse(why: string): JobError {
  return new JobError('E_INVALIDARG', `Cannot use these proxy settings: ${why}`)
}

function checkLength(
  symbol: 'BG_E_PROXY_LIST_TOO_LARGE' | 'BG_E_PROXY_BYPASS_LIST_TOO_LARGE',
  what: string,
  text: string,
): void {
  if (text.length <= PROXY_LIST_LIMIT) return
  throw new JobError(
    symbol,
    `Cannot use these proxy settings: ${what} has ${text.length} characters, ${PROXY_LIST_LIMIT} is the most`,
  )
}
