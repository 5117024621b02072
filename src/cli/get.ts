/** `lull get`: makes a job and follows it until every file stands under its name. */

import { stdout } from 'node:process'
import { findHome } from '../client/home.ts'
import { connect } from '../client/start-service.ts'
import type { RpcClient } from '../rpc/client.ts'
import { transferPolicies, transferPolicyNames } from '../job/cost.ts'
import type { CreateParams, JobView } from '../rpc/contract.ts'
import { exitStatus, usageError } from './cli-error.ts'
import { chooseDisplay } from './display.ts'
import { Follower } from './follow.ts'
import { getRequest } from './get-request.ts'
import type { Arguments } from './parse.ts'
import { dashed } from './words.ts'

/** Runs `lull get`. @returns the exit status */
export async function get(args: Arguments): Promise<number> {
  const costFlags = costFlagsOf(args.value('metered'))
  const request = await getRequest(args)
  const client = await connect(findHome(), { start: true })
  const job = await create(client, request, costFlags)
  if (args.has('detach')) {
    printDetached(job, args)
    return exitStatus.ok
  }
  return new Follower(client, job.id, chooseDisplay(args)).follow()
}

/** Where it may run has to be known before it runs. */
async function create(
  client: RpcClient,
  request: CreateParams,
  flags: number | undefined,
): Promise<JobView> {
  if (flags === undefined) return client.call('job.create', request)
  const { id } = await client.call('job.create', { ...request, resume: false })
  await client.call('job.setCostFlags', { id, flags })
  return client.call('job.resume', { id })
}

/** The flags of a policy by its name: `no-surcharge`. @throws {CliError} exit status 2 */
function costFlagsOf(policy: string | undefined): number | undefined {
  if (policy === undefined) return undefined
  const names = transferPolicyNames.map((name) => [dashed(name), name] as const)
  const name = new Map(names).get(policy.toLowerCase())
  if (name !== undefined) return transferPolicies[name]
  const all = names.map(([word]) => word).join(', ')
  throw usageError(`Cannot understand --metered ${JSON.stringify(policy)}: there are ${all}`)
}

function printDetached(job: JobView, args: Arguments): void {
  if (args.has('json')) stdout.write(`${JSON.stringify(job)}\n`)
  else if (!args.has('quiet')) stdout.write(`${job.id}\n`)
}
