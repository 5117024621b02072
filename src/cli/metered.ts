/** `--metered`: on networks of which cost a job may be transferred. */

import { transferPolicies, transferPolicyNames } from '../job/cost.ts'
import { usageError } from './cli-error.ts'
import { dashed } from './words.ts'

/** The flags of a policy by its name: `no-surcharge`. @throws {CliError} exit status 2 */
export function costFlagsOf(policy: string): number {
  const names = transferPolicyNames.map((name) => [dashed(name), name] as const)
  const name = new Map(names).get(policy.toLowerCase())
  if (name !== undefined) return transferPolicies[name]
  const all = names.map(([word]) => word).join(', ')
  throw usageError(`Cannot understand --metered ${JSON.stringify(policy)}: there are ${all}`)
}
