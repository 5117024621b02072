/** Looks for a script at the well-known name of DNS: `http://wpad.<suffix>/wpad.dat` (N80, N82). */

import { readFile } from 'node:fs/promises'
import { lookup } from 'node:dns/promises'
import { hostname } from 'node:os'
import { allowedSuffixes, type SuffixOptions } from './dns-suffix.ts'
import type { ScriptFinder } from './source.ts'

/** What an administrator may decide otherwise, and what differs in a test. */
export interface DnsOptions extends SuffixOptions {
  readonly suffixes?: () => Promise<readonly string[]>
  /** Whether a name, absolute and with its last dot, has an address. */
  readonly exists?: (name: string) => Promise<boolean>
}

/**
 * Asks for the well-known name below every suffix that may be asked. The name has its last dot, so that no list of
 * suffixes is tried in turn, and it has dots inside, so that neither LLMNR nor NetBIOS is (N83).
 */
export function wellKnownName({
  devolves,
  suffixes = () => ownSuffixes({ devolves }),
  exists = hasAddress,
}: DnsOptions = {}): ScriptFinder {
  return {
    name: 'DNS',
    async find(signal) {
      for (const suffix of await suffixes()) {
        if (signal.aborted) return undefined
        if (await exists(`wpad.${suffix}.`)) return `http://wpad.${suffix}/wpad.dat`
      }
      return undefined
    },
  }
}

async function ownSuffixes(options: SuffixOptions): Promise<readonly string[]> {
  const places = {
    hostName: hostname(),
    resolvConf: await readFile('/etc/resolv.conf', 'utf8').catch(() => ''),
    userDomain: process.env['USERDNSDOMAIN'] ?? '',
  }
  return allowedSuffixes(places, options)
}

async function hasAddress(name: string): Promise<boolean> {
  try {
    return (await lookup(name, { all: true })).length > 0
  } catch {
    return false
  }
}
