/** The words of `lull get` become a job. */

import { basename } from 'node:path'
import { checkHeader, withoutUserInformation } from '../job/names.ts'
import { priorities } from '../job/job.ts'
import { JobError } from '../job/failure.ts'
import { asCaller } from '../job/proxy-rules.ts'
import type { ProxySettings } from '../job/route.ts'
import type { CreateParams, FileParams } from '../rpc/contract.ts'
import { usageError } from './cli-error.ts'
import { proxyIdentityOptions, serverOptions } from './identity-options.ts'
import type { Identity, IdentityReader } from './identity.ts'
import type { Arguments } from './parse.ts'
import { parseDuration } from './quantity.ts'
import { isProxySecure, proxySettingsOf } from './route-arguments.ts'
import { SecretInput } from './secret-input.ts'
import { trustOptions } from './security.ts'
import { targets } from './targets.ts'
import type { Trust } from './trust.ts'
import { wantedFiles } from './wanted.ts'

/** What a person waits for between two tries; BITS's ten minutes are for nobody watching. */
const RETRY_DELAY_S = 5

/** Characters of a name made up for a job. */
const NAME_LIMIT = 200

/**
 * Reads the command line into the parameters of `job.create`.
 *
 * @throws {CliError} exit status 2 for wrong usage; 1 with `ERROR_FILE_EXISTS` when a target is there already, and with
 *   `ERROR_PATH_NOT_FOUND` when there is no folder for it
 */
export async function getRequest(args: Arguments): Promise<CreateParams> {
  await using input = new SecretInput()
  const reader = await identityReader(args, input)
  const proxy = proxySettingsOf(args)
  for (const url of args.operands) checkNamesNobody(url)
  // Secrets are the first lines of standard input; a list may stand behind them.
  await reader?.readLines()
  const { files, ...request } = await requestOf(args, input)
  // Whoever is asked has written everything else as it must be.
  const identity = reader === undefined ? nobody : await askFor(reader, files, proxy)
  return { ...request, files, ...identity, ...defined('proxy', asCaller(proxy, process.env)) }
}

/** As whom a job asks that says nothing about it. */
const nobody: Identity = { credentials: [] }

/** What reads the secrets; most jobs have none, and what is needed for them is loaded for the others. */
async function identityReader(
  args: Arguments,
  input: SecretInput,
): Promise<IdentityReader | undefined> {
  if (!args.hasAny(serverOptions) && !args.hasAny(proxyIdentityOptions)) return undefined
  const { IdentityReader, planIdentity } = await import('./identity.ts')
  return new IdentityReader(planIdentity(args), input)
}

async function askFor(
  reader: IdentityReader,
  files: readonly FileParams[],
  proxy: ProxySettings | undefined,
): Promise<Identity> {
  const { describeHosts } = await import('./hosts.ts')
  return reader.finish({
    server: describeHosts(files.map(({ remoteName }) => remoteName)),
    proxy: { name: proxy?.list ?? '', isSecure: isProxySecure(proxy) },
  })
}

async function requestOf(
  args: Arguments,
  input: SecretInput,
): Promise<CreateParams & { files: readonly FileParams[] }> {
  const files = targets(await wantedFiles(args, input), args)
  const digests = await digestsOf(args, files.length)
  return {
    displayName: args.value('name') ?? displayName(files),
    files: digests.length === 0 ? files : files.map((file) => ({ ...file, digests })),
    priority: priority(args.value('priority')),
    headers: args.values('header').map(header),
    minimumRetryDelay: seconds(args, 'retry-delay') ?? RETRY_DELAY_S,
    ...defined('noProgressTimeout', seconds(args, 'no-progress-timeout')),
    ...defined('stallTimeout', stallTimeout(args)),
    ...(await trustOf(args)),
    overwrite: args.has('force'),
    contentDisposition: args.has('content-disposition'),
    completesItself: true,
    resume: true,
  }
}

/** A name in a URL that stands on the command line is shown to everybody, and so is the password behind it. */
function checkNamesNobody(url: string): void {
  if (!URL.canParse(url)) return
  const { username, password } = new URL(url)
  if (username === '' && password === '') return
  throw usageError(
    `Cannot get ${withoutUserInformation(url)} with a user name or password in the URL: everybody can read a command line; --user names who asks, and the password is asked for`,
  )
}

/** Checks that are weakened or added; none for most jobs. */
async function trustOf(args: Arguments): Promise<Trust> {
  return args.hasAny(trustOptions) ? (await import('./trust.ts')).trustOf(args) : {}
}

async function digestsOf(args: Arguments, count: number): Promise<readonly string[]> {
  const sha256 = args.values('sha256').map(sha256Option)
  const digests = [...sha256, ...args.values('digest')]
  if (digests.length === 0) return digests
  if (count > 1) {
    throw usageError(
      `Cannot check one digest against ${count} files: get each with a call of its own`,
    )
  }
  const { parseDigestOption } = await import('../wire/digest-fields.ts')
  for (const digest of digests) {
    try {
      parseDigestOption(digest)
    } catch (error) {
      throw usageError(error instanceof Error ? error.message : String(error))
    }
  }
  return digests
}

/** `--digest` takes what is given with or without the name of the algorithm; here there is but one. */
function sha256Option(text: string): string {
  const hex = text.trim().replace(/^sha256[:=]/iu, '')
  if (/^[0-9a-f]{64}$/iu.test(hex)) return `sha256:${hex}`
  throw usageError(
    `Cannot use --sha256 ${JSON.stringify(text)}: a SHA-256 has 64 hexadecimal digits`,
  )
}

function priority(word: string | undefined): NonNullable<CreateParams['priority']> {
  const found = priorities.find((each) => each === (word ?? 'normal'))
  if (found !== undefined) return found
  throw usageError(
    `Cannot understand --priority ${JSON.stringify(word)}: there are ${priorities.join(', ')}`,
  )
}

/** The message does not repeat the header: it may hold a secret. */
function header(line: string): readonly [string, string] {
  const [, name, value] = /^([^:]+):\s*(.*)$/su.exec(line) ?? []
  if (name === undefined || value === undefined) {
    throw usageError("Cannot understand a --header without a colon: it is written 'Name: value'")
  }
  try {
    checkHeader(name.trim(), value.trim())
  } catch (error) {
    if (error instanceof JobError) throw usageError(error.message)
    throw error
  }
  return [name.trim(), value.trim()]
}

function seconds(args: Arguments, option: string): number | undefined {
  const text = args.value(option)
  return text === undefined ? undefined : Math.ceil(parseDuration(option, text) / 1000)
}

function stallTimeout(args: Arguments): number | undefined {
  const text = args.value('stall-timeout')
  if (text === undefined) return undefined
  const ms = parseDuration('stall-timeout', text)
  if (ms >= 1) return ms / 1000
  throw usageError('Cannot use a stall timeout of 0: no connection would ever be given time')
}

function displayName(files: readonly FileParams[]): string {
  const first = basename(files[0]?.localName ?? 'download')
  const name = files.length === 1 ? first : `${first} and ${files.length - 1} more`
  return name.slice(0, NAME_LIMIT)
}

function defined<Name extends string, T>(
  name: Name,
  value: T | undefined,
): { readonly [Key in Name]?: T } {
  // One field of the given name, or none.
  return (value === undefined ? {} : { [name]: value }) as { readonly [Key in Name]?: T }
}
