/**
 * What Passport 1.4 puts into header fields (MS-PASS §2.2): lists that are neither those of RFC 9110 nor anybody
 * else's. Elements are separated by commas; a value may be in single quotes, which belong to it; values that were not
 * meant to have commas have them nevertheless.
 */

/** The `auth-scheme` token, as it is written. */
export const passportToken = 'Passport1.4'

/** What can stand in a field's value: everything but controls (RFC 9110 §5.5). */
const sendable = /^[\x20-\x7e\x80-\xff]*$/

/** Whether text that a peer sent may be sent on. */
export function isSendable(text: string): boolean {
  return sendable.test(text)
}

/** One element of a list; `value` is absent for a bare word. */
export interface PassportElement {
  /** As written. */
  readonly name: string
  /** As written, quotes included. */
  readonly value?: string
}

/**
 * Splits a list into its elements; blanks around them are cut. Takes time linear in the text.
 *
 * @param isName whether a name is one of the list's; an element with another name belongs to the value before it, comma
 *   included. Every name is, when absent.
 */
export function parseElements(
  text: string,
  isName: (name: string) => boolean = () => true,
): readonly PassportElement[] {
  const elements: PassportElement[] = []
  for (const piece of pieces(text)) {
    const equals = piece.indexOf('=')
    const name = (equals < 0 ? piece : piece.slice(0, equals)).trim()
    const last = elements.at(-1)
    if (!isName(name.toLowerCase()) && last?.value !== undefined) {
      elements[elements.length - 1] = { name: last.name, value: `${last.value},${piece}` }
    } else if (name !== '') {
      elements.push(equals < 0 ? { name } : { name, value: piece.slice(equals + 1).trim() })
    }
  }
  return elements
}

/** The text between commas, except commas in single quotes right after an equals sign. */
function* pieces(text: string): Iterable<string> {
  for (let start = 0; start <= text.length;) {
    const comma = endOfPiece(text, start)
    yield text.slice(start, comma).trim()
    start = comma + 1
  }
}

function endOfPiece(text: string, start: number): number {
  const comma = indexOrEnd(text, ',', start)
  // Looked for in the piece only, so that a text of many pieces is not searched to its end for each.
  const quote = text.slice(start, comma).indexOf("='")
  if (quote < 0) return comma
  const closing = text.indexOf("'", start + quote + 2)
  return closing < 0 ? comma : indexOrEnd(text, ',', closing)
}

function indexOrEnd(text: string, searched: string, from: number): number {
  const index = text.indexOf(searched, from)
  return index < 0 ? text.length : index
}

/** The first value with this lower-case name. */
function valueOf(elements: readonly PassportElement[], name: string): string | undefined {
  return elements.find((element) => element.name.toLowerCase() === name)?.value
}

/** Where and as whom to sign in: `PassportURLs` of the configuration server (A331). */
export interface PassportConfiguration {
  /** What the sign-in server calls itself. */
  readonly realm: string
  /** Absolute. */
  readonly loginUrl: string
  /** Counts up; 0 when not said. */
  readonly version: number
}

/** The elements of `PassportURLs`, lower case. */
const configurationNames: ReadonlySet<string> = new Set([
  'darealm',
  'dalogin',
  'dareg',
  'properties',
  'privacy',
  'generalredir',
  'help',
  'configversion',
])

/**
 * Reads `PassportURLs`. A sign-in address without a scheme gets `https://` (A331).
 *
 * @returns `undefined` when there is no realm or no usable address
 */
export function parseConfiguration(value: string): PassportConfiguration | undefined {
  const elements = parseElements(value, (name) => configurationNames.has(name))
  const realm = valueOf(elements, 'darealm')
  const login = valueOf(elements, 'dalogin')
  if (realm === undefined || login === undefined || realm === '') return undefined
  const loginUrl = /^[a-z][a-z0-9+.-]*:\/\//i.test(login) ? login : `https://${login}`
  if (!URL.canParse(loginUrl)) return undefined
  return { realm, loginUrl, version: parseVersion(valueOf(elements, 'configversion')) }
}

/** Reads `PassportConfig: ConfigVersion=N`; 0 when it says nothing (A331). */
export function parseConfigurationVersion(value: string): number {
  return parseVersion(valueOf(parseElements(value), 'configversion'))
}

function parseVersion(text = ''): number {
  return /^\d{1,9}$/.test(text) ? Number(text) : 0
}

/** What a sign-in server says when it wants to know more (A335). */
export interface SignInChallenge {
  /** `failed`, `failed-noretry`, or what else it says; lower case. */
  readonly status: string
  /** The realm of the sign-in server; empty when not said. */
  readonly realm: string
  /** To be sent back unchanged. */
  readonly custom: readonly string[]
  /** Whether the name and the password are to be those of somebody who sits there now. */
  readonly isPrompt: boolean
}

/** Elements that mean something to us and are not sent back. */
const ownElements: ReadonlySet<string> = new Set([
  'da-status',
  'srealm',
  'prompt',
  'cburl',
  'cbtxt',
])

/** Reads the text of a sign-in server's challenge. */
export function parseSignInChallenge(text: string): SignInChallenge {
  const elements = parseElements(text)
  return {
    status: (valueOf(elements, 'da-status') ?? '').toLowerCase(),
    realm: valueOf(elements, 'srealm') ?? '',
    custom: elements
      .filter(({ name }) => !ownElements.has(name.toLowerCase()))
      .map(({ name, value }) => (value === undefined ? name : `${name}=${value}`)),
    isPrompt: elements.some(({ name }) => name.toLowerCase() === 'prompt'),
  }
}

/** What `Authentication-Info` says (A338, A339, A341, A342). */
export interface PassportInfo {
  /** `success`, `redir`, `logout`, or what else it says; lower case, empty when not said. */
  readonly status: string
  /** What a partner takes for proof, quotes included; sent back unchanged. */
  readonly ticket?: string
  /** Where to take it. */
  readonly returnUrl?: string
  /** The cookies that carry the proof from now on. */
  readonly cookieNames: readonly string[]
}

/** Elements that are known; any other belongs to the value before it, because addresses have commas. */
const infoNames: ReadonlySet<string> = new Set(['da-status', 'tname', 'from-pp', 'ru'])

/** Reads the lines of `Authentication-Info`; `undefined` when none of them is Passport's. */
export function parsePassportInfo(fieldValues: readonly string[]): PassportInfo | undefined {
  const lines = fieldValues.map(textAfterToken).filter((text) => text !== undefined)
  if (lines.length === 0) return undefined
  const elements = lines.flatMap((line) => parseElements(line, (name) => infoNames.has(name)))
  const ticket = valueOf(elements, 'from-pp')
  const returnUrl = valueOf(elements, 'ru')
  return {
    status: (valueOf(elements, 'da-status') ?? '').toLowerCase(),
    ...(ticket === undefined ? {} : { ticket }),
    ...(returnUrl === undefined ? {} : { returnUrl }),
    cookieNames: elements
      .filter(({ name }) => name.toLowerCase() === 'tname')
      .map(({ value = '' }) => value),
  }
}

/** What stands after `Passport1.4` and blanks; `undefined` when that is not how the value begins. */
export function textAfterToken(value: string): string | undefined {
  const [token = '', ...rest] = value.trim().split(' ')
  return token.toLowerCase() === passportToken.toLowerCase() ? rest.join(' ').trim() : undefined
}

/** What every request to a sign-in server says about the request it is for. */
export interface OriginalRequest {
  readonly method: string
  readonly url: URL
  /** The text of the partner's challenge, sent on unread (A333). */
  readonly parameters: string
}

/** The value of `Authorization` that asks for a ticket by cookies alone (A334). */
export function formatTokenRequest(original: OriginalRequest): string {
  return `${passportToken} ${joinElements('tname=', ...describe(original), original.parameters)}`
}

/** What a sign-in request says besides. */
export interface SignInFacts {
  readonly userName: string
  /** UTF-8; only read. */
  readonly password: Uint8Array
  /** Whole seconds since the credentials were given; 0 when somebody has just typed them. */
  readonly elapsedSeconds: number
  /** Of the challenge (A335). */
  readonly custom: readonly string[]
}

/** The value of `Authorization` that proves the user (A336). It holds the password: for TLS only (A337). */
export function formatSignIn(original: OriginalRequest, facts: SignInFacts): string {
  return `${passportToken} ${joinElements(
    `sign-in=${escapePassport(new TextEncoder().encode(facts.userName))}`,
    `pwd=${escapePassport(facts.password)}`,
    `elapsed-time=${facts.elapsedSeconds}`,
    ...describe(original),
    ...facts.custom,
    original.parameters,
  )}`
}

/** The value of `Authorization` that takes a ticket to the partner (A340). */
export function formatTicket(ticket: string): string {
  return `${passportToken} from-PP=${ticket}`
}

function describe({ method, url }: OriginalRequest): readonly string[] {
  return [`OrgVerb=${method}`, `OrgUrl=${withoutFragment(url)}`]
}

function withoutFragment(url: URL): string {
  const copy = new URL(url.href)
  copy.hash = ''
  copy.username = ''
  copy.password = ''
  return copy.href
}

function joinElements(...elements: readonly string[]): string {
  return elements.filter((element) => element !== '').join(',')
}

/** RFC 2396 §2.3. */
const unreserved = /[A-Za-z0-9\-_.!~*'()]/

/** UTF-8 with everything but the unreserved characters escaped, commas above all (A336, V73). */
export function escapePassport(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) {
    const character = String.fromCharCode(byte)
    text += unreserved.test(character)
      ? character
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return text
}
