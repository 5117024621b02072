/** What the options say of how servers are checked, as BITS's mask (A79). */

import { JobError } from '../job/failure.ts'
import { readSecurityFlags, RELAXING_FLAGS, securityFlags } from '../job/security-flags.ts'
import { usageError } from './cli-error.ts'
import type { Arguments } from './parse.ts'
import type { OptionSpec } from './verbs.ts'

const group = 'Which servers it trusts'

/** The options of every verb that connects to servers. */
export const trustOptions: Readonly<Record<string, OptionSpec>> = {
  cacert: {
    group,
    value: 'FILE',
    completes: 'file',
    help: "Trust the certificate authorities in this PEM file instead of the system's",
  },
  insecure: {
    group,
    short: 'k',
    help: 'Let any certificate pass: whoever is on the way can read and change everything',
  },
  'check-revocation': {
    group,
    help: 'Refuse certificates that were revoked, and those of which nobody can say',
  },
  pinnedpubkey: {
    group,
    value: 'HASHES',
    completes: 'file',
    help: 'Accept only servers with one of these public keys: sha256//BASE64 with semicolons between, or a file with a key or a certificate',
  },
  'security-flags': {
    group,
    value: 'MASK',
    help: "BITS's mask, as 0x0802: 1 check revocation, let pass 2 another name, 4 a wrong date, 8 an unknown authority, 0x10 a wrong usage; 0x100 keep where redirects lead, 0x200 follow none, 0x800 from https to http too",
  },
}

/**
 * The mask of all options together.
 *
 * @returns `undefined` without any of them
 * @throws {CliError} exit status 2 for a mask that is none
 */
export function securityFlagsOf(args: Arguments): number | undefined {
  const text = args.value('security-flags')
  const mask = text === undefined ? 0 : readMask(text)
  const all =
    mask |
    (args.has('insecure') ? RELAXING_FLAGS : 0) |
    (args.has('check-revocation') ? securityFlags.checkRevocation : 0)
  return all === 0 && text === undefined ? undefined : all
}

function readMask(text: string): number {
  if (!/^(?:0x[0-9a-f]{1,8}|\d{1,9})$/iu.test(text)) {
    throw usageError(
      `Cannot understand --security-flags ${JSON.stringify(text)}: it is a number, as 0x0802`,
    )
  }
  try {
    readSecurityFlags(Number(text))
    return Number(text)
  } catch (error) {
    if (error instanceof JobError) throw usageError(error.message)
    throw error
  }
}
