/** Every verb with its words: parsing, help and completion are all made from this one table. */

import {
  identityNotes,
  proxyIdentityOptions,
  routeOptions,
  schemeWords,
  serverOptions,
} from './identity-options.ts'
import { trustOptions } from './security.ts'

/** An option of a verb. */
export interface OptionSpec {
  /** The heading it stands under in help; without one it stands above all headings. */
  readonly group?: string
  /** One letter, for `-o`. */
  readonly short?: string
  /** What its value is called; an option without one is a switch. */
  readonly value?: string
  /** Whether it may be given several times. */
  readonly multiple?: boolean
  readonly help: string
  /** The only values there are, for completion. */
  readonly choices?: readonly string[]
  /** Whether several of the choices may be one value, with commas. */
  readonly isList?: boolean
  /** What completes its value. */
  readonly completes?: 'file' | 'folder' | 'job'
}

/** A verb. */
export interface VerbSpec {
  /** What stands behind the verb: `URL…`. */
  readonly operands: string
  readonly summary: string
  /** Paragraphs below the options. */
  readonly notes?: readonly string[]
  readonly options: Readonly<Record<string, OptionSpec>>
  /** What completes its operands. */
  readonly completes?: 'job'
  /** The only operands there are, for completion. */
  readonly choices?: readonly string[]
  readonly leastOperands: number
  readonly mostOperands: number
}

const json: OptionSpec = { help: 'Write JSON to standard output' }
const help: OptionSpec = { short: 'h', help: 'Show this help' }
const MANY = Number.POSITIVE_INFINITY

const durations =
  'A duration D is a number with a unit: 500ms, 30s, 10m, 2h, 14d; without a unit it is in seconds.'
const ids = 'An ID may be shortened as long as it is unique.'
const eitherOr =
  'Give IDs, or --state or --name, or both of these: then jobs are meant of which both are true.'

/** States that something leads out of, and all of them. */
const liveStateWords = [
  'queued',
  'connecting',
  'transferring',
  'suspended',
  'error',
  'transient-error',
  'transferred',
] as const
const stateWords = [...liveStateWords, 'acknowledged', 'cancelled'] as const

/** Which jobs are meant, where their ids are not given. */
function selection(verb: string, choices: readonly string[]): Readonly<Record<string, OptionSpec>> {
  return {
    state: {
      value: 'STATE',
      multiple: true,
      choices,
      isList: true,
      help: `${verb} every job in this state, or in these with commas: ${choices.join(', ')}`,
    },
    name: {
      value: 'PATTERN',
      help: `${verb} every job whose name fits: * stands for any characters, ? for one, and case does not matter`,
    },
  }
}

/** The verbs, in the order in which help shows them. */
export const verbs = {
  get: {
    operands: 'URL…',
    summary:
      'Download files: one job for all URLs, done by the service, followed until it is complete',
    leastOperands: 0,
    mostOperands: MANY,
    options: {
      output: {
        short: 'o',
        value: 'FILE',
        completes: 'file',
        help: 'Save the one URL under this name',
      },
      directory: {
        short: 'd',
        value: 'DIR',
        completes: 'folder',
        help: 'Save in this folder, under the names in the URLs',
      },
      input: {
        short: 'i',
        value: 'LIST',
        completes: 'file',
        help: 'Read more URLs from this file (- for standard input): a line is URL, or URL, a tab and a file name; empty lines and those that begin with # are passed over',
      },
      sha256: { value: 'HEX', help: 'The SHA-256 that the one file must have' },
      digest: {
        value: 'ALG:HEX',
        multiple: true,
        help: 'A digest the one file must have: sha512, sha256, sha1 or md5',
      },
      header: {
        short: 'H',
        value: 'NAME: VALUE',
        multiple: true,
        help: 'Send this header with every request',
      },
      priority: {
        short: 'p',
        value: 'LEVEL',
        choices: ['foreground', 'high', 'normal', 'low'],
        help: 'high, normal (default) or low: one such job after the other, in turns; or foreground: at once, beside all others',
      },
      'retry-delay': {
        value: 'D',
        help: 'Wait at least this long before a failed transfer is tried again (default 5s, not below)',
      },
      'no-progress-timeout': {
        value: 'D',
        help: 'Give up after this long without progress (default 14d; 0 never tries again)',
      },
      'stall-timeout': {
        value: 'D',
        help: 'Give up a connection that brings no byte for this long (default 30s)',
      },
      metered: {
        value: 'POLICY',
        choices: ['always', 'not-roaming', 'no-surcharge', 'standard', 'unrestricted'],
        help: 'On which metered networks it goes on: always, not-roaming, no-surcharge, standard, or unrestricted (none); otherwise as the service is set',
      },
      'content-disposition': { help: 'Let the server name the file, within the folder' },
      force: { short: 'f', help: 'Replace a file that is there already' },
      name: { value: 'TEXT', help: 'Call the job this' },
      detach: { help: 'Do not follow the job: print its id and return' },
      json: { help: 'Write one JSON line per event to standard output' },
      quiet: { short: 'q', help: 'Show nothing but errors and warnings' },
      help,
      ...trustOptions,
      ...serverOptions,
      ...proxyIdentityOptions,
      ...routeOptions,
    },
    notes: [
      ...identityNotes,
      'Ctrl-C detaches: the job goes on in the background. An existing file is never replaced without --force.',
      durations,
      'Exit status: 0 every file is complete under its name, 1 the job failed, 2 wrong usage, 3 the service cannot be reached, 130 detached with Ctrl-C.',
    ],
  },
  follow: {
    operands: 'ID',
    summary: 'Follow a job until it is complete, as the lull get that made it',
    completes: 'job',
    leastOperands: 1,
    mostOperands: 1,
    options: {
      json: { help: 'Write one JSON line per event to standard output' },
      quiet: { short: 'q', help: 'Show nothing but errors and warnings' },
      help,
    },
    notes: [
      ids,
      'Ctrl-C detaches: the job goes on in the background. A suspended job is followed too, and waits for lull resume.',
      'Exit status: that of lull get.',
    ],
  },
  jobs: {
    operands: '',
    summary: 'List jobs',
    leastOperands: 0,
    mostOperands: 0,
    options: {
      all: {
        short: 'a',
        help: 'Every job, however many, and those that are complete or cancelled too',
      },
      limit: { short: 'n', value: 'N', help: 'At most this many (default 1000)' },
      ...selection('Show', stateWords),
      'all-users': { help: 'Jobs of every user; needs an administrator' },
      json,
      help,
    },
  },
  job: {
    operands: 'ID',
    summary: 'Show one job',
    completes: 'job',
    leastOperands: 1,
    mostOperands: 1,
    options: { files: { help: 'Show its files too' }, json, help },
    notes: [ids],
  },
  suspend: {
    operands: '[ID…]',
    summary: 'Pause jobs; what they have is kept',
    completes: 'job',
    leastOperands: 0,
    mostOperands: MANY,
    options: { ...selection('Pause', liveStateWords), json, help },
    notes: [ids, eitherOr],
  },
  resume: {
    operands: '[ID…]',
    summary: 'Start jobs again, at once',
    completes: 'job',
    leastOperands: 0,
    mostOperands: MANY,
    options: { ...selection('Start', liveStateWords), json, help },
    notes: [ids, eitherOr],
  },
  complete: {
    operands: '[ID…]',
    summary: 'Give finished files their names and end the jobs; what is partial is deleted',
    completes: 'job',
    leastOperands: 0,
    mostOperands: MANY,
    options: { ...selection('Complete', liveStateWords), json, help },
    notes: [
      'Jobs of lull get complete themselves: this ends one early, and keeps the files of it that are whole.',
      ids,
      eitherOr,
    ],
  },
  cancel: {
    operands: '[ID…]',
    summary: 'End jobs and delete what is there of them',
    completes: 'job',
    leastOperands: 0,
    mostOperands: MANY,
    options: { ...selection('Cancel', liveStateWords), json, help },
    notes: [ids, eitherOr],
  },
  doctor: {
    operands: '[URL]',
    summary:
      'Find out how a URL is reached, what servers and proxies ask for on the way, and what to do about it',
    leastOperands: 0,
    mostOperands: 1,
    options: {
      job: {
        short: 'j',
        value: 'ID',
        completes: 'job',
        help: 'As this job asks, and for the file it fails with where no URL is given',
      },
      json,
      help,
      ...trustOptions,
      ...serverOptions,
      ...proxyIdentityOptions,
      ...routeOptions,
    },
    notes: [
      'It asks for the first byte and keeps nothing. The report has no password, no token, no user name and no query of a URL in it, so that it can be sent to others.',
      ...identityNotes,
      ids,
      'Exit status: 0 the server answers with success, 1 it does not, 2 wrong usage, 3 the service cannot be reached.',
    ],
  },
  'credentials set': {
    operands: 'ID',
    summary: 'Give a job what it needs when a server or proxy asks who you are',
    completes: 'job',
    leastOperands: 1,
    mostOperands: 1,
    options: { json, help, ...serverOptions, ...proxyIdentityOptions },
    notes: [
      'What is set for the same scheme is replaced, the rest stays. Nothing gives it back.',
      ...identityNotes,
      ids,
    ],
  },
  'credentials remove': {
    operands: 'ID',
    summary: 'Take credentials of a job away',
    completes: 'job',
    leastOperands: 1,
    mostOperands: 1,
    options: {
      scheme: {
        value: 'LIST',
        choices: [...schemeWords, 'bearer'],
        isList: true,
        help: "The server's, for these schemes, with commas",
      },
      'proxy-scheme': {
        value: 'LIST',
        choices: ['basic', 'digest', 'ntlm', 'negotiate'],
        isList: true,
        help: "The proxy's, for these schemes, with commas",
      },
      cert: { help: 'The client certificate' },
      preemptive: { help: 'That the server is told before it asks' },
      all: { short: 'a', help: 'All of it' },
      json,
      help,
    },
    notes: [ids],
  },
  'credentials list': {
    operands: 'ID',
    summary: 'Show for which schemes a job has credentials, and nothing else of them',
    completes: 'job',
    leastOperands: 1,
    mostOperands: 1,
    options: { json, help },
    notes: [ids],
  },
  'proxy set': {
    operands: 'ID',
    summary: 'Choose which way a job goes',
    completes: 'job',
    leastOperands: 1,
    mostOperands: 1,
    options: { json, help, ...routeOptions },
    notes: [
      'A list is read when the job runs; an entry is [http=|https=][SCHEME://]HOST[:PORT], and the schemes are http, https, socks4 and socks5.',
      ids,
    ],
  },
  'proxy show': {
    operands: 'ID',
    summary: 'Show which way a job goes',
    completes: 'job',
    leastOperands: 1,
    mostOperands: 1,
    options: { json, help },
    notes: [ids],
  },
  'trust set': {
    operands: 'ID',
    summary: 'Choose which servers a job trusts',
    completes: 'job',
    leastOperands: 1,
    mostOperands: 1,
    options: { json, help, ...trustOptions },
    notes: [
      'What is not named stays as it is; --security-flags 0 checks everything again, and follows redirects.',
      ids,
    ],
  },
  'vault rotate': {
    operands: '',
    summary: 'Make a new master key, and seal every secret of the queue with it',
    leastOperands: 0,
    mostOperands: 0,
    options: { json, help },
    notes: ['Only the user of the service and administrators may.'],
  },
  serve: {
    operands: '',
    summary: 'Run the service in the foreground; Ctrl-C or SIGTERM ends it with everything synced',
    leastOperands: 0,
    mostOperands: 0,
    options: { help },
    notes: [
      'LULL_HOME names the folder that holds the queue, the socket and the log; one service runs per folder.',
    ],
  },
  stop: {
    operands: '',
    summary: 'Stop the service; jobs go on when it is started again',
    leastOperands: 0,
    mostOperands: 0,
    options: { help },
  },
  status: {
    operands: '',
    summary: 'Show whether the service runs, and where',
    leastOperands: 0,
    mostOperands: 0,
    options: { json, help },
  },
  completion: {
    operands: 'bash|zsh|fish',
    summary: 'Print the completion script of a shell',
    choices: ['bash', 'zsh', 'fish'],
    leastOperands: 1,
    mostOperands: 1,
    options: { help },
    notes: [
      'bash: source <(lull completion bash)',
      'zsh:  source <(lull completion zsh)',
      'fish: lull completion fish | source',
    ],
  },
} as const satisfies Readonly<Record<string, VerbSpec>>

/** The name of a verb: one word, or two where several belong together. */
export type Verb = keyof typeof verbs

/** Whether this is a verb. */
export function isVerb(word: string): word is Verb {
  return Object.hasOwn(verbs, word)
}

/** The first words of all verbs, each once, in their order. */
export const firstWords: readonly string[] = [
  ...new Set(Object.keys(verbs).map((verb) => verb.split(' ')[0] ?? '')),
]

/** The second words that a first one needs; none for a verb of one word. */
export function secondWords(first: string): readonly string[] {
  return Object.keys(verbs)
    .filter((verb) => verb.startsWith(`${first} `))
    .map((verb) => verb.slice(first.length + 1))
}
