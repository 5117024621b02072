/** As whom a job shall ask: what the options say, before any secret is read. */

import { resolve } from 'node:path'
import type { AuthTarget, SchemeName } from '../auth/auth.ts'
import type { CredentialParams } from '../rpc/contract.ts'
import { usageError } from './cli-error.ts'
import { schemeWords } from './identity-options.ts'
import { nearest } from './nearest.ts'
import type { Arguments } from './parse.ts'

/** What proves who is asking. */
export type Source =
  | { readonly kind: 'password'; readonly userName: string }
  | { readonly kind: 'implicit' }
  | { readonly kind: 'keytab'; readonly principal: string; readonly keytab: string }
  | { readonly kind: 'tickets'; readonly cache: string; readonly principal?: string }
  | { readonly kind: 'bearer' }

/** What one target gets. */
export interface TargetPlan {
  readonly target: AuthTarget
  readonly source: Source
  /** What `--scheme` names; the usual ones when absent. */
  readonly schemes: readonly SchemeName[] | undefined
  /** Whether its secret is a line of standard input. */
  readonly fromStdin: boolean
}

/** The schemes in the order in which they are tried (A181). */
export const strongestFirst = [
  'negotiate',
  'ntlm',
  'passport',
  'bearer',
  'digest',
  'basic',
] as const satisfies readonly SchemeName[]

/** The schemes each source can answer, strongest first. */
const possible: Readonly<Record<Source['kind'], readonly SchemeName[]>> = {
  password: strongestFirst.filter((scheme) => scheme !== 'bearer'),
  implicit: ['negotiate', 'ntlm'],
  keytab: ['negotiate'],
  tickets: ['negotiate'],
  bearer: ['bearer'],
}

/** How an option of a target is called. */
function optionName(target: AuthTarget, name: string): string {
  return target === 'server' ? name : `proxy-${name}`
}

/**
 * Reads what the options say about one target.
 *
 * @returns `undefined` when they say nothing
 * @throws {CliError} exit status 2
 */
export function planTarget(target: AuthTarget, args: Arguments): TargetPlan | undefined {
  const option = (name: string): string => optionName(target, name)
  const source = readSource(target, args)
  const schemes = readSchemes(target, args)
  const fromStdin = args.has(option('password-stdin')) || args.has(option('bearer-stdin'))
  if (source === undefined) {
    const lonely = ['password-stdin', 'scheme', 'principal'].find(
      (name) => args.has(option(name)) || args.value(option(name)) !== undefined,
    )
    if (lonely === undefined) return undefined
    const partner = lonely === 'principal' ? 'keytab' : 'user'
    throw usageError(`Cannot use --${option(lonely)} alone: --${option(partner)} says whose it is`)
  }
  if (args.has(option('password-stdin')) && source.kind !== 'password') {
    throw usageError(`Cannot use --${option('password-stdin')} without --${option('user')}`)
  }
  const wrong = schemes?.find((scheme) => !isPossible(source, scheme, target))
  if (wrong !== undefined) {
    const others = possible[source.kind].filter((each) => isPossible(source, each, target))
    throw usageError(
      `Cannot answer ${wrong} with --${option(sourceOption[source.kind])}: it answers ${others.join(', ')}`,
    )
  }
  return { target, source, schemes, fromStdin }
}

/** Passport is for servers (A344). */
function isPossible({ kind }: Source, scheme: SchemeName, target: AuthTarget): boolean {
  return possible[kind].includes(scheme) && (scheme !== 'passport' || target === 'server')
}

/** The option that names each source. */
const sourceOption: Readonly<Record<Source['kind'], string>> = {
  password: 'user',
  implicit: 'implicit',
  keytab: 'keytab',
  tickets: 'ccache',
  bearer: 'bearer-stdin',
}

function readSource(target: AuthTarget, args: Arguments): Source | undefined {
  const option = (name: string): string => optionName(target, name)
  const userName = args.value(option('user'))
  const keytab = args.value(option('keytab'))
  const cache = args.value(option('ccache'))
  const principal = args.value(option('principal'))
  const sources: Source[] = []
  if (userName !== undefined) {
    sources.push({ kind: 'password', userName: checkUserName(option('user'), userName) })
  }
  if (args.has(option('implicit'))) sources.push({ kind: 'implicit' })
  if (keytab !== undefined) {
    if (principal === undefined) {
      throw usageError(
        `Cannot use --${option('keytab')} alone: --${option('principal')} says whose key it is`,
      )
    }
    sources.push({ kind: 'keytab', principal, keytab: resolve(keytab) })
  }
  if (cache !== undefined) {
    sources.push({ kind: 'tickets', cache, ...(principal === undefined ? {} : { principal }) })
  }
  if (args.has(option('bearer-stdin'))) sources.push({ kind: 'bearer' })
  const [first, second] = sources
  if (first === undefined || second === undefined) return first
  const names = [first, second].map(({ kind }) => `--${option(sourceOption[kind])}`)
  throw usageError(`Cannot use both ${names.join(' and ')}: the ${target} gets one of them`)
}

/** The message does not repeat the name: what stands behind a colon may be a password. */
function checkUserName(option: string, userName: string): string {
  if (userName === '') throw usageError(`Cannot use --${option} without a name`)
  if (!userName.includes(':')) return userName
  throw usageError(
    `Cannot use a --${option} with a colon: a password never stands on a command line, where everybody can read it; it is asked for`,
  )
}

function readSchemes(target: AuthTarget, args: Arguments): readonly SchemeName[] | undefined {
  const option = optionName(target, 'scheme')
  const lists = args.values(option)
  if (lists.length === 0) return undefined
  const words = lists.flatMap((list) => list.split(/[\s,]+/u)).filter((word) => word !== '')
  if (words.length === 0) throw usageError(`Cannot use an empty --${option}`)
  return [...new Set(words.map((word) => readScheme(option, word)))]
}

/** Reads the name of a scheme. @throws {CliError} exit status 2, with the nearest right one */
export function readScheme(option: string, word: string): SchemeName {
  const names = option.startsWith('proxy-') ? schemeWords.slice(0, -1) : schemeWords
  const lower = word.toLowerCase()
  const found = [...schemeWords, 'bearer' as const].find((each) => each === lower)
  if (found !== undefined) return found
  const suggestion = otherWords.get(lower) ?? nearest(lower, names)
  const hint =
    suggestion === undefined ? `there are ${names.join(', ')}` : `did you mean ${suggestion}`
  throw usageError(`Cannot understand --${option} ${JSON.stringify(word)}: ${hint}`)
}

/** What else people call them. */
const otherWords: ReadonlyMap<string, SchemeName> = new Map([
  ['kerberos', 'negotiate'],
  ['krb5', 'negotiate'],
  ['spnego', 'negotiate'],
  ['gssapi', 'negotiate'],
  ['ntlmv2', 'ntlm'],
])

/**
 * The schemes of a plan: those that were named, or every one that does not show the password on the way (A183). Passport
 * signs in with an e-mail address (A23), so that other names cannot answer it.
 *
 * @param isSecure whether everything that is said to the target is encrypted
 */
export function schemesOf(
  { target, source, schemes }: TargetPlan,
  isSecure: boolean,
): readonly SchemeName[] {
  if (schemes !== undefined) return schemes
  return possible[source.kind].filter((scheme) => {
    if (!isPossible(source, scheme, target)) return false
    if (scheme === 'basic') return isSecure
    if (scheme !== 'passport') return true
    return source.kind === 'password' && /^[^\\]+@[^\\]+$/u.test(source.userName)
  })
}

/** One pair for each scheme. @param secret the password or token; `undefined` for a source that has none */
export function pairsOf(
  plan: TargetPlan,
  secret: string | undefined,
  isSecure: boolean,
): readonly CredentialParams[] {
  const credentials = credentialsOf(plan.source, secret ?? '')
  return schemesOf(plan, isSecure).map((scheme) => ({ target: plan.target, scheme, credentials }))
}

function credentialsOf(source: Source, secret: string): CredentialParams['credentials'] {
  switch (source.kind) {
    case 'password':
      return { userName: source.userName, password: secret }
    case 'implicit':
      return { userName: null, password: null }
    case 'bearer':
      return { kind: 'bearer', token: secret }
    case 'keytab':
    case 'tickets':
      return source
    default:
      return source satisfies never
  }
}
