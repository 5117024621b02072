/**
 * Lists of hosts that are reached without a proxy: `<local> *.example.com 10.0.0.0/8 https://x.example:8443` (N20 to
 * N24).
 *
 * Besides what a list names, the machine itself and its link are never asked of a proxy, unless `<-loopback>` says so.
 * Later rules win, and the rules nobody wrote come first of all (N22).
 */

import { addressBytes, isInside, parseHost, parsePort, parsePrefix, unmapped } from './address.ts'
import type { AddressBytes } from './address.ts'
import { invalidProxyInfo } from './failure.ts'
import { LONGEST_LIST, listSeparators } from './proxy-list.ts'

/** Hosts that are reached without a proxy. */
export interface Bypass {
  /**
   * Which rule sends a URL straight to its server.
   *
   * @returns the rule as it was written, or a word for the rules nobody wrote; undefined when a proxy is asked
   */
  match(url: URL): string | undefined
  /** What people should know about the list; sentences without a full stop. */
  readonly warnings: readonly string[]
}

/** How the lists of a place are read. */
export interface BypassOptions {
  /**
   * What a name means: that host alone, as on Windows and macOS, or with everything below it, as in GNOME and KDE,
   * where also `*.example.com` and `.example.com` mean `example.com` too.
   */
  readonly names?: 'exact' | 'domain'
  /** Whether entries that do not parse are left out, as desktops do with what they have stored. */
  readonly isLenient?: boolean
}

/** What a rule looks at. */
interface Subject {
  readonly scheme: string
  /** Lower case, without brackets and trailing dot. */
  readonly host: string
  readonly port: number
  readonly address: AddressBytes | undefined
}

interface Rule {
  readonly text: string
  /** `asks`: what it names goes through the proxy after all. */
  readonly effect: 'bypasses' | 'asks'
  readonly isNamed: (subject: Subject) => boolean
}

/** Words in angle brackets. */
const words: ReadonlyMap<string, Omit<Rule, 'text'>> = new Map([
  ['<local>', { effect: 'bypasses', isNamed: isPlainName }],
  ['<-loopback>', { effect: 'asks', isNamed: isLocalMachine }],
] as const)

/**
 * Reads a bypass list; an empty one has the rules nobody wrote.
 *
 * @throws {FailureError} `BG_E_INVALID_PROXY_INFO` when an entry does not parse and the options do not forgive it
 */
export function parseBypass(text: string, options: BypassOptions = {}): Bypass {
  if (text.length > LONGEST_LIST) {
    throw invalidProxyInfo(`Cannot use the bypass list: it is ${text.length} characters long`)
  }
  return bypassOf(text.split(listSeparators), options)
}

/** Reads a bypass list that is stored entry by entry. */
export function bypassOf(entries: readonly string[], options: BypassOptions = {}): Bypass {
  const rules: Rule[] = []
  const warnings: string[] = []
  for (const text of entries) {
    if (text === '') continue
    const rule = parseRule(text, options)
    if (rule !== undefined) rules.unshift(rule)
    else if (options.isLenient === true) warnings.push(`${quote(text)} names no host: left out`)
    else throw invalidProxyInfo(`Cannot use the bypass list: no host is meant by ${quote(text)}`)
    if (rule !== undefined && options.names !== 'domain' && isWildInside(text)) {
      warnings.push(`${quote(text)} has a wildcard that is not leftmost: Windows would ignore it`)
    }
  }
  return {
    warnings,
    match(url) {
      const subject = subjectOf(url)
      for (const { effect, isNamed, text } of rules) {
        if (isNamed(subject)) return effect === 'bypasses' ? text : undefined
      }
      return isLocalMachine(subject) ? 'the machine itself' : undefined
    },
  }
}

/** Whether a wildcard stands anywhere but in front of the host; BITS has them nowhere else (N20). */
function isWildInside(text: string): boolean {
  return text.replace(/^[a-z][a-z\d+.-]*:\/\//iu, '').lastIndexOf('*') > 0
}

/** The rules nobody wrote, alone. */
export const loopbackBypass: Bypass = bypassOf([])

/** A list that is read when it is first asked, and fails then (N2). */
export function lateBypass(text: string): Bypass {
  let bypass: Bypass | undefined
  return {
    get warnings() {
      return bypass?.warnings ?? []
    },
    match(url) {
      bypass ??= parseBypass(text)
      return bypass.match(url)
    },
  }
}

function subjectOf({ protocol, hostname, port }: URL): Subject {
  const bare = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
  const host = bare.endsWith('.') ? bare.slice(0, -1) : bare
  const address = addressBytes(host)
  return {
    scheme: protocol.slice(0, -1),
    host,
    port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port),
    address: address === undefined ? undefined : unmapped(address),
  }
}

function isPlainName({ host, address }: Subject): boolean {
  return address === undefined && !host.includes('.')
}

const localNames = new Set(['localhost', 'loopback'])
const localPrefixes = ['127.0.0.0/8', '::1/128', '169.254.0.0/16', 'fe80::/10'].flatMap(
  (text) => parsePrefix(text) ?? [],
)

function isLocalMachine({ host, address }: Subject): boolean {
  if (address === undefined) return localNames.has(host) || host.endsWith('.localhost')
  return localPrefixes.some((prefix) => isInside(address, prefix))
}

/** `[scheme://]host-pattern[:port]`, a prefix, or a word in angle brackets. */
function parseRule(text: string, options: BypassOptions): Rule | undefined {
  const word = words.get(text.toLowerCase())
  if (word !== undefined) return { text, ...word }
  const [, scheme, rest = ''] = /^(?:([a-z][a-z\d+.-]*):\/\/)?(.*)$/isu.exec(text) ?? []
  const prefix = parsePrefix(rest)
  const namesHost =
    prefix === undefined
      ? hostRule(rest, options)
      : ({ address }: Subject) => address !== undefined && isInside(address, prefix)
  if (namesHost === undefined) return undefined
  const only = scheme?.toLowerCase()
  return {
    text,
    effect: 'bypasses',
    isNamed: (subject) => (only === undefined || only === subject.scheme) && namesHost(subject),
  }
}

function hostRule(text: string, options: BypassOptions): Rule['isNamed'] | undefined {
  const bare = addressBytes(text)
  if (bare !== undefined) return sameAddress(bare)
  const [, pattern = '', colon, digits = ''] = /^(\[[^\]]*\]|[^:]*)(:)?(.*)$/su.exec(text) ?? []
  const port = colon === undefined ? undefined : parsePort(digits)
  if ((colon === undefined) !== (port === undefined)) return undefined
  if (colon === undefined && digits !== '') return undefined
  const namesHost = patternRule(pattern, options)
  if (namesHost === undefined || port === undefined) return namesHost
  return (subject) => subject.port === port && namesHost(subject)
}

function patternRule(pattern: string, options: BypassOptions): Rule['isNamed'] | undefined {
  if (pattern.startsWith('[')) {
    const address = addressBytes(pattern.slice(1, -1))
    return address?.length === 16 ? sameAddress(address) : undefined
  }
  const host = parsePattern(pattern)
  if (host === undefined) return undefined
  const address = addressBytes(host)
  if (address !== undefined) return sameAddress(address)
  if (options.names === 'domain') {
    const domain = host.replace(/^\*?\./u, '')
    if (!domain.includes('*')) {
      return (subject) => subject.host === domain || subject.host.endsWith(`.${domain}`)
    }
  }
  if (!host.includes('*') && !host.startsWith('.')) return (subject) => subject.host === host
  const glob = host.startsWith('.') ? `*${host}` : host
  return (subject) => matchesGlob(subject.host, glob)
}

function sameAddress(bytes: AddressBytes): Rule['isNamed'] {
  const base = unmapped(bytes)
  return ({ address }) =>
    address !== undefined && isInside(address, { base, bits: base.length * 8 })
}

/** A host, perhaps with wildcards, as {@link subjectOf} writes hosts. */
function parsePattern(text: string): string | undefined {
  const pattern = text.endsWith('.') ? text.slice(0, -1) : text
  if (!/[*]|^\./u.test(pattern)) return parseHost(pattern)
  if (/^[*.]+$/u.test(pattern)) return pattern.includes('*') ? pattern : undefined
  if (/[\u0080-\uffff]/u.test(pattern)) return internationalPattern(pattern)
  return /^[\w*.~!$&()+-]+$/u.test(pattern) ? pattern.toLowerCase() : undefined
}

/** Label by label: those with a wildcard stay as they are, the others take their ASCII form (N23). */
function internationalPattern(pattern: string): string | undefined {
  const labels = pattern.split('.').map((label) => {
    return label === '' || label.includes('*') ? label.toLowerCase() : parseHost(label)
  })
  return labels.includes(undefined) ? undefined : labels.join('.')
}

/** Whether a pattern in which `*` stands for any run of characters covers the whole text; in linear space and no recursion. */
export function matchesGlob(text: string, pattern: string): boolean {
  let at = 0
  let inPattern = 0
  let star = -1
  let afterStar = 0
  while (at < text.length) {
    if (pattern[inPattern] === '*') {
      star = inPattern++
      afterStar = at
    } else if (pattern[inPattern] === text[at]) {
      at++
      inPattern++
    } else if (star >= 0) {
      inPattern = star + 1
      at = ++afterStar
    } else return false
  }
  while (pattern[inPattern] === '*') inPattern++
  return inPattern === pattern.length
}

function quote(entry: string): string {
  return entry.length > 80 ? `${entry.slice(0, 80)}…` : entry
}
