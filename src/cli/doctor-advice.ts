/** What can be done about what an examination met. */

import type { AuthTarget } from '../auth/auth.ts'
import type { FindingView } from '../rpc/contract.ts'

/** What was examined, as a command names it. */
export type Subject =
  /** With the options that were given; those with a secret of standard input among them. */
  | { readonly kind: 'url'; readonly url: string; readonly options: readonly GivenOption[] }
  /** @param id as many of its characters as commands show */
  | { readonly kind: 'job'; readonly id: string }

/** An option as it was given. */
export interface GivenOption {
  readonly name: string
  readonly values: readonly string[]
}

/** One thing to do. */
export interface Advice {
  /** Sentence case, no full stop. */
  readonly sentence: string
  /** To be typed one after the other. */
  readonly commands: readonly string[]
}

/** How an examination ended. */
export interface Outcome {
  /** Of the final answer, where there was one. */
  readonly status?: number
  /** Of the failure, or of the status where that is one. */
  readonly symbol: string
}

type Found<Kind extends FindingView['kind']> = Extract<FindingView, { readonly kind: Kind }>

/** What to do, the likeliest cure first; nothing where nobody here can do anything. */
export function adviceFor(
  findings: readonly FindingView[],
  { status, symbol }: Outcome,
  subject: Subject,
): readonly Advice[] {
  const given = status === undefined ? symbol : `BG_E_HTTP_ERROR_${status}`
  if (given === 'BG_E_HTTP_ERROR_401') return proofAdvice('server', findings, subject)
  if (given === 'BG_E_HTTP_ERROR_407') return proofAdvice('proxy', findings, subject)
  const unasked = unaskedAdvice(findings, status, subject)
  if (unasked.length > 0) return unasked
  const cure = cures.get(symbol)
  if (cure !== undefined) {
    const { sentence, option } = cure
    return [{ sentence, commands: option === undefined ? [] : withOption(subject, option) }]
  }
  if (!looksWalled.has(symbol)) return []
  const way = firstThatAnswers(findings)
  if (way !== undefined && way !== 'direct') return []
  const { sentence, option } = way === undefined ? otherProxy : anyProxy
  return [{ sentence, commands: withOption(subject, option) }]
}

/** Where a network lets nothing out but through its proxy, this is how it looks. */
const looksWalled: ReadonlySet<string> = new Set([
  'ERROR_WINHTTP_NAME_NOT_RESOLVED',
  'ERROR_WINHTTP_CANNOT_CONNECT',
  'ERROR_WINHTTP_TIMEOUT',
  'ERROR_WINHTTP_CONNECTION_ERROR',
])

/** The hop of the last way that was taken in the end; `undefined` where all of them are away. */
function firstThatAnswers(findings: readonly FindingView[]): string | undefined {
  const way = findings.findLast((finding) => finding.kind === 'way')
  const dead = new Set(
    findings.flatMap((finding) => (finding.kind === 'unreachable' ? [finding.proxy] : [])),
  )
  return way?.hops.find((hop) => !dead.has(hop))
}

const anyProxy = {
  sentence:
    'If this network lets nothing out but through a proxy, name it (http://proxy:8080), or have it found (auto)',
  option: '--proxy PROXY',
} as const
const otherProxy = { sentence: 'Name another proxy, or none', option: '--proxy PROXY' } as const
const otherScript = {
  sentence: 'Tell whoever wrote the script; until it is mended, name the proxy yourself',
  option: '--proxy PROXY',
} as const

/** What mends a failure by its symbol. */
const cures: ReadonlyMap<string, { readonly sentence: string; readonly option?: string }> = new Map<
  string,
  { readonly sentence: string; readonly option?: string }
>([
  [
    'ERROR_WINHTTP_CLIENT_AUTH_CERT_NEEDED',
    { sentence: 'Show the server a client certificate', option: '--cert FILE' },
  ],
  [
    'ERROR_WINHTTP_SECURE_INVALID_CA',
    {
      sentence:
        'If you know whoever issued the certificate above (a company that looks into TLS, a server of your own), trust it with a PEM file of that authority; or put the authority into the store of the system, and all programs trust it',
      option: '--cacert FILE',
    },
  ],
  [
    'ERROR_WINHTTP_SECURE_CERT_DATE_INVALID',
    {
      sentence:
        'Look at the date and time of this machine; if they are right, whoever runs the server has to renew its certificate',
    },
  ],
  [
    'ERROR_WINHTTP_SECURE_CERT_CN_INVALID',
    {
      sentence:
        'Ask for the server by a name that stands in its certificate; if the name is right, something else answers in its place',
    },
  ],
  [
    'ERROR_WINHTTP_SECURE_CERT_WRONG_USAGE',
    { sentence: 'Whoever runs the server has to get a certificate that is for servers' },
  ],
  [
    'ERROR_WINHTTP_SECURE_CERT_REVOKED',
    { sentence: 'Tell whoever runs the server: its authority has taken the certificate back' },
  ],
  [
    'ERROR_WINHTTP_SECURE_CERT_REV_FAILED',
    {
      sentence:
        'Look whether this machine reaches the list that is named above, over http and the way that the job goes; one that has expired its authority has to renew',
    },
  ],
  ['BG_E_PROXY_NAME_RESOLUTION_FAILURE', otherProxy],
  ['BG_E_INVALID_PROXY_INFO', otherProxy],
  [
    'ERROR_WINHTTP_UNABLE_TO_DOWNLOAD_SCRIPT',
    {
      sentence:
        'Look whether the script is there; until it can be fetched, name the proxy yourself',
      option: '--proxy PROXY',
    },
  ],
  ['ERROR_WINHTTP_BAD_AUTO_PROXY_SCRIPT', otherScript],
])

function proofAdvice(
  target: AuthTarget,
  findings: readonly FindingView[],
  subject: Subject,
): readonly Advice[] {
  const proof = findings.findLast(
    (finding) =>
      finding.kind === 'proof' && finding.target === target && finding.outcome === 'failed',
  )
  const last = proof?.kind === 'proof' ? proof : undefined
  const list = listAdvice(last)
  const ticket = list.length > 0 ? list : ticketAdvice(target, last, findings, subject)
  return [...ticket, ...passwordAdvice(target, last, subject)]
}

/** Options that say who is asking. */
const identityNames: ReadonlySet<string> = new Set([
  'user',
  'implicit',
  'keytab',
  'ccache',
  'bearer-stdin',
])

/** A server that lets everybody in asks nobody, and refuses this file, or denies that there is one, all the same (A85). */
function unaskedAdvice(
  findings: readonly FindingView[],
  status: number | undefined,
  subject: Subject,
): readonly Advice[] {
  if (status !== 403 && status !== 404) return []
  // It asked, or was told unasked.
  if (findings.some((finding) => finding.kind === 'proof' && finding.target === 'server')) return []
  const isSomebody =
    subject.kind === 'url' && subject.options.some(({ name }) => identityNames.has(name))
  if (!isSomebody) return []
  const sentence =
    'The server did not ask who is there, so that it was not told; if it shows the file to some people only, tell it all the same'
  return [{ sentence, commands: withOption(subject, '--preemptive') }]
}

/** Who is logged on is told to hosts of a list only, and hardly anybody knows that there is one. */
function listAdvice(proof: Found<'proof'> | undefined): readonly Advice[] {
  const isListed = !proof?.schemes.some(({ reason }) => reason.includes('outside the list'))
  if (proof === undefined || isListed) return []
  const host = JSON.stringify(new URL(proof.peer).hostname)
  return [
    {
      sentence: `If ${host} may know who is logged on, say so in the service's configuration, and stop the service`,
      commands: [
        `"authentication": { "implicitHosts": ["<local>", "<domain>", ${host}] }`,
        'lull stop',
      ],
    },
  ]
}

function ticketAdvice(
  target: AuthTarget,
  proof: Found<'proof'> | undefined,
  findings: readonly FindingView[],
  subject: Subject,
): readonly Advice[] {
  if (proof?.offered.includes('negotiate') !== true) return []
  if (findings.some(({ kind }) => kind === 'missing')) return []
  const tickets = findings.filter((finding) => finding.kind === 'ticket')
  const implicit = withOption(subject, `--${optionOf(target, 'implicit')}`)
  if (tickets.length === 0) {
    const sentence = 'If klist shows a Kerberos ticket, nothing has to be typed'
    return [{ sentence, commands: implicit }]
  }
  const isWithout = tickets.some(
    ({ identity, reason }) => reason !== undefined && identity !== 'password',
  )
  if (!isWithout) return []
  const sentence = 'For Kerberos, get a ticket, and look whether it is there'
  return [{ sentence, commands: ['kinit USER@REALM', 'klist', ...implicit] }]
}

function passwordAdvice(
  target: AuthTarget,
  proof: Found<'proof'> | undefined,
  subject: Subject,
): readonly Advice[] {
  const offered = new Set(proof?.offered ?? [])
  if (offered.has('bearer')) {
    const sentence = `Give the ${target} a token`
    return [{ sentence, commands: withOption(subject, '--bearer-stdin') }]
  }
  const isReadable = proof !== undefined && new URL(proof.peer).protocol === 'http:'
  const isBasic = offered.size === 1 && offered.has('basic') && isReadable
  const scheme = isBasic ? ` --${optionOf(target, 'scheme')} basic` : ''
  const isRefused = proof?.reason?.includes('refused') === true
  const sentence = isRefused
    ? `The ${target} refused what it was given: look at the name (user, DOMAIN\\user or user@REALM) and the password`
    : `Tell the ${target} who you are${isBasic ? '; it knows Basic alone, so that the password can be read on the way' : ''}`
  return [
    { sentence, commands: withOption(subject, `--${optionOf(target, 'user')} NAME${scheme}`) },
  ]
}

function optionOf(target: AuthTarget, name: string): string {
  return target === 'proxy' ? `proxy-${name}` : name
}

/** Options of which one takes the place of the others. */
const families: readonly ReadonlySet<string>[] = [
  new Set([
    'user',
    'password-stdin',
    'scheme',
    'implicit',
    'keytab',
    'principal',
    'ccache',
    'bearer-stdin',
  ]),
  new Set(
    ['user', 'password-stdin', 'scheme', 'implicit', 'keytab', 'principal', 'ccache'].map(
      (name) => `proxy-${name}`,
    ),
  ),
  new Set(['cert', 'key', 'passphrase-stdin', 'cert-id', 'cert-name']),
  new Set(['proxy', 'noproxy', 'pac']),
  new Set(['cacert']),
]

/** The commands that try again with one more option, or with others in the place of some. */
function withOption(subject: Subject, added: string): readonly string[] {
  const name = /^--(\S+)/u.exec(added)?.[1] ?? ''
  if (subject.kind === 'job') return ofJob(subject.id, name, added)
  const family = families.find((each) => each.has(name))
  const kept = subject.options
    .filter((option) => family?.has(option.name) !== true)
    .flatMap(({ name, values }) =>
      values.length === 0 ? [`--${name}`] : values.map((value) => `--${name} ${quoted(value)}`),
    )
  return [['lull get', quoted(subject.url), ...kept, added].join(' ')]
}

/** What sets an option of a job that there is. */
const setters: ReadonlyMap<string, string> = new Map([
  ['proxy', 'proxy set'],
  ['cacert', 'trust set'],
])

function ofJob(id: string, name: string, added: string): readonly string[] {
  const verb = setters.get(name) ?? 'credentials set'
  return [`lull ${verb} ${id} ${added}`, `lull resume ${id}`]
}

/** As a shell takes it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/u.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
