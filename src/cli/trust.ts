/** `lull trust set`, and what the options say of which servers a job trusts. */

import { resolve } from 'node:path'
import { readFileSync } from '../client/node-fs.ts'
import type { JobProperties } from '../rpc/contract.ts'
import { exitStatus, usageError } from './cli-error.ts'
import { connect } from './connect.ts'
import type { Arguments } from './parse.ts'
import { pinnedKeysOf } from './pinned-keys.ts'
import { securityFlagsOf } from './security.ts'
import { whyNot } from './wanted.ts'

/** As a job has it. */
export type Trust = Pick<JobProperties, 'caFile' | 'securityFlags' | 'pinnedKeys'>

/** What the mask says of redirects: those bits are not about trust, and stay where no mask is given. */
const REDIRECT_BITS = 0x0f00

/** Reads the options. @throws {CliError} exit status 2 */
export function trustOf(args: Arguments): Trust {
  const caFile = args.value('cacert')
  const securityFlags = securityFlagsOf(args)
  const pins = args.value('pinnedpubkey')
  return {
    ...(caFile === undefined ? {} : { caFile: readable(caFile) }),
    ...(securityFlags === undefined ? {} : { securityFlags }),
    ...(pins === undefined ? {} : { pinnedKeys: pinnedKeysOf(pins) }),
  }
}

/** Runs `lull trust set`. @returns the exit status @throws {CliError} exit status 2 when nothing is said to trust */
export async function setTrust(args: Arguments): Promise<number> {
  const trust = trustOf(args)
  if (Object.keys(trust).length === 0) {
    throw usageError('Cannot set nothing: --cacert, --pinnedpubkey or another option says what')
  }
  const client = await connect({ start: true })
  const { id } = await client.call('job.get', { id: args.operands[0] ?? '' })
  const { flags } = await client.call('job.getSecurityFlags', { id })
  const isMasked = trust.securityFlags === undefined || args.value('security-flags') !== undefined
  const kept = isMasked ? 0 : flags & REDIRECT_BITS
  const { securityFlags } = trust
  const meant = securityFlags === undefined ? {} : { securityFlags: securityFlags | kept }
  const job = await client.call('job.set', { id, ...trust, ...meant })
  if (args.has('json')) process.stdout.write(`${JSON.stringify(job, null, 2)}\n`)
  else if (job.state === 'ERROR')
    process.stdout.write(`lull resume ${id.slice(0, 8)} goes on with it\n`)
  return exitStatus.ok
}

function readable(path: string): string {
  try {
    readFileSync(path)
  } catch (error) {
    throw usageError(`Cannot read the certificate authorities in ${path}: ${whyNot(error)}`)
  }
  return resolve(path)
}
