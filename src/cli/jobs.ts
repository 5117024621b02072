/** `lull jobs` and `lull job`: what is in the queue. */

import { bitsStates } from '../job/moves.ts'
import type { RpcClient } from '../rpc/client.ts'
import type { FileView, JobView } from '../rpc/contract.ts'
import { exitStatus, usageError } from './cli-error.ts'
import { columnsOf, harmless, shorten, wrap } from './columns.ts'
import { connect } from './connect.ts'
import { cureOf } from './cure.ts'
import type { Arguments } from './parse.ts'
import { formatBytes } from './quantity.ts'
import { selected, selectionOf, type Selection } from './selection.ts'

/** Jobs that are shown when nobody says how many, and files per page. */
const SHOWN = 1_000
const PAGE = 1_000

const everyState = Object.values(bitsStates).map(({ name }) => name)

/** Runs `lull jobs`. @returns the exit status */
export async function jobs(args: Arguments): Promise<number> {
  const limit = args.has('all') ? Number.POSITIVE_INFINITY : limitOf(args.value('limit'))
  const selection = selectionOf(args)
  const client = await connect({ start: true })
  const meant: Selection = {
    ...(args.has('all') && { states: everyState }),
    ...(selection ?? { fits: () => true }),
  }
  const { found, more } = await list(client, limit, meant, args.has('all-users'))
  if (args.has('json')) process.stdout.write(`${JSON.stringify(found, null, 2)}\n`)
  else if (found.length === 0) {
    process.stdout.write(
      selection === undefined ? 'The queue is empty\n' : 'There is no such job\n',
    )
  } else process.stdout.write(table(found))
  if (more)
    process.stderr.write(
      `There are more jobs than these ${found.length}: lull jobs --all shows them\n`,
    )
  return exitStatus.ok
}

function limitOf(text: string | undefined): number {
  if (text === undefined) return SHOWN
  const limit = Number(text)
  if (Number.isSafeInteger(limit) && limit > 0) return limit
  throw usageError(
    `Cannot understand --limit ${JSON.stringify(text)}: it takes a whole number, 1 or more`,
  )
}

async function list(
  client: RpcClient,
  limit: number,
  meant: Selection,
  allUsers: boolean,
): Promise<{ found: JobView[]; more: boolean }> {
  const found: JobView[] = []
  // One more than is shown, to know whether there is one.
  const page = Math.min(PAGE, limit) + 1
  for await (const job of selected(client, meant, { allUsers, limit: page })) {
    if (found.length >= limit) return { found, more: true }
    found.push(job)
  }
  return { found, more: false }
}

/** A row for each job; its reason stands at the end, or below on a terminal, where a long line would be broken. */
function table(found: readonly JobView[]): string {
  const columns =
    process.stdout.isTTY && process.stdout.columns > 0 ? process.stdout.columns : undefined
  const rows = found.map((job) => [
    job.id.slice(0, 8),
    job.state,
    job.priority,
    amounts(job),
    `${job.filesTransferred}/${job.filesTotal}`,
    shorten(harmless(job.displayName), columns === undefined ? Infinity : NAME_COLUMNS),
    columns === undefined ? harmless(reason(job)) : '',
  ])
  const head = ['ID', 'STATE', 'PRIORITY', 'BYTES', 'FILES', 'NAME', '']
  const widths = head.map((title, column) =>
    [head, ...rows].reduce((most, row) => Math.max(most, columnsOf(row[column] ?? title)), 0),
  )
  const padded = (cell: string, column: number): string =>
    cell + ' '.repeat((widths[column] ?? 0) - columnsOf(cell))
  const lines = [head, ...rows].map((row) => row.map(padded).join('  ').trimEnd())
  if (columns === undefined) return `${lines.join('\n')}\n`
  const below = found.map((job) =>
    reason(job) === '' ? [] : wrap(harmless(reason(job)), columns, BELOW),
  )
  return `${lines.flatMap((line, index) => [line, ...(below[index - 1] ?? [])]).join('\n')}\n`
}

/** Columns of a name on a terminal; `lull job ID` shows all of it. */
const NAME_COLUMNS = 32

/** In front of what stands below a row: as wide as an id. */
const BELOW = ' '.repeat(10)

function amounts({ bytesTransferred, bytesTotal }: JobView): string {
  const total = bytesTotal === null ? '?' : formatBytes(bytesTotal)
  return `${formatBytes(bytesTransferred)} of ${total}`
}

function reason({ waitingFor, error }: JobView): string {
  if (waitingFor !== null) return `waits for ${waitingFor}`
  return error === null ? '' : `${error.message} (${error.symbol})`
}

/** Runs `lull job`. @returns the exit status */
export async function job(args: Arguments): Promise<number> {
  const client = await connect({ start: true })
  const found = await client.call('job.get', { id: args.operands[0] ?? '' })
  const files = args.has('files') ? await allFiles(client, found.id) : undefined
  if (args.has('json')) {
    process.stdout.write(
      `${JSON.stringify(files === undefined ? found : { ...found, files }, null, 2)}\n`,
    )
    return exitStatus.ok
  }
  process.stdout.write(facts(found))
  for (const { localName, remoteName, bytesTransferred, bytesTotal, completed } of files ?? []) {
    const size = `${formatBytes(bytesTransferred)} of ${bytesTotal === null ? '?' : formatBytes(bytesTotal)}`
    process.stdout.write(
      `${completed ? '+' : ' '} ${harmless(localName)}  ${size}  ${harmless(remoteName)}\n`,
    )
  }
  return exitStatus.ok
}

async function allFiles(client: RpcClient, id: string): Promise<readonly FileView[]> {
  const files: FileView[] = []
  let from: number | null = 0
  while (from !== null) {
    const page: { files: readonly FileView[]; next: number | null } = await client.call(
      'job.files',
      { id, from, limit: PAGE },
    )
    files.push(...page.files)
    from = page.next
  }
  return files
}

function facts(job: JobView): string {
  const rows: readonly (readonly [string, string])[] = [
    ['Job', job.id],
    ['Name', harmless(job.displayName)],
    ['State', job.state],
    ['Waits for', harmless(job.waitingFor ?? '')],
    [
      'Error',
      job.error === null
        ? ''
        : `${harmless(job.error.message)} (${job.error.symbol} ${job.error.hresult}, ${job.error.context})`,
    ],
    ['Cure', cureOf(job)?.commands.join(', then ') ?? ''],
    ['Remote file', harmless(job.error?.remoteName ?? '')],
    ['Local file', harmless(job.error?.localName ?? '')],
    ['Owner', job.owner],
    ['Priority', job.priority],
    ['Bytes', amounts(job)],
    ['Files', `${job.filesTransferred} of ${job.filesTotal}`],
    ['Errors so far', String(job.errorCount)],
    ['Created', job.created],
    ['Modified', job.modified],
    ['Transferred', job.transferred ?? ''],
  ]
  return rows
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name.padEnd(14)} ${value}\n`)
    .join('')
}
