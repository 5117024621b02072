/** Identities of the realm, and contexts that are opened with them. */

import type { MechanismContext, MechanismIdentity, Mechanisms } from '../../src/auth/mechanism.ts'
import { Secret } from '../../src/auth/secret.ts'

/** Everybody's password in the realm. */
export const PASSWORD = 'Wandering-Albatross!7'

/** Somebody by name and password. */
export function password(userName: string, secret = PASSWORD): MechanismIdentity {
  return { kind: 'password', userName, password: Secret.fromText(secret) }
}

/** With whom, and over what. */
export interface OpenOptions {
  readonly targetName?: string | undefined
  readonly channelBinding?: Uint8Array | undefined
  readonly signal?: AbortSignal
}

/** Opens a context of Kerberos with mutual authentication. */
export function openContext(
  mechanisms: Mechanisms,
  identity: MechanismIdentity,
  { targetName = 'HTTP@localhost', channelBinding, signal }: OpenOptions = {},
): Promise<MechanismContext> {
  return mechanisms.open({
    mechanism: 'kerberos',
    identity,
    targetName,
    mutual: true,
    ...(channelBinding === undefined ? {} : { channelBinding }),
    ...(signal === undefined ? {} : { signal }),
  })
}

/** Its first token. */
export async function firstToken(context: MechanismContext): Promise<Uint8Array> {
  const { token } = await context.step(undefined)
  if (token === undefined) throw new Error('a context begins with a token')
  return token
}
