/** `lull proxy set`, `show`: which way a job goes. */

import { asCaller } from '../job/proxy-rules.ts'
import { exitStatus, usageError } from './cli-error.ts'
import { harmless } from './columns.ts'
import { connect } from './connect.ts'
import type { Arguments } from './parse.ts'
import { describeSettings, proxySettingsOf } from './route-arguments.ts'

/** Runs `lull proxy set`. @returns the exit status @throws {CliError} exit status 2 when no way is named */
export async function setProxy(args: Arguments): Promise<number> {
  const settings = proxySettingsOf(args)
  if (settings === undefined) throw usageError('Cannot set nothing: --proxy or --pac say what')
  const client = await connect({ start: true })
  const { id } = await client.call('job.get', { id: args.operands[0] ?? '' })
  await client.call('job.setProxySettings', { id, ...asCaller(settings, process.env) })
  return showProxy(args)
}

/** Runs `lull proxy show`. @returns the exit status */
export async function showProxy(args: Arguments): Promise<number> {
  const client = await connect({ start: true })
  const { id } = await client.call('job.get', { id: args.operands[0] ?? '' })
  const settings = await client.call('job.getProxySettings', { id })
  if (args.has('json')) process.stdout.write(`${JSON.stringify({ id, ...settings }, null, 2)}\n`)
  else process.stdout.write(`${harmless(describeSettings(settings))}\n`)
  return exitStatus.ok
}
