/** Which URLs `lull get` is to fetch: of its command line, and of lists. */

import { readFileSync } from '../client/node-fs.ts'
import { JobError } from '../job/failure.ts'
import { checkRemoteName } from '../job/names.ts'
import { usageError } from './cli-error.ts'
import type { Arguments } from './parse.ts'
import type { SecretInput } from './secret-input.ts'

/** A URL with the name somebody gave it. */
export interface Wanted {
  readonly url: string
  readonly name: string | undefined
  /** The list it stands in; none for one of the command line. */
  readonly list: string | undefined
  /** The line of the list, from 1. */
  readonly line: number
}

/**
 * The URLs of the command line and of its lists.
 *
 * @throws {CliError} exit status 2 when there is none, or one that cannot be fetched
 */
export async function wantedFiles(args: Arguments, input: SecretInput): Promise<readonly Wanted[]> {
  const wanted: Wanted[] = args.operands.map((url) => ({ url, name: undefined, ...nowhere }))
  for (const path of args.values('input')) {
    const content = await readList(path, input)
    for (const each of linesOf(content, nameOfList(path))) wanted.push(each)
  }
  if (wanted.length === 0) {
    const [list] = args.values('input')
    throw usageError(
      list === undefined
        ? 'Cannot get nothing: give a URL, or a list of them with -i'
        : `Cannot get nothing: there is no URL in ${nameOfList(list)}`,
    )
  }
  for (const each of wanted) checkUrl(each)
  if (args.value('output') !== undefined && wanted.length > 1) {
    throw usageError(
      `Cannot save ${wanted.length} URLs under one name: use -d for their folder instead of -o`,
    )
  }
  if (args.value('directory') === '') throw usageError('Cannot save in "": this names no folder')
  if (args.value('output') !== undefined && args.value('directory') !== undefined) {
    throw usageError('Cannot use both -o and -d: -o takes the folder too')
  }
  return wanted
}

const nowhere = { list: undefined, line: 0 }

function checkUrl(wanted: Wanted): void {
  try {
    checkRemoteName(wanted.url)
  } catch (error) {
    if (error instanceof JobError) throw usageError(placed(error.message, wanted))
    throw error
  }
}

/** What is wrong with a URL, and in which line of which list. */
export function placed(sentence: string, { list, line }: Pick<Wanted, 'list' | 'line'>): string {
  return list === undefined ? sentence : `${sentence} (line ${line} of ${list})`
}

function nameOfList(path: string): string {
  return path === '-' ? 'standard input' : path
}

async function readList(path: string, input: SecretInput): Promise<string> {
  try {
    // Standard input may be a pipe that has nothing yet, which a synchronous read would take for an error.
    return path === '-' ? await input.rest() : readFileSync(path, 'utf8')
  } catch (error) {
    throw usageError(`Cannot read the list ${path}: ${whyNot(error)}`)
  }
}

/** What stands for bytes that are not UTF-8: a name with it would be none that anybody has written. */
const UNREADABLE = '\uFFFD'

/** A line is `URL` or `URL<TAB>local name`; empty lines and lines with `#` in front say nothing. */
function* linesOf(content: string, list: string): Generator<Wanted, void> {
  let from = content.startsWith('\uFEFF') ? 1 : 0
  const isForeign = content.includes(UNREADABLE)
  for (let line = 1; from < content.length; line++) {
    const end = content.indexOf('\n', from)
    const text = content.slice(from, end < 0 ? content.length : end).trimEnd()
    from = end < 0 ? content.length : end + 1
    if (text === '' || text.startsWith('#')) continue
    if (isForeign && text.includes(UNREADABLE)) {
      throw usageError(placed('Cannot read a file of the list: it is not UTF-8', { list, line }))
    }
    const tab = text.indexOf('\t')
    const url = tab < 0 ? text : text.slice(0, tab)
    yield { url: url.trim(), name: tab < 0 ? undefined : secondField(text), list, line }
  }
}

function secondField(text: string): string | undefined {
  const [, name = ''] = text.split('\t')
  return name.trim() === '' ? undefined : name.trim()
}

const reasons: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'there is no such file'],
  ['EACCES', 'permission denied'],
  ['EISDIR', 'it is a folder'],
])

/** Why a file cannot be read, as a person says it. */
export function whyNot(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  return reasons.get(code ?? '') ?? message
}
