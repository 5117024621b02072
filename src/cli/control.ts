/** `lull suspend`, `resume`, `complete`, `cancel`: one call for each job, every one tried. */

import { stderr, stdout } from 'node:process'
import { findHome } from '../client/home.ts'
import { connect } from '../client/start-service.ts'
import type { RpcClient } from '../rpc/client.ts'
import { RefusedError } from '../rpc/client.ts'
import type { JobView } from '../rpc/contract.ts'
import { exitStatus, refused, type CliError } from './cli-error.ts'
import type { Arguments } from './parse.ts'

/** The verbs of this file. */
export type ControlVerb = 'suspend' | 'resume' | 'complete' | 'cancel'

/** Runs one of them over its operands. @throws {CliError} the last refusal, after every job was tried */
export async function control(verb: ControlVerb, args: Arguments): Promise<number> {
  const client = await connect(findHome(), { start: true })
  const done: JobView[] = []
  const refusals: CliError[] = []
  for (const id of args.operands) {
    try {
      done.push(await apply(client, verb, id))
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error
      refusals.push(refused(error))
    }
  }
  if (args.has('json')) stdout.write(`${JSON.stringify(done, null, 2)}\n`)
  else for (const job of done) stdout.write(`${job.id.slice(0, 8)} ${job.state}${leftOut(job)}\n`)
  const last = refusals.pop()
  for (const { lastLine } of refusals) stderr.write(`${lastLine}\n`)
  if (last !== undefined) throw last
  return exitStatus.ok
}

/** What a job that was completed early lost. */
function leftOut({ partial, filesTransferred, filesTotal }: JobView): string {
  return partial ? `: ${filesTransferred} of ${filesTotal} files are kept, the rest is deleted` : ''
}

async function apply(client: RpcClient, verb: ControlVerb, id: string): Promise<JobView> {
  switch (verb) {
    case 'suspend':
      return client.call('job.suspend', { id })
    case 'resume':
      return client.call('job.resume', { id })
    case 'complete':
      return (await client.call('job.complete', { id })).job
    case 'cancel':
      return (await client.call('job.cancel', { id })).job
    default:
      return verb satisfies never
  }
}
