/** `lull get`: makes a job and follows it until every file stands under its name. */

import { createLongJob } from '../client/long-job.ts'
import type { RpcClient } from '../rpc/client.ts'
import type { CreateParams, JobView } from '../rpc/contract.ts'
import { exitStatus, withSymbol, type CliError } from './cli-error.ts'
import { connect } from './connect.ts'
import { chooseDisplay } from './display.ts'
import { Follower } from './follow.ts'
import { getRequest } from './get-request.ts'
import type { Arguments } from './parse.ts'

/** Runs `lull get`. @returns the exit status */
export async function get(args: Arguments): Promise<number> {
  const metered = args.value('metered')
  const costFlags =
    metered === undefined ? undefined : (await import('./metered.ts')).costFlagsOf(metered)
  const request = await getRequest(args)
  const client = await connect({ start: true })
  const job = await create(client, request, costFlags)
  if (args.has('detach')) {
    printDetached(job, args)
    return exitStatus.ok
  }
  return new Follower(client, job.id, chooseDisplay(args)).follow()
}

/** Makes the job, however long it is. Ctrl-C breaks off until it runs, and leaves nothing. */
async function create(
  client: RpcClient,
  request: CreateParams,
  flags: number | undefined,
): Promise<JobView> {
  const interrupt = new AbortController()
  const onInterrupt = (): void => interrupt.abort(brokenOff())
  process.once('SIGINT', onInterrupt)
  process.once('SIGTERM', onInterrupt)
  try {
    return await createLongJob(client, request, {
      signal: interrupt.signal,
      // Where it may run has to be known before it runs.
      ...(flags !== undefined && {
        prepare: (id: string) => client.call('job.setCostFlags', { id, flags }),
      }),
    })
  } finally {
    process.off('SIGINT', onInterrupt)
    process.off('SIGTERM', onInterrupt)
  }
}

function brokenOff(): CliError {
  return withSymbol(
    exitStatus.interrupted,
    'ERROR_CANCELLED',
    'NONE',
    'Broken off before the job was whole: nothing of it is left',
  )
}

function printDetached(job: JobView, args: Arguments): void {
  if (args.has('json')) process.stdout.write(`${JSON.stringify(job)}\n`)
  else if (!args.has('quiet')) process.stdout.write(`${job.id}\n`)
}
