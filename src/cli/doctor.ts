/** `lull doctor`: how a URL is reached, what is asked for on the way, and what can be done about it. */

import { arch, release, type } from 'node:os'
import { JobError } from '../job/failure.ts'
import { formatHresult, httpStatusHresult, httpStatusSymbol } from '../job/hresult.ts'
import { checkRemoteName, withoutUserInformation } from '../job/names.ts'
import { asCaller } from '../job/proxy-rules.ts'
import type { RpcClient } from '../rpc/client.ts'
import type { ExamineParams, FailureView, FindingView } from '../rpc/contract.ts'
import { version } from '../version.ts'
import { exitStatus, usageError, withSymbol } from './cli-error.ts'
import { harmless, wrap } from './columns.ts'
import { connect } from './connect.ts'
import { adviceFor, type Outcome, type Subject } from './doctor-advice.ts'
import { refuserOf, reportLines } from './doctor-report.ts'
import { describeHosts } from './hosts.ts'
import { IdentityReader, planIdentity } from './identity.ts'
import type { Arguments } from './parse.ts'
import { isProxySecure, proxySettingsOf } from './route-arguments.ts'
import { SecretInput } from './secret-input.ts'
import { trustOf } from './trust.ts'
import { verbs } from './verbs.ts'

/** Spaces that each depth of a report stands inside. */
const INDENT = 2

/** There is no first byte in an empty file (RFC 9110 §15.5.17). */
const NO_SUCH_RANGE = 416

/**
 * Runs `lull doctor`.
 *
 * @returns the exit status: 0 when the server answers with success
 * @throws {CliError} exit status 2 when there is neither a URL nor a job
 */
export async function doctor(args: Arguments): Promise<number> {
  const [url] = args.operands
  if (url !== undefined) checkUrl(url)
  else if (args.value('job') === undefined) {
    throw usageError('Cannot examine nothing: give a URL, or a job with --job')
  }
  const { client, question } = await ask(args)
  const findings = await examine(client, question)
  const ending = endingOf(findings)
  if (args.has('json')) {
    process.stdout.write(`${JSON.stringify({ works: ending.works, findings }, null, 2)}\n`)
  } else print(findings, ending, subjectOf(args, question))
  return ending.works ? exitStatus.ok : exitStatus.jobError
}

/** What the options ask, with the secrets that belong to it. */
async function ask(args: Arguments): Promise<{ client: RpcClient; question: ExamineParams }> {
  const [url] = args.operands
  await using input = new SecretInput()
  const reader = new IdentityReader(planIdentity(args), input)
  const given = proxySettingsOf(args)
  const trust = trustOf(args)
  await reader.readLines()
  const client = await connect({ start: true })
  const id = await jobOf(client, args.value('job'))
  const identity = await reader.finish({
    server: describeHosts(url === undefined ? await urlsOf(client, id) : [url]),
    proxy: { name: given?.list ?? '', isSecure: isProxySecure(given) },
  })
  const proxy = id === undefined ? asCaller(given, process.env) : given
  const question = {
    ...identity,
    ...trust,
    ...(url === undefined ? {} : { url }),
    ...(id === undefined ? {} : { id }),
    ...(proxy === undefined ? {} : { proxy }),
  }
  return { client, question }
}

async function examine(
  client: RpcClient,
  question: ExamineParams,
): Promise<readonly FindingView[]> {
  using _note = new Note('Looking for the way…')
  const { findings } = await client.call('doctor.examine', question)
  if (findings.length > 0) return findings
  throw withSymbol(
    exitStatus.jobError,
    'E_UNEXPECTED',
    'UNKNOWN',
    'Cannot finish the examination: the carrier ended before it knew',
  )
}

/** A URL that could be read from the command line is nobody's who has secrets. */
function checkUrl(url: string): void {
  try {
    checkRemoteName(url)
  } catch (error) {
    if (error instanceof JobError) throw usageError(error.message.replace('add', 'examine'))
    throw error
  }
  if (withoutUserInformation(url) === url) return
  throw usageError(
    `Cannot examine ${withoutUserInformation(url)} with a user name or password in the URL: everybody can read a command line; --user names who asks, and the password is asked for`,
  )
}

async function jobOf(client: RpcClient, id: string | undefined): Promise<string | undefined> {
  return id === undefined ? undefined : (await client.call('job.get', { id })).id
}

async function urlsOf(client: RpcClient, id: string | undefined): Promise<readonly string[]> {
  if (id === undefined) return []
  const { files } = await client.call('job.files', { id })
  return files.map(({ remoteName }) => remoteName)
}

/** Options that do not say how to ask. */
const ownOptions: ReadonlySet<string> = new Set(['job', 'json', 'help'])

/** Options whose values are not for others to read. */
const names: ReadonlySet<string> = new Set(['user', 'principal', 'proxy-user', 'proxy-principal'])

/** What commands name: what was given, but for what a report must not show. */
function subjectOf(args: Arguments, { url, id = '' }: ExamineParams): Subject {
  if (url === undefined) return { kind: 'job', id: id.slice(0, 8) }
  const options = Object.keys(verbs.doctor.options)
    .filter((name) => !ownOptions.has(name))
    .map((name) => ({ name, values: names.has(name) ? ['NAME'] : args.values(name) }))
    .filter(({ name }) => args.has(name) || args.value(name) !== undefined)
    .map((option) => (args.has(option.name) ? { ...option, values: [] } : option))
  return { kind: 'url', url: url.includes('?') ? 'URL' : url, options }
}

/** How it ended, and what to say of it. */
interface Ending extends Outcome {
  readonly works: boolean
  readonly sentence: string
}

function endingOf(findings: readonly FindingView[]): Ending {
  const last = findings.findLast(({ kind }) => kind === 'answer' || kind === 'failure')
  if (last?.kind === 'failure') return failed(last.failure)
  const status = last?.kind === 'answer' ? last.status : 0
  const works = (status >= 200 && status < 400) || status === NO_SUCH_RANGE
  const symbol = httpStatusSymbol(status)
  const code = `(${symbol} ${formatHresult(httpStatusHresult(status))}, REMOTE_FILE)`
  const sentence = works
    ? `It works: the server answers ${status}`
    : `It fails: the ${refuserOf(status)} answers ${status} ${code}`
  return { works, status, symbol, sentence }
}

function failed({ message, symbol, hresult, context }: FailureView): Ending {
  const sentence = `It fails: ${message} (${symbol} ${hresult}, ${context})`
  return { works: false, symbol, sentence }
}

function print(findings: readonly FindingView[], ending: Ending, subject: Subject): void {
  const now = new Date().toISOString()
  say(0, `Lull ${version}, Node ${process.versions.node}, ${type()} ${release()} ${arch()}, ${now}`)
  for (const { depth, text } of reportLines(findings)) {
    if (depth === 0) process.stdout.write('\n')
    say(depth, text)
  }
  process.stdout.write('\n')
  say(0, harmless(ending.sentence))
  if (ending.works) return
  const advice = adviceFor(findings, ending, subject)
  for (const { sentence, commands } of advice) {
    process.stdout.write('\n')
    say(0, sentence)
    // A command is copied, so it is not broken into lines.
    for (const command of commands) process.stdout.write(`${' '.repeat(2 * INDENT)}${command}\n`)
  }
}

/** On a terminal a line is broken between words; what follows stands further inside. */
function say(depth: number, text: string): void {
  const indent = ' '.repeat(depth * INDENT)
  const columns =
    process.stdout.isTTY && process.stdout.columns > 0 ? process.stdout.columns : undefined
  if (columns === undefined) {
    process.stdout.write(`${indent}${text}\n`)
    return
  }
  const [first = '', ...rest] = wrap(text, columns - INDENT, indent)
  process.stdout.write(`${[first, ...rest.map((line) => ' '.repeat(INDENT) + line)].join('\n')}\n`)
}

/** What stands on a terminal for as long as there is nothing else to see. */
class Note implements Disposable {
  constructor(text: string) {
    if (process.stderr.isTTY) process.stderr.write(harmless(text))
  }

  [Symbol.dispose](): void {
    if (process.stderr.isTTY) process.stderr.write('\r\u001B[K')
  }
}
