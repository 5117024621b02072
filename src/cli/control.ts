/** `lull suspend`, `resume`, `complete`, `cancel`: every job that is meant is tried. */

import type { RpcClient } from '../rpc/client.ts'
import { RefusedError } from '../rpc/client.ts'
import type { CancelResult, CompleteResult, JobView } from '../rpc/contract.ts'
import { exitStatus, refused, usageError, type CliError } from './cli-error.ts'
import { connect } from './connect.ts'
import type { Arguments } from './parse.ts'
import { checkNotFinal, selected, selectionOf, type Selection } from './selection.ts'

/** The verbs of this file. */
export type ControlVerb = 'suspend' | 'resume' | 'complete' | 'cancel'

/** Jobs of one message: some answer only when their files are renamed or deleted. */
const PORTION = 100

/**
 * Runs one of them over its operands, or over the jobs that are in a state or have a name.
 *
 * @throws {CliError} the last refusal, after every job was tried; exit status 2 when it is not said which are meant
 */
export async function control(verb: ControlVerb, args: Arguments): Promise<number> {
  const selection = selectionOf(args)
  if (selection !== undefined) checkNotFinal(selection, verb)
  checkMeant(verb, args, selection)
  const client = await connect({ start: true })
  const ids = selection === undefined ? args.operands : await idsOf(client, selection)
  const done: JobView[] = []
  const refusals: CliError[] = []
  for (let from = 0; from < ids.length; from += PORTION) {
    for (const result of await apply(client, verb, ids.slice(from, from + PORTION))) {
      if (result instanceof RefusedError) refusals.push(refused(result))
      else done.push('job' in result ? result.job : result)
    }
  }
  print(done, args, ids.length)
  const last = refusals.pop()
  for (const { lastLine } of refusals) process.stderr.write(`${lastLine}\n`)
  if (last !== undefined) throw last
  return exitStatus.ok
}

/** Either ids or what jobs are: nobody should have to guess whether both count, or one of them. */
function checkMeant(verb: string, args: Arguments, selection: Selection | undefined): void {
  const isNamed = args.operands.length > 0
  if (isNamed && selection !== undefined) {
    throw usageError(`Cannot ${verb} both IDs and what --state and --name find: give either`)
  }
  if (!isNamed && selection === undefined) {
    throw usageError(`Cannot ${verb} nothing: give ID, or --state or --name`)
  }
}

/** Found before anything is done: what is done to some changes where others stand. */
async function idsOf(client: RpcClient, selection: Selection): Promise<readonly string[]> {
  const ids: string[] = []
  for await (const { id } of selected(client, selection)) ids.push(id)
  return ids
}

function print(done: readonly JobView[], args: Arguments, tried: number): void {
  if (args.has('json')) process.stdout.write(`${JSON.stringify(done, null, 2)}\n`)
  else if (tried === 0) process.stdout.write('There is no such job\n')
  else
    for (const job of done)
      process.stdout.write(`${job.id.slice(0, 8)} ${job.state}${leftOut(job)}\n`)
}

/** What a job that was completed early lost. */
function leftOut({ partial, filesTransferred, filesTotal }: JobView): string {
  return partial ? `: ${filesTransferred} of ${filesTotal} files are kept, the rest is deleted` : ''
}

/** Calls one method for some jobs, with one message. */
async function apply(
  client: RpcClient,
  verb: ControlVerb,
  ids: readonly string[],
): Promise<readonly (JobView | CompleteResult | CancelResult | RefusedError)[]> {
  return client.batch(
    `job.${verb}`,
    ids.map((id) => ({ id })),
  )
}
