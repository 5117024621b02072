/**
 * Jobs of any length. What does not fit well into one message is sent in portions: the job is made SUSPENDED with the
 * first one and starts when it has the last, so that nothing of it moves before all of it is known.
 */

import { LullError } from '../base/error.ts'
import { formatHresult, hresults } from '../job/hresult.ts'
import { RefusedError, type RpcClient } from '../rpc/client.ts'
import type { CreateParams, FileParams, JobView } from '../rpc/contract.ts'

/** Files and jobs of one portion at most: the service is deaf while it writes them down. */
const PORTION_FILES = 10_000
const PORTION_JOBS = 1_000

/** Characters of one portion at most. As JSON each may take six bytes, and 64 MiB is the most the service reads. */
const PORTION_CHARACTERS = 4 * 1024 * 1024

/** What else a new job may be given before it starts. */
export interface LongJobOptions {
  /** Called with the id of the job while it is SUSPENDED. */
  readonly prepare?: (id: string) => Promise<unknown>
  /** Breaks off before the job starts; nothing of it is left then. */
  readonly signal?: AbortSignal
}

/** A job that was neither started nor cancelled: the service went away meanwhile. */
export class UnfinishedJobError extends LullError {
  readonly id: string

  constructor(id: string, reason: string, options: ErrorOptions) {
    const sentence = `Job ${id} is left SUSPENDED and not whole: ${reason}; cancel it and make another`
    super('ERR_JOB_UNFINISHED', sentence, options)
    this.id = id
  }
}

/** Files in their order, in portions that each fit into a message; at least one file each. */
export function portions(files: readonly FileParams[]): Generator<readonly FileParams[], void> {
  return portionsOf(files, { most: PORTION_FILES, weigh: charactersOf })
}

/** Jobs in their order, in portions that each fit into a message; one that does not is alone. */
export function jobPortions(
  jobs: readonly CreateParams[],
): Generator<readonly CreateParams[], void> {
  return portionsOf(jobs, { most: PORTION_JOBS, weigh: weightOf })
}

function* portionsOf<T>(
  items: readonly T[],
  { most, weigh }: { readonly most: number; readonly weigh: (item: T) => number },
): Generator<readonly T[], void> {
  let from = 0
  let index = 0
  let weight = 0
  for (const item of items) {
    const more = weigh(item)
    if (index > from && (index - from >= most || weight + more > PORTION_CHARACTERS)) {
      yield items.slice(from, index)
      from = index
      weight = 0
    }
    weight += more
    index++
  }
  if (from < items.length) yield items.slice(from)
}

function charactersOf({ remoteName, localName, digests }: FileParams): number {
  const names = remoteName.length + localName.length
  return digests?.reduce((sum, digest) => sum + digest.length, names) ?? names
}

function weightOf({ files = [], ...rest }: CreateParams): number {
  const isLong = files.length > PORTION_FILES
  const names = files.reduce((sum, file) => sum + charactersOf(file), 0)
  return isLong ? Infinity : names + JSON.stringify(rest).length
}

/**
 * Makes a job, however many files it has.
 *
 * @throws {RefusedError} when a part of it is refused: what was made is cancelled
 * @throws {UnfinishedJobError} when it could not be cancelled
 */
export async function createLongJob(
  client: RpcClient,
  params: CreateParams,
  { prepare, signal }: LongJobOptions = {},
): Promise<JobView> {
  signal?.throwIfAborted()
  const files = params.files ?? []
  const rest = portions(files)
  const first = rest.next().value ?? []
  if (first.length === files.length && prepare === undefined) {
    return client.call('job.create', params)
  }
  checkDistinct(files)
  const { id } = await client.call('job.create', { ...params, files: first, resume: false })
  try {
    for (const portion of rest) {
      signal?.throwIfAborted()
      await client.call('job.addFiles', { id, files: portion })
    }
    await prepare?.(id)
    signal?.throwIfAborted()
    return await client.call(params.resume === true ? 'job.resume' : 'job.get', { id })
  } catch (error) {
    throw await undone(client, id, error)
  }
}

/** Adds files to a job, however many: in one commit what fits into one message. */
export async function addManyFiles(
  client: RpcClient,
  id: string,
  files: readonly FileParams[],
): Promise<void> {
  if (files.length === 0) await client.call('job.addFiles', { id, files })
  for (const portion of portions(files)) await client.call('job.addFiles', { id, files: portion })
}

/** The service looks at the files of one message only. */
function checkDistinct(files: readonly FileParams[]): void {
  const seen = new Set<string>()
  for (const { localName } of files) {
    if (seen.has(localName)) {
      const sentence = `Cannot save two files of one job to ${localName}`
      const hresult = formatHresult(hresults.E_INVALIDARG)
      throw new RefusedError('E_INVALIDARG', sentence, hresult, 'LOCAL_FILE')
    }
    seen.add(localName)
  }
}

/** Cancels what is not whole. @returns what to throw */
async function undone(client: RpcClient, id: string, error: unknown): Promise<unknown> {
  try {
    await client.call('job.cancel', { id })
    return error
  } catch {
    const reason = error instanceof Error ? error.message : String(error)
    return new UnfinishedJobError(id, reason, { cause: error })
  }
}
