/** The command: finds the verb, runs it, says how it ended. */

import { LullError } from '../base/error.ts'
import { UnreachableError } from '../client/unreachable.ts'
import { withoutUserInformation } from '../job/names.ts'
import { RefusedError } from '../rpc/client.ts'
import { CliError, exitStatus, refused, usageError, withSymbol } from './cli-error.ts'
import { nearest } from './nearest.ts'
import { parse, type Arguments } from './parse.ts'
import { firstWords, isVerb, secondWords, type Verb } from './verbs.ts'

/** What each verb does; loaded when it is needed, so that every command starts fast. */
const actions: Readonly<Record<Verb, (args: Arguments) => Promise<number>>> = {
  get: async (args) => (await import('./get.ts')).get(args),
  follow: async (args) => (await import('./follow.ts')).follow(args),
  jobs: async (args) => (await import('./jobs.ts')).jobs(args),
  job: async (args) => (await import('./jobs.ts')).job(args),
  suspend: async (args) => (await import('./control.ts')).control('suspend', args),
  resume: async (args) => (await import('./control.ts')).control('resume', args),
  complete: async (args) => (await import('./control.ts')).control('complete', args),
  cancel: async (args) => (await import('./control.ts')).control('cancel', args),
  doctor: async (args) => (await import('./doctor.ts')).doctor(args),
  'credentials set': async (args) => (await import('./credentials.ts')).setCredentials(args),
  'credentials remove': async (args) => (await import('./credentials.ts')).removeCredentials(args),
  'credentials list': async (args) => (await import('./credentials.ts')).listCredentials(args),
  'proxy set': async (args) => (await import('./proxy.ts')).setProxy(args),
  'proxy show': async (args) => (await import('./proxy.ts')).showProxy(args),
  'trust set': async (args) => (await import('./trust.ts')).setTrust(args),
  'vault rotate': async (args) => (await import('./service.ts')).rotateVault(args),
  serve: async () => (await import('./service.ts')).serve(),
  stop: async () => (await import('./service.ts')).stop(),
  status: async (args) => (await import('./service.ts')).status(args),
  completion: async (args) => {
    process.stdout.write((await import('./completion.ts')).completionScript(args.operands[0] ?? ''))
    return exitStatus.ok
  },
}

/**
 * Runs the command line.
 *
 * @param words without the program's own
 * @returns the exit status; what went wrong stands in the last line on standard error
 */
export async function main(words: readonly string[]): Promise<number> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => outputFailed(error, words[0]))
  process.stderr.on('error', () => undefined)
  try {
    return await run(words)
  } catch (error) {
    const known = asCliError(error)
    process.stderr.write(`${known.lastLine}\n`)
    return known.status
  }
}

/** Whoever reads may stop reading: `lull jobs | head`. Following a job ends in its own way. */
function outputFailed(error: NodeJS.ErrnoException, verb: string | undefined): void {
  if (error.code !== 'EPIPE') {
    const sentence = `Cannot write to standard output: ${error.message}`
    process.stderr.write(
      `${withSymbol(exitStatus.jobError, 'E_UNEXPECTED', 'NONE', sentence).lastLine}\n`,
    )
    process.exit(exitStatus.jobError)
  }
  if (verb !== 'get' && verb !== 'follow') process.exit(exitStatus.ok)
}

async function run([word, ...rest]: readonly string[]): Promise<number> {
  if (word === undefined || word === '--help' || word === '-h' || word === 'help') {
    process.stdout.write(await helpAbout(word === 'help' ? rest : []))
    return word === undefined ? exitStatus.usage : exitStatus.ok
  }
  if (word === '--version' || word === '-V') {
    const { version } = await import('../version.ts')
    process.stdout.write(`lull ${version}\n`)
    return exitStatus.ok
  }
  const [second = '', ...others] = rest
  if (secondWords(word).length > 0 && ['', '--help', '-h'].includes(second)) {
    process.stdout.write(await helpAbout([word]))
    return second === '' ? exitStatus.usage : exitStatus.ok
  }
  const [verb, words] = isVerb(word)
    ? ([word, rest] as const)
    : ([pair(word, second), others] as const)
  const args = parse(verb, words)
  if (args.has('help')) {
    process.stdout.write(await helpAbout([verb]))
    return exitStatus.ok
  }
  return actions[verb](args)
}

/** Help about a verb, about verbs that belong together, or about all. */
async function helpAbout(words: readonly string[]): Promise<string> {
  const { generalHelp, groupHelp, verbHelp } = await import('./help.ts')
  const verb = [words.slice(0, 2).join(' '), words[0] ?? ''].find(isVerb)
  if (verb !== undefined) return verbHelp(verb)
  const first = words[0] ?? ''
  return secondWords(first).length > 0 ? groupHelp(first) : generalHelp()
}

/** The verb of two words. @throws {CliError} exit status 2, with the nearest right one */
function pair(first: string, second: string): Verb {
  const verb = `${first} ${second}`
  if (isVerb(verb)) return verb
  const candidates = secondWords(first)
  if (candidates.length === 0) throw unknownVerb(first)
  const suggestion = nearest(second, candidates)
  const hint =
    suggestion === undefined
      ? `there are ${candidates.join(', ')}`
      : `did you mean lull ${first} ${suggestion}`
  throw usageError(`Cannot understand lull ${first} ${JSON.stringify(second)}: ${hint}`)
}

function unknownVerb(word: string): CliError {
  if (/^https?:/iu.test(word)) {
    const url = withoutUserInformation(word)
    return usageError(`Cannot understand ${url}: did you mean lull get ${url}`)
  }
  const suggestion = nearest(word, firstWords)
  const hint = suggestion === undefined ? 'lull --help lists them' : `did you mean ${suggestion}`
  return usageError(`Cannot understand ${JSON.stringify(word)}: there is no such verb, ${hint}`)
}

function asCliError(error: unknown): CliError {
  if (error instanceof CliError) return error
  if (error instanceof RefusedError) return refused(error)
  if (
    error instanceof UnreachableError ||
    (error instanceof LullError && serviceCodes.has(error.code))
  ) {
    return withSymbol(
      exitStatus.unreachable,
      'RPC_S_SERVER_UNAVAILABLE',
      'GENERAL_QUEUE_MANAGER',
      error.message,
    )
  }
  const sentence = error instanceof Error ? error.message : String(error)
  return withSymbol(
    exitStatus.jobError,
    'E_UNEXPECTED',
    'UNKNOWN',
    `The command failed: ${sentence}`,
  )
}

/** Errors that mean: there is no service. */
const serviceCodes: ReadonlySet<string> = new Set([
  'ERR_SERVICE_START',
  'ERR_SERVICE_HOME',
  'ERR_SERVICE_LOCKED',
  'ERR_SERVICE_SOCKET',
  'ERR_RPC_RESPONSE',
  'ERR_JOB_UNFINISHED',
  'ERR_RPC_HUNG',
  'ERR_CONFIG',
  'ERR_STORE_NEWER',
  'ERR_STORE_DAMAGED',
  'ERR_STORE_FULL',
  'ERR_STORE_FOREIGN',
  'ERR_STORE_BUSY',
  'ERR_STORE_IO',
])
