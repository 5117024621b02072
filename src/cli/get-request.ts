/** The words of `lull get` become a job. */

import { lstatSync, opendirSync, readFileSync, type Stats } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import {
  checkHeader,
  checkLocalName,
  checkRemoteName,
  withoutUserInformation,
} from '../job/names.ts'
import { priorities } from '../job/job.ts'
import { JobError } from '../job/failure.ts'
import { asCaller } from '../job/proxy-rules.ts'
import type { CreateParams, FileParams } from '../rpc/contract.ts'
import { parseDigestOption } from '../wire/digest-fields.ts'
import { fileNameFromUrl } from '../wire/file-name.ts'
import { exitStatus, usageError, withSymbol } from './cli-error.ts'
import { describeHosts } from './hosts.ts'
import { IdentityReader, planIdentity } from './identity.ts'
import type { Arguments } from './parse.ts'
import { parseDuration } from './quantity.ts'
import { isProxySecure, proxySettingsOf } from './route-arguments.ts'
import { SecretInput } from './secret-input.ts'

/** What a person waits for between two tries; BITS's ten minutes are for nobody watching. */
const RETRY_DELAY_S = 5

/** Characters of a name made up for a job. */
const NAME_LIMIT = 200

/** A URL with the name somebody gave it. */
interface Wanted {
  readonly url: string
  readonly name?: string
}

/**
 * Reads the command line into the parameters of `job.create`.
 *
 * @throws {CliError} exit status 2 for wrong usage; 1 with `ERROR_FILE_EXISTS` when a target is there already
 */
export async function getRequest(args: Arguments): Promise<CreateParams> {
  await using input = new SecretInput()
  const plan = planIdentity(args)
  const reader = new IdentityReader(plan, input)
  const proxy = proxySettingsOf(args)
  for (const url of args.operands) checkNamesNobody(url)
  // Secrets are the first lines of standard input; a list may stand behind them.
  await reader.readLines()
  const { files, ...request } = await requestOf(args, input)
  // Whoever is asked has written everything else as it must be.
  const identity = await reader.finish({
    // Thousands of URLs are looked through only for somebody who is asked.
    server: describeHosts(
      plan.targets.length === 0 ? [] : files.map(({ remoteName }) => remoteName),
    ),
    proxy: { name: proxy?.list ?? '', isSecure: isProxySecure(proxy) },
  })
  return { ...request, files, ...identity, ...defined('proxy', asCaller(proxy, process.env)) }
}

async function requestOf(
  args: Arguments,
  input: SecretInput,
): Promise<CreateParams & { files: readonly FileParams[] }> {
  const wanted = await wantedFiles(args, input)
  const files = wanted.map((each) => target(each, wanted.length, args))
  checkDistinct(files)
  if (!args.has('force') && !args.has('content-disposition')) checkAbsent(files)
  const digests = digestsOf(args, files.length)
  return {
    displayName: args.value('name') ?? displayName(files),
    files: digests.length === 0 ? files : files.map((file) => ({ ...file, digests })),
    priority: priority(args.value('priority')),
    headers: args.values('header').map(header),
    minimumRetryDelay: seconds(args, 'retry-delay') ?? RETRY_DELAY_S,
    ...defined('noProgressTimeout', seconds(args, 'no-progress-timeout')),
    ...defined('stallTimeout', stallTimeout(args)),
    ...defined('caFile', caFile(args)),
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

async function wantedFiles(args: Arguments, input: SecretInput): Promise<readonly Wanted[]> {
  const lists: (readonly Wanted[])[] = []
  for (const path of args.values('input')) lists.push(await readList(path, input))
  const wanted = [...args.operands.map((url) => ({ url })), ...lists.flat()]
  if (wanted.length === 0)
    throw usageError('Cannot get nothing: give a URL, or a list of them with -i')
  for (const { url } of wanted) checkUrl(url)
  if (args.value('output') !== undefined && wanted.length > 1) {
    throw usageError(
      `Cannot save ${wanted.length} URLs under one name: use -d for their folder instead of -o`,
    )
  }
  if (args.value('output') !== undefined && args.value('directory') !== undefined) {
    throw usageError('Cannot use both -o and -d: -o takes the folder too')
  }
  return wanted
}

function checkUrl(url: string): void {
  try {
    checkRemoteName(url)
  } catch (error) {
    if (error instanceof JobError) throw usageError(error.message)
    throw error
  }
}

/** A line is `URL` or `URL<TAB>local name`; empty lines and lines with `#` in front say nothing. */
async function readList(path: string, input: SecretInput): Promise<readonly Wanted[]> {
  let content: string
  try {
    // Standard input may be a pipe that has nothing yet, which a synchronous read would take for an error.
    content = path === '-' ? await input.rest() : readFileSync(path, 'utf8')
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw usageError(`Cannot read the list ${path}: ${reason}`)
  }
  return content
    .replace(/^\uFEFF/u, '')
    .split(/\r?\n/u)
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => {
      const [url = '', name] = line.split('\t')
      return name === undefined || name.trim() === ''
        ? { url: url.trim() }
        : { url: url.trim(), name: name.trim() }
    })
}

function target({ url, name }: Wanted, count: number, args: Arguments): FileParams {
  const output = count === 1 ? args.value('output') : undefined
  const folder = args.value('directory') ?? '.'
  if (output !== undefined) checkNamesFile(output)
  const chosen = output ?? name ?? nameInUrl(url, args.has('content-disposition'))
  const localName = output === undefined ? resolve(folder, chosen) : resolve(chosen)
  try {
    checkLocalName(localName, process.platform === 'win32' ? 'win32' : 'posix')
  } catch (error) {
    if (error instanceof JobError) throw usageError(error.message)
    throw error
  }
  return { remoteName: url, localName }
}

/** A full path has no separator at its end any more, which would say that a folder is meant. */
function checkNamesFile(output: string): void {
  if (output !== '' && !/[/\\]$|(?:^|[/\\])\.{1,2}$/u.test(output)) return
  throw usageError(`Cannot save to ${JSON.stringify(output)}: this names a folder, which -d takes`)
}

function nameInUrl(url: string, serverNamesIt: boolean): string {
  const name = fileNameFromUrl(url) ?? (serverNamesIt ? 'download' : undefined)
  if (name !== undefined) return name
  throw usageError(`Cannot find a file name in ${withoutUserInformation(url)}: give one with -o`)
}

function checkDistinct(files: readonly FileParams[]): void {
  const urls = new Map<string, string>()
  for (const { localName, remoteName } of files) {
    const other = urls.get(localName)
    if (other !== undefined) {
      throw usageError(
        `Cannot save ${other} and ${remoteName} both to ${localName}: name them in a list with -i`,
      )
    }
    urls.set(localName, remoteName)
  }
}

function checkAbsent(files: readonly FileParams[]): void {
  const isEmpty = emptyFolders()
  for (const { localName } of files) {
    const found = isEmpty(dirname(localName)) ? undefined : look(localName)
    if (found === undefined) continue
    const hint = found.isDirectory()
      ? 'there is a folder of this name'
      : 'the file is there already; --force replaces it'
    throw withSymbol(
      exitStatus.jobError,
      'ERROR_FILE_EXISTS',
      'LOCAL_FILE',
      `Cannot save to ${localName}: ${hint}`,
    )
  }
}

/** Tells whether there is nothing in a folder, and so no file of any name; each is looked at once. */
function emptyFolders(): (folder: string) => boolean {
  const known = new Map<string, boolean>()
  return (folder) => {
    const isEmpty = known.get(folder) ?? holdsNothing(folder)
    known.set(folder, isEmpty)
    return isEmpty
  }
}

function holdsNothing(folder: string): boolean {
  try {
    using entries = opendirSync(folder)
    return entries.readSync() === null
  } catch {
    return false
  }
}

/** What has this name. Whatever stands in the way of looking (a name that is too long, say), the service says it better. */
function look(localName: string): Stats | undefined {
  try {
    return lstatSync(localName, { throwIfNoEntry: false })
  } catch {
    return undefined
  }
}

function digestsOf(args: Arguments, count: number): readonly string[] {
  const sha256 = args.values('sha256').map((hex) => `sha256:${hex.replace(/^sha256:/iu, '')}`)
  const digests = [...sha256, ...args.values('digest')]
  if (digests.length > 0 && count > 1) {
    throw usageError(
      `Cannot check one digest against ${count} files: get each with a call of its own`,
    )
  }
  for (const digest of digests) {
    try {
      parseDigestOption(digest)
    } catch (error) {
      throw usageError(error instanceof Error ? error.message : String(error))
    }
  }
  return digests
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

function caFile(args: Arguments): string | undefined {
  const path = args.value('cacert')
  if (path === undefined) return undefined
  try {
    readFileSync(path)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw usageError(`Cannot read the certificate authorities in ${path}: ${reason}`)
  }
  return resolve(path)
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
