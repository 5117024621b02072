/** The world of this room for tests: real hashes, and everything else fixed. */

import { nodeHashes } from '../http/node-hashes.ts'
import type { Hashes } from './crypto.ts'
import { MechanismError } from './error.ts'
import type { Mechanisms } from './mechanism.ts'
import type { AuthWorld } from './scheme.ts'
import { defaultAuthSettings, type AuthSettings } from './settings.ts'

export { nodeHashes }

/** A machine without Kerberos, NTLM of its own or SSPI. */
export const noMechanisms: Mechanisms = {
  unavailable: (mechanism) => `No library for ${mechanism} on this machine`,
  open: ({ mechanism }) =>
    Promise.reject(
      new MechanismError('ERR_AUTH_MECHANISM', `Cannot open a context: ${mechanism}`, {
        reason: 'unable',
      }),
    ),
}

/** What a test decides about its world; the rest is fixed. */
export interface WorldOptions {
  readonly settings?: Partial<AuthSettings>
  readonly mechanisms?: Mechanisms
  readonly hashes?: Hashes
  /** What the generator gives, call by call; the last one again and again. Cut or filled with zeros to the length. */
  readonly randomBytes?: readonly Uint8Array[]
  /** Milliseconds since 1970; read at every call, so that a test may turn it. */
  readonly now?: () => number
}

/** A world in which nothing happens by chance. */
export function testWorld(options: WorldOptions = {}): AuthWorld {
  const planned = [...(options.randomBytes ?? [])]
  let counter = 0
  return {
    hashes: options.hashes ?? nodeHashes,
    random: {
      fraction: () => 0.5,
      bytes(length) {
        const bytes = new Uint8Array(length)
        const next = planned.length > 1 ? planned.shift() : planned[0]
        if (next === undefined) bytes.fill(++counter)
        else bytes.set(next.subarray(0, length))
        return bytes
      },
    },
    clock: { now: options.now ?? (() => 1_704_067_200_000) },
    mechanisms: options.mechanisms ?? noMechanisms,
    settings: { ...defaultAuthSettings, ...options.settings },
  }
}
