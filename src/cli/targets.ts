/** Where `lull get` saves what it fetches; what stands in the way is found before there is a job. */

import type { Stats } from 'node:fs'
import { dirname, resolve, sep } from 'node:path'
import { lstatSync, opendirSync, statSync } from '../client/node-fs.ts'
import { JobError } from '../job/failure.ts'
import { checkLocalName, withoutUserInformation } from '../job/names.ts'
import type { FileParams } from '../rpc/contract.ts'
import { fileNameFromUrl } from '../wire/file-name.ts'
import { exitStatus, usageError, withSymbol } from './cli-error.ts'
import type { Arguments } from './parse.ts'
import { placed, type Wanted } from './wanted.ts'

/**
 * The files of the job, each with the full path where it shall stand.
 *
 * @throws {CliError} exit status 2 for wrong usage; 1 with `ERROR_FILE_EXISTS` when a target is there already, and with
 *   `ERROR_PATH_NOT_FOUND` when there is no folder for it
 */
export function targets(wanted: readonly Wanted[], args: Arguments): readonly FileParams[] {
  const output = args.value('output')
  const serverNamesIt = args.has('content-disposition')
  const name =
    output === undefined
      ? namesIn(args.value('directory') ?? '.', serverNamesIt)
      : () => named(output)
  const files = wanted.map((each) => ({
    remoteName: each.url,
    localName: checked(name(each), each),
  }))
  checkDistinct(files)
  const runs = runsOf(files)
  checkFolders(runs)
  if (!args.has('force') && !serverNamesIt) checkAbsent(runs)
  return files
}

/** Files that follow each other and are to stand in one folder: of thousands, most do. */
interface Run {
  readonly folder: string
  readonly localNames: readonly [string, ...string[]]
}

function runsOf(files: readonly FileParams[]): readonly Run[] {
  const runs: { readonly folder: string; readonly localNames: [string, ...string[]] }[] = []
  for (const { localName } of files) {
    const run = runs.at(-1)
    if (run !== undefined && isIn(run.folder, localName)) run.localNames.push(localName)
    else runs.push({ folder: dirname(localName), localNames: [localName] })
  }
  return runs
}

/** Whether a full path is that of a name in a folder; not seen of the root. */
function isIn(folder: string, localName: string): boolean {
  return localName.lastIndexOf(sep) === folder.length && localName.startsWith(folder)
}

/** Full paths in a folder. The name a URL suggests is no path, and needs not be resolved for each of thousands. */
function namesIn(folder: string, serverNamesIt: boolean): (wanted: Wanted) => string {
  const full = resolve(folder)
  const beginning = full.endsWith(sep) ? full : full + sep
  return (wanted) =>
    wanted.name === undefined
      ? beginning + nameInUrl(wanted, serverNamesIt)
      : resolve(full, wanted.name)
}

function named(output: string): string {
  checkNamesFile(output)
  return resolve(output)
}

const pathStyle = process.platform === 'win32' ? 'win32' : 'posix'

function checked(localName: string, wanted: Wanted): string {
  try {
    checkLocalName(localName, pathStyle)
    return localName
  } catch (error) {
    if (error instanceof JobError) throw usageError(placed(error.message, wanted))
    throw error
  }
}

/** A full path has no separator at its end any more, which would say that a folder is meant. */
function checkNamesFile(output: string): void {
  if (output === '-') {
    throw usageError(
      'Cannot save to standard output: a file is there when it is whole, and not before; ./- names a file',
    )
  }
  if (output !== '' && !/[/\\]$|(?:^|[/\\])\.{1,2}$/u.test(output)) return
  throw usageError(`Cannot save to ${JSON.stringify(output)}: this names a folder, which -d takes`)
}

function nameInUrl(wanted: Wanted, serverNamesIt: boolean): string {
  const { url, list } = wanted
  const name = fileNameFromUrl(url) ?? (serverNamesIt ? 'download' : undefined)
  if (name !== undefined) return name
  const cure = list === undefined ? 'give one with -o' : 'give one behind it and a tab'
  throw usageError(
    placed(`Cannot find a file name in ${withoutUserInformation(url)}: ${cure}`, wanted),
  )
}

function checkDistinct(files: readonly FileParams[]): void {
  const names = new Set<string>()
  for (const { localName, remoteName } of files) {
    if (names.has(localName)) {
      const other = files.find((file) => file.localName === localName)?.remoteName
      throw usageError(
        `Cannot save ${other} and ${remoteName} both to ${localName}: give them names in a list with -i, behind the URL and a tab`,
      )
    }
    names.add(localName)
  }
}

/** A slip in the name of a folder is not worth a job. Whatever else stands in the way, the service says it better. */
function checkFolders(runs: readonly Run[]): void {
  const folders = new Map(
    runs.map(({ folder, localNames }) => [folder, localNames.at(-1) ?? localNames[0]]),
  )
  for (const [folder, localName] of folders) {
    if (!isMissing(folder)) continue
    throw withSymbol(
      exitStatus.jobError,
      'ERROR_PATH_NOT_FOUND',
      'LOCAL_FILE',
      `Cannot save to ${localName}: the folder ${folder} does not exist`,
    )
  }
}

function isMissing(folder: string): boolean {
  try {
    return statSync(folder, { throwIfNoEntry: false }) === undefined
  } catch {
    return false
  }
}

function checkAbsent(runs: readonly Run[]): void {
  const isEmpty = emptyFolders()
  const names = runs.flatMap(({ folder, localNames }) => (isEmpty(folder) ? [] : localNames))
  for (const localName of names) {
    const found = look(localName)
    if (found === undefined) continue
    const hint = found.isDirectory()
      ? 'there is a folder of this name; -d saves in it'
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
